"""Tests of ``custview_pipeline.matching.evidence``: the same weights as linking, comparison by comparison."""

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.evidence import COMPARISONS, PAIRS, weigh
from custview_pipeline.matching.match import match
from custview_pipeline.matching.setup import Frozen
from custview_pipeline_tests.factories import enterprise, features, neighbours_of, person, tokens
from custview_pipeline_tests.matching.people import population, settings

FIRM = {"words": ["northwind", "traders"], "phones": ["2025550199"]}
SUFFIXED = {"given": "john", "family": "winterbourne", "phones": ["2025550143"], "email": "jw@example.org"}
ROWS = [
    *(person(**facts) for facts in population()),
    *(person(**SUFFIXED, name_suffix=suffix) for suffix in ("jr", "sr")),
    *(enterprise(**FIRM, postal_code=f"1000{n}") for n in range(4)),
]
TEXTS = features(*ROWS)
INDEX, NEAR = tokens(TEXTS), neighbours_of(TEXTS)
LAST_PERSON = len(ROWS) - 4
SETTINGS = settings(review_weight=-30.0)  # so that weak evidence is among the edges


@pytest.fixture(scope="module")
def linked():
    return match(INDEX, NEAR, SETTINGS, lambda _what, _count: None)


@pytest.fixture(scope="module")
def known(linked):
    return {part.entity_type: part.frozen for part in linked}


def weighed(known, *pairs, index=INDEX):
    return weigh(
        index, NEAR, pl.DataFrame(pairs, schema={"left_id": pl.Int64, "right_id": pl.Int64}, orient="row"), SETTINGS, known
    )


@pytest.fixture(scope="module")
def every_edge(linked, known):
    edges = pl.concat([part.edges for part in linked])
    return edges, weigh(INDEX, NEAR, edges.select("left_id", "right_id"), SETTINGS, known)


def test_weights_and_decisions_are_exactly_those_of_the_edges(every_edge):
    edges, found = every_edge
    columns = ["left_id", "right_id", "pattern", "weight", "decision", "rule", "probability"]

    assert set(edges["decision"]) == {"MATCH", "POSSIBLE_MATCH", "NO_MATCH"}
    assert found.pairs.select(columns).equals(edges.select(columns).sort("left_id", "right_id"))


def test_the_start_and_the_bits_of_all_comparisons_add_up_to_the_weight(every_edge):
    _, found = every_edge
    sums = found.comparisons.group_by("left_id", "right_id").agg(pl.col("bits").sum())
    total = found.pairs.join(sums, on=["left_id", "right_id"])

    assert total.height == found.pairs.height
    assert total.select((pl.col("starting_bits") + pl.col("bits") - pl.col("weight")).abs().max()).item() < 1e-6


def test_frames_keep_their_schema_and_their_levels_the_pattern(every_edge, known):
    _, found = every_edge
    assert (found.pairs.schema, found.comparisons.schema) == (PAIRS, COMPARISONS)
    assert set(found.pairs["alternative"]) == {"household", "unrelated"}
    assert found.comparisons["level"].min() == 1
    names = [comparison.name for comparison in known[EntityType.PERSON].model.comparisons]
    persons = found.comparisons.filter(pl.col("left_id") <= LAST_PERSON)
    place = pl.col("comparison").replace_strict(dict(zip(names, range(len(names)), strict=True)), return_dtype=pl.Int64)
    packed = persons.group_by("left_id", "right_id").agg(packed=(pl.col("level").cast(pl.Int64) * 16**place).sum())
    joined = found.pairs.join(packed, on=["left_id", "right_id"])
    assert joined.height > 0
    assert joined["packed"].equals(joined["pattern"], check_names=False)


def test_a_pair_that_was_never_compared_is_weighed_too(known):
    found = weighed(known, (1, 60))

    assert found.pairs["decision"].to_list() == ["NO_MATCH"]
    assert found.comparisons.height > 0


def test_sides_repetitions_and_the_order_of_pairs_do_not_matter(known):
    one, other = weighed(known, (1, 2), (3, 4), (1, 9)), weighed(known, (9, 1), (2, 1), (1, 2), (4, 3))

    key = ["left_id", "right_id", "comparison"]
    assert one.pairs.equals(other.pairs)
    assert one.comparisons.sort(key).equals(other.comparisons.sort(key))


def test_the_records_concerned_are_enough_where_frequencies_are_frozen(known):
    alone = weighed(known, (1, 2), index=INDEX.filter(pl.col("record_id").is_in([1, 2, 90])))

    assert alone.pairs.equals(weighed(known, (1, 2)).pairs)


def test_a_rule_is_named_beside_the_weight(known):
    found = weighed(known, (LAST_PERSON - 1, LAST_PERSON)).pairs

    assert found.select("decision", "rule").rows() == [("NO_MATCH", "Jr is not Sr")]


def test_a_person_and_an_enterprise_are_no_match_and_are_not_compared(known):
    found = weighed(known, (LAST_PERSON + 1, 1))

    assert found.pairs.select("left_id", "right_id", "decision", "probability").rows() == [(1, LAST_PERSON + 1, "NO_MATCH", 0.0)]
    assert found.comparisons.is_empty()


@pytest.mark.parametrize("pair", [(1, 1), (1, 9_999)], ids=["a record with itself", "a record that is not there"])
def test_what_is_no_pair_is_left_out(known, pair):
    assert weighed(known, pair).pairs.is_empty()


def test_without_a_model_nothing_is_weighed(known):
    persons_only = {EntityType.PERSON: known[EntityType.PERSON]}

    assert weighed(persons_only, (LAST_PERSON + 1, LAST_PERSON + 2)).pairs.is_empty()
    assert weighed({}, (1, 2)).pairs.is_empty()


def test_without_frozen_frequencies_they_are_counted(known):
    counted = {entity_type: Frozen(frozen.model, None) for entity_type, frozen in known.items()}

    assert weighed(counted, (1, 2), (3, 4)).pairs.equals(weighed(known, (1, 2), (3, 4)).pairs)
