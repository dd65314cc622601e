"""Matching what changed gives what matching everything gives, by the same model."""

import random
from dataclasses import dataclass, replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS, TOKENS
from custview_pipeline.matching.blocking import keys_of
from custview_pipeline.matching.change import Change, Index, match_change
from custview_pipeline.matching.found import EDGES, GROUPS, MatchedType
from custview_pipeline.matching.judging import Told
from custview_pipeline.matching.match import match
from custview_pipeline.matching.records import Records
from custview_pipeline.matching.rules import BLOCKING_RULES
from custview_pipeline_tests.factories import features, neighbours_of, person, tokens
from custview_pipeline_tests.matching.people import Facts, population, settings

PAIR = ["left_id", "right_id"]
DECIDED = pl.Schema({"left_id": pl.Int64, "right_id": pl.Int64, "is_match": pl.Boolean})
LOCKED = pl.Schema({"record_id": pl.Int64, "lock": pl.Int64})
PROMISED = pl.Schema({"record_id": pl.Int64, "source_system": pl.String})
CLUSTERS = pl.Schema({"record_id": pl.Int64, "cluster": pl.Int64})
State = dict[int, Facts]
STRICT = {"birth_date", "email"}  # facts that must be well formed


def quiet(_what: str, _count: int) -> None:
    """Hear of progress and say nothing."""


@dataclass
class Result:
    """What holds of the records: clusters, groups of several, edges."""

    clusters: pl.DataFrame
    groups: pl.DataFrame
    edges: pl.DataFrame

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Result)
        return all(getattr(self, name).equals(getattr(other, name)) for name in ("clusters", "groups", "edges"))

    __hash__ = None


def result_of(parts: tuple[MatchedType, ...], stands: Result | None = None) -> Result:
    """Return what parts say, beside what stands."""
    clusters, groups, edges = (pl.concat([getattr(part, name) for part in parts]) for name in ("clusters", "groups", "edges"))
    if stands is not None:
        clusters, groups, edges = (
            pl.concat([getattr(stands, name), found])
            for name, found in (("clusters", clusters), ("groups", groups), ("edges", edges))
        )
    several = groups.filter(pl.len().over("group_id") > 1)
    return Result(clusters.sort("record_id"), several.sort("record_id"), edges.select(EDGES.names()).sort(PAIR))


def index_of(state: State, portion: int, decided=(), promised=(), locked=()) -> Index:
    """Return the index of some records, in portions of so many rows."""
    texts = features(*(person(**facts) if "is_enterprise" not in facts else facts for facts in state.values()))
    rows = tokens(texts, list(state)) if state else TOKENS.to_frame()
    portions = [rows.slice(at, portion) for at in range(0, rows.height, portion)]
    near = neighbours_of(texts) if state else NEIGHBOURHOODS.to_frame()
    said = pl.DataFrame(list(decided), schema=DECIDED, orient="row")
    sources = pl.DataFrame([(each, "crm") for each in promised], schema=PROMISED, orient="row")
    kept = pl.DataFrame(list(locked), schema=LOCKED, orient="row")
    told = Told(said, locked=kept)
    return Index(lambda: portions, near, told, lambda ids: sources.filter(pl.col("record_id").is_in(ids.implode())))


def whole(index: Index, known) -> Result:
    """Match all records of an index."""
    rows = pl.concat([TOKENS.to_frame(), *index.tokens()])
    told = index.told._replace(exclusive=index.promised(rows["record_id"]))
    return result_of(match(rows, index.neighbourhoods, settings(), quiet, known=known, told=told))


def changed(index: Index, known, before: Result, ids: set[int], gone: set[int]) -> Result:
    """Match what changed, and put it beside what stands of the result before, as the flow that links does."""

    def groups_of(record_ids):
        theirs = before.groups.filter(pl.col("record_id").is_in(record_ids.implode()))["group_id"]
        return before.groups.filter(pl.col("group_id").is_in(theirs.implode()))

    of = Change(*(pl.Series("record_id", sorted(each), pl.Int64) for each in (ids, gone)), groups_of)
    parts = match_change(index, of, settings(), known, quiet)
    decided = {*pl.concat([part.clusters for part in parts])["record_id"], *gone}
    groups = dict(before.groups.rows())
    again = [
        left in ids | gone or right in ids | gone or (left in decided and groups.get(left) == groups.get(right) is not None)
        for left, right in before.edges.select(PAIR).rows()
    ]
    stands = Result(
        before.clusters.filter(~pl.col("record_id").is_in(decided)),
        before.groups.filter(~pl.col("record_id").is_in(decided)),
        before.edges.filter(~pl.Series(again, dtype=pl.Boolean)),
    )
    return result_of(parts, stands)


def models(state: State):
    """Return the models that records give."""
    rows = index_of(state, 1000)
    return {
        part.entity_type: part.frozen
        for part in match(next(iter(rows.tokens())), rows.neighbourhoods, settings(), quiet)
        if part.frozen is not None
    }


def firm(number: int) -> Facts:
    """Return an enterprise; every second one is the one before with another phone."""
    name = f"{['acme', 'borealis', 'cormorant', 'dynamo', 'evergreen'][number // 2 % 5]}{number // 2}works"
    return {
        "is_enterprise": True,
        "enterprise_name": name,
        "enterprise_names": [name],
        "enterprise_lead": name,
        "phones": [f"2025{number:06}"],
        "postal_code": "10001",
    }


WORLD: State = dict(enumerate(population(3), 1)) | {1001 + number: firm(number) for number in range(20)}
MODELS = models(WORLD)


def typo(facts: Facts, chance: random.Random) -> Facts:
    """Return the facts as somebody else may have typed them."""
    name = chance.choice(
        [name for name, value in facts.items() if isinstance(value, str) and len(value) > 3 and name not in STRICT]
    )
    value = str(facts[name])
    at = chance.randrange(len(value))
    return {**facts, name: value[:at] + chance.choice("aeiou19") + value[at + 1 :]}


def some_change(state: State, chance: random.Random) -> tuple[State, set[int], set[int]]:
    """Return another state, the records that are new or changed in it, and those that are gone."""
    gone = set(chance.sample(sorted(state), chance.randint(0, 4)))
    after = {key: facts for key, facts in state.items() if key not in gone}
    ids = set(chance.sample(sorted(after), chance.randint(0, min(6, len(after)))))
    for key in ids:
        after[key] = typo(after[key], chance) if chance.random() < 0.6 else chance.choice(list(state.values()))
    for _ in range(chance.randint(0, 5)):
        key = chance.choice([chance.randint(1, 999), chance.randint(2000, 2999)])
        after[key] = typo(chance.choice(list(state.values())), chance)
        ids.add(key)
        gone.discard(key)
    return after, ids, gone


@examples(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([7, 40, 1000]))
def test_one_change_after_another_ends_where_matching_everything_does(seed, portion):
    chance, state = random.Random(seed), WORLD  # noqa: S311 -- invented
    result = whole(index_of(state, portion), MODELS)
    for _ in range(3):
        state, ids, gone = some_change(state, chance)
        index = index_of(state, portion)
        result = changed(index, MODELS, result, ids, gone)
        assert result == whole(index, MODELS)


@examples(max_examples=4, deadline=None)
@given(st.integers(0, 10**6))
def test_decisions_and_promises_hold_in_a_change_as_they_do_in_the_whole(seed):
    chance = random.Random(seed)  # noqa: S311 -- invented
    promised = set(chance.sample(sorted(WORLD), 60))
    before = whole(index_of(WORLD, 50, promised=promised), MODELS)
    state, ids, gone = some_change(WORLD, chance)
    left, right, other = chance.sample([key for key in state if key < 1000], 3)
    decided = [(left, right, True), (min(right, other), max(right, other), False)]
    index = index_of(state, 50, decided, promised)

    result = changed(index, MODELS, before, ids | {left, right, other}, gone)
    assert result == whole(index, MODELS)
    # the answers stand, and others come
    after, ids, gone = some_change(state, chance)
    index = index_of(after, 50, decided, promised)
    assert changed(index, MODELS, result, ids, gone) == whole(index, MODELS)


@examples(max_examples=4, deadline=None)
@given(st.integers(0, 10**6))
def test_locks_come_hold_and_go_in_changes_as_they_do_in_the_whole(seed):
    """A customer is locked, records come and go, one is split off another customer, and at last the lock is taken away."""
    chance = random.Random(seed)  # noqa: S311 -- invented
    before = whole(index_of(WORLD, 50), MODELS)
    several = before.clusters.group_by("cluster").agg("record_id").filter(pl.col("record_id").list.len() > 1).sort("cluster")
    one, other = chance.sample([sorted(each) for each in several["record_id"]], 2)
    locked = [(record, 1) for record in one] + [(chance.choice(other), 2)]
    together = [(left, right, True) for left in one for right in one if left < right]
    apart = [(min(other[0], each), max(other[0], each), False) for each in other[1:]]
    index = index_of(WORLD, 50, [*together, *apart], locked=locked)

    result = changed(index, MODELS, before, {*one, *other}, set())
    assert result == whole(index, MODELS)
    clusters = result.clusters.filter(pl.col("cluster").is_in(result.clusters.filter(pl.col("record_id").is_in(one))["cluster"]))
    assert set(clusters["record_id"]) == set(one)

    state, ids, gone = some_change(WORLD, chance)
    index = index_of(state, 50, [*together, *apart], locked=locked)
    result = changed(index, MODELS, result, ids, gone)
    assert result == whole(index, MODELS)

    free = index_of(state, 50)
    assert changed(free, MODELS, result, {*one, *other} & set(state), set()) == whole(free, MODELS)


def test_a_record_that_becomes_an_enterprise_leaves_the_persons():
    before = whole(index_of(WORLD, 1000), MODELS)
    index = index_of(WORLD | {1: firm(0)}, 1000)

    after = changed(index, MODELS, before, {1}, set())
    assert after == whole(index, MODELS)
    assert {1, 1001} <= set(after.groups["record_id"])


def test_everything_may_go():
    before = whole(index_of(WORLD, 1000), MODELS)

    after = changed(index_of({}, 1000), MODELS, before, set(), set(WORLD))
    assert after == Result(CLUSTERS.to_frame(), GROUPS.to_frame(), EDGES.to_frame())


def test_the_last_two_of_a_kind_part_when_one_goes():
    state = {key: facts for key, facts in WORLD.items() if key < 1000 or key in {1001, 1002}}
    known = MODELS
    before = whole(index_of(state, 1000), known)
    assert {1001, 1002} <= set(before.groups["record_id"])

    left = {key: facts for key, facts in state.items() if key != 1002}
    alone = {EntityType.PERSON: known[EntityType.PERSON]}
    assert changed(index_of(left, 1000), alone, before, set(), {1002}) == whole(index_of(left, 1000), alone)


def test_records_equal_in_everything_are_found_even_where_all_their_blocks_are_too_large():
    namesakes = {key: {"given": "ada", "family": "fairfax"} for key in range(3001, 3041)}
    state = WORLD | namesakes
    index = index_of(state, 1000)
    known = models(state)
    kind, frozen = EntityType.PERSON, known[EntityType.PERSON]
    every = dict(frozen.frequencies.oversize)
    rows = pl.concat(list(index.tokens())).filter(pl.col("record_id") == 3001)

    for rule in BLOCKING_RULES:
        keys, _ = keys_of(Records.of(rows, kind), rule)
        every[rule.name] = pl.Series([*every.get(rule.name, []), *keys], dtype=pl.Int64).unique().sort().to_numpy()
    known = known | {kind: replace(frozen, frequencies=frozen.frequencies.with_oversize(every))}
    without = {key: facts for key, facts in state.items() if key != 3020}
    before = whole(index_of(without, 1000), known)

    after = changed(index, known, before, {3020}, set())
    assert after == whole(index, known)
    assert 3020 in after.groups["record_id"]


@pytest.mark.parametrize("ids", [set(), {5}])
def test_a_change_that_changes_nothing_leaves_everything(ids):
    index = index_of(WORLD, 30)
    before = whole(index, MODELS)

    assert changed(index, MODELS, before, ids, set()) == before
