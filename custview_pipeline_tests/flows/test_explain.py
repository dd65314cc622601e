"""Tests of ``custview_pipeline.flows.explain``: why records are one customer, by evidence that is laid down in tables."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS, IndexPart
from custview_pipeline.contracts.matching_rules import PROMISE, STEWARD
from custview_pipeline.contracts.registry import CONTRACTS
from custview_pipeline.contracts.stewardship_tables import REVIEW_DECISIONS
from custview_pipeline.flows import weighing
from custview_pipeline.flows.explain import MOST_RECORDS, Because, assert_comparable, explain_customer, explain_pair
from custview_pipeline.flows.named_records import Member
from custview_pipeline.flows.weighing import Scales
from custview_pipeline.kernel.errors import LakeError, ProjectInvalid, UnknownCustomer
from custview_pipeline.matching.edge_words import pattern_evidence
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline_tests.factories import (
    NOW,
    crosswalk,
    cuid,
    cuid_history,
    edges,
    features,
    protected_records,
    table,
    tokens,
)
from custview_pipeline_tests.matching.test_edge_words import MODEL

PERSON, SHOP = "person", "shop"


class Tables:
    """A state of a lake that is held in memory."""

    def __init__(self, tables, index):
        self._tables, self._index = tables, index

    def read(self, name, columns=None, *, where=None):
        """Return rows of a table."""
        frame = self._tables.get(name, CONTRACTS[name].empty())
        return (frame if where is None else frame.filter(where)).select(columns or pl.all())

    def read_index(self, part):
        """Return a part of the match index."""
        return self._index.get(part, NEIGHBOURHOODS.to_frame())

    def index_generations(self):
        """Return that the index is of no generation, and so never out of date."""
        return None, None


@dataclass
class Stage:
    """Records 1, 2, ... and evidence between them that a test lays down.

    Attributes:
        customers: Record ids by customer.
        weights: Bits by pair; -6 where nothing is said.
        rules: Rule and decision by pair, for pairs that the model does not decide.
        met: Pairs that have a stored edge.
        decisions: What stewards answered, by pair.
        sources: Source system by record; crm where nothing is said.
        exclusive: Sources that promise one record a customer.
        loose: Records that no run has matched.
    """

    customers: list[tuple[int, ...]]
    weights: dict[tuple[int, int], float] = field(default_factory=dict)
    rules: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    met: list[tuple[int, int]] = field(default_factory=list)
    decisions: dict[tuple[int, int], str] = field(default_factory=dict)
    sources: dict[int, str] = field(default_factory=dict)
    exclusive: frozenset[str] = frozenset()
    loose: tuple[int, ...] = ()

    def scales(self):
        """Return what pairs are weighed with."""
        owners = {each: cuid(number) for number, group in enumerate(self.customers, 1) for each in group}
        records = [
            {"record_id": each, "source_key": f"k{each}", "source_system": self.sources.get(each, "crm")}
            for each in (*owners, *self.loose)
        ]
        answers = [
            {"decision_id": f"d{left}", "left_id": left, "right_id": right, "decision": said}
            for (left, right), said in self.decisions.items()
        ]
        default = {"reason": None, "decided_by": "ada", "decided_at": NOW, "origin": "steward", "withdrawn_at": None}
        tables = {
            "protected_records": protected_records(*records),
            "crosswalk": crosswalk(*({**row, "cuid": owners[row["record_id"]]} for row in records if row["record_id"] in owners)),
            "match_edges": edges(*(self._edge(*pair) for pair in self.met)),
            "review_decisions": table(REVIEW_DECISIONS.types, default, tuple(answers)),
            "cuid_history": cuid_history(
                {"cuid": cuid(1)}, {"cuid": cuid(50)}, {"cuid": cuid(50), "event": "merged_into", "other_cuid": cuid(1)}
            ),
        }
        texts = features(*({"is_enterprise": False} for _ in records))
        index = {
            IndexPart.TOKENS: tokens(texts, [row["record_id"] for row in records]),
            IndexPart.NEIGHBOURHOODS: NEIGHBOURHOODS.to_frame(),
        }
        settings = SimpleNamespace(match_weight=0.5, review_weight=-1.0)
        known = {EntityType.PERSON: SimpleNamespace(model=MODEL, frequencies=Frequencies(0, {}, {}))}
        return Scales(Tables(tables, index), settings, known, self.exclusive)

    def _edge(self, left, right):
        weight = self.weights.get((left, right), -6.0)
        said = {"weight": weight, "decision": decided(weight), "pattern": 1, "model_version": MODEL.version}
        return {"left_id": left, "right_id": right, **said}

    def weigh(self, tokens, _neighbourhoods, pairs, _settings, _known):
        """Stand in for ``matching.evidence.weigh``."""
        assert set(tokens["record_id"]) == {*pairs["left_id"], *pairs["right_id"]}
        weighed, levels = [], []
        for pair in pairs.select("left_id", "right_id").iter_rows():
            weight = self.weights.get(pair, -6.0)
            rule, decision = self.rules.get(pair, ("model", decided(weight)))
            weighed.append((*pair, PERSON, 1, weight, 0.5, decision, rule, "unrelated", -10.0))
            levels.append((*pair, "given_name", 1, "same given name", weight + 10.0))
        names = ["left_id", "right_id", "entity_type", "pattern", "weight", "probability", "decision", "rule", "alternative"]
        said = ["left_id", "right_id", "comparison", "level", "meaning", "bits"]
        return SimpleNamespace(
            pairs=pl.DataFrame(weighed, schema=[*names, "starting_bits"], orient="row"),
            comparisons=pl.DataFrame(levels, schema=said, orient="row"),
        )


def decided(weight):
    return "MATCH" if weight > 0.5 else "POSSIBLE_MATCH" if weight >= -1 else "NO_MATCH"


@pytest.fixture
def staged(monkeypatch):
    """Return what sets a stage and returns its scales."""

    def stage(customers, **laid_down):
        set_up = Stage(customers, **laid_down)
        monkeypatch.setattr(weighing, "weigh", set_up.weigh)
        return set_up.scales()

    return stage


def member(scales, record_id):
    rows = {row["record_id"]: row for row in scales.snapshot.read("crosswalk").iter_rows(named=True)}
    row = rows.get(record_id, {"source_system": "crm", "source_key": f"k{record_id}", "cuid": None})
    return Member(record_id, 1, row["source_system"], row["source_key"], PERSON, row["cuid"])


def explained(scales, left=1, right=2):
    return explain_pair(scales, member(scales, left), member(scales, right))


@pytest.mark.parametrize(
    ("customers", "laid_down", "is_one", "because"),
    [
        ([(1, 2)], {"weights": {(1, 2): 9.0}}, True, Because.EVIDENCE),
        ([(1,), (2,)], {"weights": {(1, 2): -9.0}}, False, Because.EVIDENCE),
        ([(1,), (2,)], {"weights": {(1, 2): 0.0}}, False, Because.EVIDENCE),
        ([(1,), (2,)], {"weights": {(1, 2): 9.0}, "rules": {(1, 2): ("jr and sr", "NO_MATCH")}}, False, Because.RULE),
        ([(1,), (2,)], {"weights": {(1, 2): 9.0}, "exclusive": frozenset({"crm"})}, False, Because.RULE),
        ([(1, 2)], {"decisions": {(1, 2): "match"}, "exclusive": frozenset({"crm"})}, True, Because.DECISION),
        ([(1, 2)], {"rules": {(1, 2): ("same number", "MATCH")}}, True, Because.RULE),
        ([(1, 2)], {"decisions": {(1, 2): "match"}}, True, Because.DECISION),
        ([(1,), (2,)], {"weights": {(1, 2): 9.0}, "decisions": {(1, 2): "not_a_match"}}, False, Because.DECISION),
        ([(1, 2)], {"weights": {(1, 2): 9.0}, "decisions": {(1, 2): "unsure"}}, True, Because.EVIDENCE),
        ([(1, 2)], {"weights": {(1, 2): 9.0}, "decisions": {(1, 2): "not_a_match"}}, True, Because.EARLIER_RUN),
        ([(1,), (2,)], {"decisions": {(1, 2): "match"}}, False, Because.EARLIER_RUN),
        ([(1, 2)], {}, True, Because.EARLIER_RUN),
        ([(1, 2, 3)], {"weights": {(1, 3): 7.0, (2, 3): 5.0}}, True, Because.THROUGH_OTHERS),
        ([(1,), (2,)], {"weights": {(1, 2): 9.0}}, False, Because.NOT_MET),
        ([(1,), (2,)], {"weights": {(1, 2): 9.0}, "met": [(1, 2)]}, False, Because.EARLIER_RUN),
        ([(1,), (2, 3)], {"weights": {(1, 2): 9.0, (2, 3): 9.0}, "met": [(1, 2)]}, False, Because.OTHERS_DISAGREE),
        (
            [(1,), (2, 3)],
            {"weights": {(1, 2): 9.0, (1, 3): 8.0}, "rules": {(1, 3): ("jr and sr", "NO_MATCH")}, "met": [(1, 2)]},
            False,
            Because.KEPT_APART,
        ),
        (
            [(1, 4), (2, 3)],
            {"weights": {(1, 2): 9.0}, "sources": {3: SHOP, 4: SHOP}, "exclusive": frozenset({SHOP}), "met": [(1, 2)]},
            False,
            Because.KEPT_APART,
        ),
        ([(1,)], {"weights": {(1, 2): 9.0}, "loose": (2,)}, None, Because.NOT_MATCHED),
    ],
)  # fmt: skip
def test_why_two_records_are_one_customer_or_are_not(staged, customers, laid_down, is_one, because):
    found = explained(staged(customers, **laid_down))
    assert (found.is_one_customer, found.reason.because) == (is_one, because)


def test_the_evidence_of_a_pair_adds_up_to_its_weight(staged):
    found = explained(staged([(1, 2)], weights={(1, 2): 7.25}), 2, 1)
    link = found.link
    assert (link.left.record_id, link.right.record_id, link.decision, link.rule) == (2, 1, "MATCH", "model")
    assert link.starting_bits + sum(level.bits for level in link.levels) == pytest.approx(link.weight)
    assert (found.match_weight, found.review_weight, found.model_version) == (0.5, -1.0, MODEL.version)


def test_the_way_through_others_is_told_link_by_link(staged):
    weights = {(1, 3): 7.0, (3, 4): 6.0, (2, 4): 5.0}
    reason = explained(staged([(1, 2, 3, 4)], weights=weights)).reason
    assert [(link.left.record_id, link.right.record_id) for link in reason.through] == [(1, 3), (3, 4), (4, 2)]


def test_the_pair_that_keeps_two_customers_apart_is_told(staged):
    laid_down = {"weights": {(1, 2): 9.0, (1, 3): -2.0}, "decisions": {(3, 4): "not_a_match"}, "met": [(1, 2)]}
    against = explained(staged([(1, 4), (2, 3)], **laid_down)).reason.against
    assert (against.left.record_id, against.right.record_id, against.rule) == (3, 4, STEWARD)


def test_the_promise_of_a_source_keeps_customers_apart_that_each_have_a_record_of_it(staged):
    laid_down = {"weights": {(1, 2): 9.0}, "sources": {3: SHOP, 4: SHOP}, "exclusive": frozenset({SHOP})}
    against = explained(staged([(1, 4), (2, 3)], **laid_down)).reason.against
    assert (against.left.record_id, against.right.record_id, against.rule) == (3, 4, PROMISE)


def test_one_record_named_twice_and_records_of_two_types_are_refused(staged):
    scales = staged([(1, 2)])
    one, other = member(scales, 1), member(scales, 2)
    assert_comparable(one, other)
    with pytest.raises(ProjectInvalid, match="the same record"):
        assert_comparable(one, one)
    with pytest.raises(ProjectInvalid, match="first record is of entity type person, the second of enterprise"):
        assert_comparable(one, other._replace(entity_type="enterprise"))


def test_without_a_model_it_says_that_a_run_makes_one(staged):
    scales = staged([(1, 2)])
    with pytest.raises(LakeError, match="no model of person records yet"):
        explain_pair(Scales(scales.snapshot, scales.settings, {}), member(scales, 1), member(scales, 2))


def test_how_common_values_are_is_counted_on_all_records_where_no_run_has_counted_yet(staged, monkeypatch):
    scales = staged([(1, 2), (3,), (4,)])
    weighed, seen = weighing.weigh, []
    monkeypatch.setattr(
        weighing,
        "weigh",
        lambda tokens, *more: seen.append(set(tokens["record_id"])) or weighed(tokens.filter(pl.col("record_id") < 3), *more),
    )
    uncounted = {EntityType.PERSON: SimpleNamespace(model=MODEL, frequencies=None)}
    for known in (scales.known, uncounted):
        explained(Scales(scales.snapshot, scales.settings, known))
    assert seen == [{1, 2}, {1, 2, 3, 4}]


def pairs_of(links):
    return [(link.left.record_id, link.right.record_id, link.weight) for link in links]


def test_a_customer_is_held_together_by_its_strongest_links_and_the_lowest_pair_speaks_against_it(staged):
    weights = {(1, 2): 9.0, (2, 3): 4.0, (3, 4): 8.0, (1, 3): -3.0, (2, 4): 1.0, (1, 4): -7.0}
    found = explain_customer(staged([(1, 2, 3, 4), (9,)], weights=weights), cuid(1))
    assert pairs_of(found.tree) == [(1, 2, 9.0), (3, 4, 8.0), (2, 3, 4.0)]
    assert found.part_sizes == (2, 2)
    assert pairs_of([found.contradiction]) == [(1, 4, -7.0)]
    assert not found.is_from_stored
    assert found.unlinked_count == 0
    assert [each.source_key for each in found.members] == ["k1", "k2", "k3", "k4"]


def test_what_rules_and_stewards_joined_is_the_strongest_link_and_what_they_forbid_the_worst(staged):
    found = explain_customer(
        staged(
            [(1, 2, 3)],
            weights={(1, 2): 9.0, (2, 3): 5.0, (1, 3): -4.0},
            rules={(1, 3): ("same number", "MATCH")},
            decisions={(2, 3): "not_a_match"},
        ),
        cuid(1),
    )
    assert pairs_of(found.tree) == [(1, 3, -4.0), (1, 2, 9.0)]
    assert (*pairs_of([found.contradiction]), found.contradiction.rule) == ((2, 3, 5.0), STEWARD)


def test_where_the_lowest_pair_is_the_weakest_link_nothing_contradicts(staged):
    found = explain_customer(staged([(1, 2)], weights={(1, 2): 9.0}), cuid(1))
    assert (found.contradiction, found.part_sizes) == (None, (1, 1))


def test_one_record_needs_no_link_and_no_model(staged):
    scales = staged([(1,)])
    found = explain_customer(Scales(scales.snapshot, scales.settings, {}), cuid(1))
    assert (found.tree, found.contradiction, found.model_version) == ((), None, None)
    assert len(found.members) == 1


def test_a_large_customer_is_explained_by_its_stored_edges(staged):
    ids = tuple(range(1, MOST_RECORDS + 3))
    chain = [(number, number + 1) for number in ids[:-2]]
    scales = staged([ids], met=chain, weights=dict.fromkeys(chain, 6.0) | {(7, 8): 2.5})
    found = explain_customer(scales, cuid(1))
    assert found.is_from_stored
    assert len(found.tree) == len(chain)
    assert pairs_of(found.tree[-1:]) == [(7, 8, 2.5)]
    assert found.part_sizes == (MOST_RECORDS - 6, 7)
    assert found.unlinked_count == 1
    (given, rarity) = found.tree[-1].levels
    assert (given.meaning, rarity.meaning) == ("same given name", "rarity of the values")
    assert given.bits + rarity.bits + found.tree[-1].starting_bits == pytest.approx(2.5)
    assert given.bits == pytest.approx(pattern_evidence(MODEL, 1).levels[0].bits)


def test_two_large_customers_are_told_apart_by_stored_edges_and_the_pair_itself(staged):
    half = MOST_RECORDS // 2 + 1
    ours, theirs = (1, *range(3, 3 + half)), (2, *range(1000, 1000 + half))
    scales = staged([ours, theirs], weights={(1, 2): 9.0, (1, 1000): -0.5}, met=[(1, 2), (1, 1000)])
    found = explained(scales)
    assert (found.link.weight, found.reason.because) == (9.0, Because.OTHERS_DISAGREE)
    assert pairs_of([found.reason.against]) == [(1, 1000, -0.5)]


def test_large_customers_of_which_no_stored_edge_disagrees_are_not_told_to_be_out_of_date(staged):
    ours, theirs = (1, *range(3, MOST_RECORDS + 3)), (2,)
    apart = explained(staged([ours, theirs], weights={(1, 2): 9.0}, met=[(1, 2)]))
    together = explained(staged([(*ours, 2)]))
    assert apart.reason == (Because.OTHERS_DISAGREE, (), None)
    assert together.reason == (Because.NOT_STORED, (), None)


@pytest.mark.parametrize(("number", "said"), [(77, "no customer has this id"), (50, f"was merged into {cuid(1)}")])
def test_a_customer_that_is_not_there_is_told_what_became_of_it(staged, number, said):
    with pytest.raises(UnknownCustomer, match=said):
        explain_customer(staged([(1, 2)]), cuid(number))
