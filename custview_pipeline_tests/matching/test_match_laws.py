"""Laws of matching, whatever the records are: order, cannot-links, frozen models."""

import random
from collections.abc import Iterable, Sequence
from functools import cache

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.judging import Told
from custview_pipeline.matching.match import match
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.setup import Frozen
from custview_pipeline_tests.factories import features, neighbours_of, person, tokens
from custview_pipeline_tests.matching.people import CUSTOMERS, Facts, groups, population, settings

Pair = tuple[int, int]

SEEDS = st.integers(0, 10**6)
SOURCES = ("crm", "shop", "billing")
DECIDED = {"left_id": pl.Int64, "right_id": pl.Int64, "is_match": pl.Boolean}


def found_among(records: Sequence[Facts], ids: Sequence[int] | None = None, shuffle: int | None = None, **known) -> MatchedType:
    """Match persons; their ids count from 1 unless given, their rows come in another order where ``shuffle`` says which."""
    texts = features(*(person(**facts) for facts in records))
    frames = [tokens(texts, None if ids is None else list(ids)), neighbours_of(texts)]
    if shuffle is not None:
        frames = [frame.sample(fraction=1, shuffle=True, seed=shuffle) for frame in frames]
    told = Told(**{name: known.pop(name) for name in Told._fields if name in known})
    return match(*frames, settings(), lambda _what, _count: None, told=told, **known)[0]


def frozen(found: MatchedType) -> dict[EntityType, Frozen]:
    """Return the model and frequencies of a run as another run reads them from the store."""
    assert found.frozen is not None
    model, frequencies = found.frozen.model.to_frame(), found.frozen.frequencies.to_frame()
    return {EntityType.PERSON: Frozen(MatchModel.from_frame(model), Frequencies.from_frame(frequencies))}


def decided(matches: Iterable[Pair] = (), others: Iterable[Pair] = ()) -> pl.DataFrame:
    """Build steward decisions; which record of a pair is named first means nothing."""
    rows = [(*pair, True) for pair in matches] + [(*pair, False) for pair in others]
    return pl.DataFrame(rows, schema=DECIDED, orient="row")


def evidence(edges: pl.DataFrame) -> dict[frozenset[int], tuple[int, float, str]]:
    """Return pattern, weight and decision by pair."""
    rows = edges.select("left_id", "right_id", "pattern", "weight", "decision").rows()
    return {frozenset((left, right)): (pattern, weight, decision) for left, right, pattern, weight, decision in rows}


def customers_of(found: MatchedType) -> dict[int, int]:
    """Return the cluster of each record."""
    return dict(found.clusters.select("record_id", "cluster").rows())


def some_pairs(chance: random.Random, records: int, count: int) -> list[Pair]:
    """Draw pairs of records; every other one is of the two records of a customer."""
    of_one = [(2 * number + 1, 2 * number + 2) for number in chance.sample(range(records // 2), count // 2)]
    return of_one + [tuple(chance.sample(range(1, records + 1), 2)) for _ in range(count - len(of_one))]


def tagged(seed: int) -> list[Facts]:
    """Return a population in which many records have a suffix or a national id, at random."""
    chance = random.Random(seed)  # noqa: S311 -- invented, the same every time
    records = []
    for facts in population(seed):
        number = chance.choice(["us.ssn:536224567", "us.ssn:671889012", None])
        national = {"identifiers": [number], "national_ids": [number], "national_id_schemes": ["us.ssn"]} if number else {}
        records.append({**facts, **national, "name_suffix": chance.choice(["jr", "sr", None])})
    return records


@examples(max_examples=3, deadline=None)
@given(SEEDS)
def test_neither_the_order_of_records_nor_that_of_decisions_matters(seed):
    chance = random.Random(seed)  # noqa: S311 -- invented, the same every time
    records = tagged(seed)
    pairs = some_pairs(chance, len(records), 12)
    sources = pl.DataFrame({"record_id": range(1, len(records) + 1), "source_system": chance.choices(SOURCES, k=len(records))})
    stated = decided(pairs[:6], pairs[6:])
    turned = stated.select(left_id="right_id", right_id="left_id", is_match="is_match").reverse()

    one = found_among(records, decided=stated, exclusive=sources)
    other = found_among(records, shuffle=seed, decided=turned, exclusive=sources.reverse())

    for part in ("edges", "clusters", "suspicious"):
        assert getattr(one, part).equals(getattr(other, part)), part
    assert (one.model and one.model.version) == (other.model and other.model.version)
    assert one.yields == other.yields


@examples(max_examples=3, deadline=None)
@given(SEEDS)
def test_the_evidence_does_not_depend_on_which_record_comes_first(seed):
    records = tagged(seed)
    known = frozen(found_among(records))
    places = list(range(len(records)))
    random.Random(seed).shuffle(places)  # noqa: S311 -- invented, the same every time
    number_of = {place + 1: number for number, place in enumerate(places, 1)}

    one = found_among(records, known=known).edges
    other = found_among([records[place] for place in places], known=known).edges

    renamed = {frozenset(number_of[each] for each in pair): told for pair, told in evidence(one).items()}
    assert renamed == evidence(other)


@examples(max_examples=3, deadline=None)
@given(SEEDS)
def test_records_that_a_rule_keeps_apart_are_never_one_customer(seed):
    records = tagged(seed)
    found = found_among(records)

    assert {"Jr is not Sr", "national ids differ"} <= set(found.edges["rule"]), "the rules had nothing to forbid"
    for group in groups(found):
        for feature in ("name_suffix", "national_ids"):
            assert len({str(records[each - 1].get(feature)) for each in group} - {"None"}) <= 1, feature


@cache
def crowd(count: int) -> list[Facts]:
    """Return people of whom every third is called john, and nobody shares anything else."""
    chance = random.Random(1)  # noqa: S311 -- invented, the same every time
    syllables = [first + second for first in "bcdfghjklmnprstvw" for second in "aeiou"]
    words = iter("".join(chance.choices(syllables, k=5)) for _ in range(2 * count))
    return [{"given": "john" if number % 3 == 0 else next(words), "family": next(words)} for number in range(count)]


@pytest.mark.parametrize(
    ("own", "of_the_other"),
    [
        ({"name_suffix": "jr"}, {"name_suffix": "sr"}),
        *(
            tuple({"identifiers": [each], "national_ids": [each], "national_id_schemes": ["us.ssn"]} for each in pair)
            for pair in [("us.ssn:536224567", "us.ssn:671889012")]
        ),
    ],
    ids=["suffix", "national id"],
)
def test_a_rule_holds_however_few_records_have_what_it_is_about(own, of_the_other):
    john = {"given": "john", "family": "winterbourne", "email": "jw@example.org"}
    others = [{**facts, "email": f"mailbox{place}@example.org"} for place, facts in enumerate(crowd(1000))]
    customers = customers_of(found_among([{**john, **own}, {**john, **of_the_other}, *others]))

    assert customers[1] != customers[2]


@examples(max_examples=3, deadline=None)
@given(SEEDS)
def test_records_that_a_steward_keeps_apart_are_never_one_customer_whatever_else_was_decided(seed):
    records = population(seed)
    pairs = some_pairs(random.Random(seed), len(records), 40)  # noqa: S311 -- invented, the same every time
    apart = {frozenset(pair) for pair in pairs[::2]}
    together = [pair for pair in pairs[1::2] if frozenset(pair) not in apart]

    customers = customers_of(found_among(records, decided=decided(together, pairs[::2])))

    assert not [pair for pair in pairs[::2] if customers[pair[0]] == customers[pair[1]]]


@examples(max_examples=3, deadline=None)
@given(SEEDS)
def test_records_that_a_steward_matched_are_one_customer_where_nothing_forbids_it(seed):
    records = population(seed)
    pairs = some_pairs(random.Random(seed), len(records), 20)  # noqa: S311 -- invented, the same every time

    customers = customers_of(found_among(records, decided=decided(pairs)))

    assert not [pair for pair in pairs if customers[pair[0]] != customers[pair[1]]]


@examples(max_examples=3, deadline=None)
@given(SEEDS)
def test_a_source_that_promises_unique_customers_has_no_customer_twice(seed):
    records = population(seed)
    source_of = random.Random(seed).choices(SOURCES, k=len(records))  # noqa: S311 -- invented, the same every time
    promising = [(place, source) for place, source in enumerate(source_of, 1) if source != "crm"]
    exclusive = pl.DataFrame(promising, schema={"record_id": pl.Int64, "source_system": pl.String}, orient="row")

    found = found_among(records, exclusive=exclusive)

    for group in groups(found):
        sources = [source for place, source in promising if place in group]
        assert len(sources) == len(set(sources))


@examples(max_examples=3, deadline=None)
@given(SEEDS)
def test_a_frozen_model_finds_again_what_was_found_when_it_was_learned(seed):
    records = tagged(seed)
    learned = found_among(records)
    again = found_among(records, known=frozen(learned))

    assert again.edges.equals(learned.edges)
    assert again.clusters.equals(learned.clusters)
    assert (again.model and again.model.version) == (learned.model and learned.model.version)


# Letters that no name of the population has more than one of, and numbers that none begins with: nothing is one edit away.
STRANGE = st.text("qxzv", min_size=6, max_size=9)
STRANGER = st.fixed_dictionaries(
    {"given": STRANGE, "family": STRANGE},
    optional={
        "birth_date": st.dates().map(lambda day: f"18{day.year % 100:02}-{day.month:02}-{day.day:02}"),
        "phones": st.lists(st.from_regex(r"303000[0-9]{4}", fullmatch=True), max_size=3, unique=True),
        "email": STRANGE.map(lambda local: f"{local}@example.net"),
        "street": STRANGE,
        "house_number": st.integers(100, 999).map(str),
        "postal_code": st.integers(99_000, 99_999).map(str),
    },
)


@examples(max_examples=5, deadline=None)
@given(st.lists(STRANGER, min_size=1, max_size=4), st.integers(0, 3))
def test_with_a_frozen_model_unrelated_records_change_no_edge_and_no_customer(strangers, seed):
    check_that_newcomers_change_nothing(seed, strangers, is_unrelated=True)


@examples(max_examples=3, deadline=None)
@given(st.integers(1, 5), st.integers(0, 3))
def test_with_a_frozen_model_records_like_others_change_no_edge_of_the_others(count, seed):
    check_that_newcomers_change_nothing(seed, population(seed + 100)[:count], is_unrelated=False)


IDS = [10 * number for number in range(1, 2 * CUSTOMERS + 1)]


@cache
def matched_before(seed: int) -> tuple[dict[EntityType, Frozen], MatchedType]:
    """Return a frozen model and what it finds among the records that it was learned from."""
    records = tagged(seed)
    known = frozen(found_among(records))
    return known, found_among(records, IDS, known=known)


def check_that_newcomers_change_nothing(seed: int, newcomers: list[Facts], *, is_unrelated: bool) -> None:
    """Match a population without and with newcomers, whose ids come among those of the others."""
    known, before = matched_before(seed)
    later = [10 * number + 5 for number in range(len(newcomers))]
    after = found_among([*tagged(seed), *newcomers], [*IDS, *later], known=known)

    among_old = ~(pl.col("left_id").is_in(later) | pl.col("right_id").is_in(later))
    assert after.edges.filter(among_old).equals(before.edges)
    if is_unrelated:
        assert {group for group in groups(after) if not group <= set(later)} == groups(before)


def test_with_a_frozen_model_a_newcomer_does_not_make_a_rare_field_too_rare_to_look_for_pairs_by():
    both = {"given": "john", "phones": ["2025550143"], "identifiers": ["us.passport:536224567"]}
    records = [{**both, "family": "winterbourne"}, {**both, "family": "featherstone"}, *crowd(997)]
    known = frozen(found_among(records))

    before, after = (found_among(each, known=known) for each in (records, [*records, {"given": "xavier", "family": "quigley"}]))

    assert frozenset((1, 2)) in evidence(before.edges)
    assert evidence(before.edges) == evidence(after.edges)
