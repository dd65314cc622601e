"""Tests of ``custview_pipeline.matching.match``."""

from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS, TOKENS
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.kernel.errors import PairBudgetExceeded
from custview_pipeline.matching import blocking
from custview_pipeline.matching.found import EDGES
from custview_pipeline.matching.match import clusters_at, match, sample_for_training
from custview_pipeline.matching.setup import Frozen
from custview_pipeline.matching.training import learn
from custview_pipeline_tests.factories import enterprise, features, neighbours_of, person, tokens
from custview_pipeline_tests.matching.people import (
    CUSTOMERS,
    LIMITS,
    cluster_of,
    groups,
    match_texts,
    matched,
    population,
    settings,
)

JOHN = {
    "given": "john", "family": "winterbourne", "birth_date": "1961-04-17", "phones": ["2025550143"], "house_number": "12",
    "street": "willow", "postal_code": "10007",
}  # fmt: skip


def of(**changes):
    return {**JOHN, **changes}


def national(number):
    """Return what a record with this number (scheme:value) has, of which nobody has two."""
    return {"identifiers": [number], "national_ids": [number], "national_id_schemes": [number.split(":")[0]]}


def edge(found, left, right):
    rows = found.edges.filter((pl.col("left_id") == left) & (pl.col("right_id") == right))
    return rows.row(0, named=True) if rows.height else None


@pytest.fixture(scope="module")
def alone():
    """Return the population matched without anyone else."""
    return matched()


def test_records_of_one_customer_end_in_one_cluster(alone):
    pairs = {frozenset((1001 + 2 * number, 1002 + 2 * number)) for number in range(CUSTOMERS)}

    assert groups(alone) == pairs


def test_every_record_is_in_exactly_one_cluster_named_by_its_smallest_record(alone):
    assert alone.clusters["record_id"].to_list() == list(range(1001, 1001 + 2 * CUSTOMERS))
    smallest = alone.clusters.group_by("cluster").agg(pl.col("record_id").min())
    assert (smallest["cluster"] == smallest["record_id"]).all()


def test_edges_hold_evidence_and_its_decision(alone):
    found = alone.edges

    assert found.schema == EDGES
    assert (found["left_id"] < found["right_id"]).all()
    assert not found.select("left_id", "right_id").is_duplicated().any()
    assert (found["weight"] >= -1.0).all()
    assert set(found["rule"]) == {"model"}
    decided = pl.when(pl.col("weight") > 0.5).then(pl.lit("MATCH")).otherwise(pl.lit("POSSIBLE_MATCH"))
    assert found.select((decided == pl.col("decision")).all()).item()
    assert found.select(((pl.col("probability") > 0.5) == (pl.col("weight") > 0)).all()).item()


def test_neither_the_order_of_rows_nor_the_number_of_threads_matters():
    texts = features(
        *(person(**facts) for facts in population()),
        *(enterprise(words=["acme", f"w{n}"], phones=["2025550199"]) for n in range(9)),
    )
    index, near = tokens(texts), neighbours_of(texts)
    shuffled = (frame.sample(fraction=1, shuffle=True, seed=1) for frame in (index, near))

    first = match(index, near, settings(), lambda _what, _count: None)
    second = match(*shuffled, settings(threads=2), lambda _what, _count: None)

    for one, other in zip(first, second, strict=True):
        assert one.edges.equals(other.edges)
        assert one.clusters.equals(other.clusters)
        assert one.yields == other.yields
        assert one.warnings == other.warnings
        assert one.suspicious.equals(other.suspicious)
        assert (one.model and one.model.version) == (other.model and other.model.version)


def test_an_empty_index_gives_nothing():
    found = match(TOKENS.to_frame(), NEIGHBOURHOODS.to_frame(), settings(), lambda _what, _count: None)

    assert [part.entity_type for part in found] == list(EntityType)
    for part in found:
        assert part.model is None
        assert part.clusters.schema == {"record_id": pl.Int64, "cluster": pl.Int64}
        assert part.clusters.is_empty()
        assert part.edges.schema == EDGES


@pytest.mark.parametrize(
    "texts",
    [
        features(person(**JOHN)),
        features({"is_enterprise": False}, {"is_enterprise": False}, {"is_enterprise": False}),
        features(person(given="ada"), person(phones=["2025550100"])),
        features(person(given="ada", family="king"), enterprise(words=["ada", "king"])),
    ],
    ids=["one record", "all attributes empty", "nothing in common to compare", "one person and one enterprise"],
)
def test_what_cannot_be_compared_is_a_customer_each(texts):
    found = match_texts(texts)

    assert {group for part in found for group in groups(part)} == {frozenset([n]) for n in range(1, texts.height + 1)}
    assert sum(part.compared_count for part in found) == 0


def test_two_records_are_enough():
    (found, _) = match_texts(features(person(**JOHN), person(**JOHN)))

    assert found.compared_count == 1
    assert found.clusters.height == 2


def test_enterprises_alone_are_matched_among_themselves():
    first, second = ("acme", "borea", "cyber", "delta", "ember", "fjord"), ("bolts", "cargo", "dairy", "energy", "foods")
    names = [[one, other] for one in first for other in second]
    texts = features(
        *(
            enterprise(
                words=words, phones=[f"202{7919 * number:07}"], postal_code=str(10_000 + number), email=f"info@x{number}.example"
            )
            for number, words in [*enumerate(names), *enumerate(names)]
        )
    )
    persons, enterprises = match_texts(texts)

    assert persons.clusters.is_empty()
    assert groups(enterprises) == {frozenset((number, number + len(names))) for number in range(1, len(names) + 1)}


def test_persons_and_enterprises_are_never_one_customer():
    texts = features(*(make(words=["john"]) if make is enterprise else person(**JOHN) for make in (person, enterprise) * 3))
    persons, enterprises = match_texts(texts)

    assert set(persons.clusters["record_id"]) == {1, 3, 5}
    assert set(enterprises.clusters["record_id"]) == {2, 4, 6}


def test_one_phone_shared_by_everyone_links_nobody(alone):
    found = matched(among=[{**facts, "phones": ["2025550000"]} for facts in population()])

    assert groups(found) == groups(alone)


def test_one_name_for_everyone_stays_bounded():
    records = [{"given": "john", "family": "smith", "postal_code": str(10_000 + number % 100)} for number in range(400)]
    found = matched(among=records)

    assert found.compared_count <= 200_000
    assert found.clusters.height == 400
    assert found.model is not None
    assert all(
        0 <= probability <= 1 for table in (found.model.household, found.model.unrelated) for row in table for probability in row
    )


def test_one_record_copied_many_times_stays_bounded():
    found = matched(among=[JOHN] * 400)

    assert found.compared_count <= 200_000
    assert found.clusters.height == 400


@pytest.mark.parametrize("birth_date", ["1961-04-17", None])
def test_father_and_son_of_one_name_are_two_customers(birth_date):
    known = {} if birth_date is None else {"birth_date": birth_date}
    facts = {key: value for key, value in JOHN.items() if key != "birth_date"} | known
    found = matched({**facts, "name_suffix": "jr"}, {**facts, "name_suffix": "sr"})

    assert cluster_of(found, 1) == {1}
    assert cluster_of(found, 2) == {2}
    assert edge(found, 1, 2)["decision"] == "NO_MATCH"
    assert edge(found, 1, 2)["rule"] == "Jr is not Sr"
    assert edge(found, 1, 2)["weight"] > 0.5, "the evidence alone would have made it a match"


def test_a_third_record_without_suffix_does_not_make_father_and_son_one():
    found = matched(of(name_suffix="jr"), of(name_suffix="sr"), of(), of(email="jw@example.org"))

    assert not {1, 2} <= cluster_of(found, 1)
    assert 3 in cluster_of(found, 1) | cluster_of(found, 2)


def test_the_same_suffix_is_no_obstacle():
    assert cluster_of(matched(of(name_suffix="jr"), of(name_suffix="jr")), 1) == {1, 2}


@pytest.mark.parametrize(
    ("own", "of_the_other"),
    [
        ({"gender": "m"}, {"gender": "f"}),
        ({"email": "jw@example.org"}, {"email": "mw@example.org"}),
        (national("us.ssn:536224567"), national("us.ssn:536224599")),
    ],
    ids=["gender", "mailbox", "identifier"],
)
def test_twins_are_two_customers_where_anything_but_the_given_name_tells_them_apart(own, of_the_other):
    one, other = of(**own), of(given="margaret", **of_the_other)
    found = matched(one, other, one, other)

    assert cluster_of(found, 1) == {1, 3}
    assert cluster_of(found, 2) == {2, 4}


def test_members_of_a_household_are_customers_of_their_own():
    household = {key: JOHN[key] for key in ("family", "phones", "house_number", "street", "postal_code")}
    couple = [
        {**household, "given": "rosalind", "birth_date": "1963-09-02"},
        {**household, "given": "edmund", "birth_date": "1990-12-11"},
    ]
    found = matched(of(), *couple, of(email="jw@example.org"), *({**member, "email": None} for member in couple))

    assert {cluster for cluster in groups(found) if min(cluster) < 1000} == {
        frozenset((1, 4)),
        frozenset((2, 5)),
        frozenset((3, 6)),
    }


SLIPS = {
    "letter of the given name lost": lambda facts: {"given": shortened(facts["given"])},
    "letter of the family name lost": lambda facts: {"family": shortened(facts["family"])},
    "letters swapped": lambda facts: {"family": turned(facts["family"])},
    "letter of the street lost": lambda facts: {"street": shortened(facts["street"])},
    "other day": lambda facts: {"birth_date": facts["birth_date"].replace("-17", "-14")},
    "day and month swapped": lambda facts: {"birth_date": facts["birth_date"].replace("04-17", "17-04")},
    "digits of the phone swapped": lambda facts: {"phones": [phone[:-2] + phone[:-3:-1] for phone in facts["phones"]]},
    "names swapped": lambda facts: {"given": facts["family"], "family": facts["given"]},
    "nickname": lambda facts: {"given": "jack", "given_group": facts["given"]},
    "no birth date": lambda _: {"birth_date": None},
    "no address": lambda _: {"postal_code": None, "house_number": None, "street": None},
    "moved": lambda _: {"postal_code": "10022", "house_number": "81", "street": "sycamore"},
}
SURNAMES = (
    "ashdown", "blakemore", "cotterill", "daventry", "eastwick", "falconer", "gresham", "holloway", "isherwood", "jellicoe",
    "kimberley", "lockwood",
)  # fmt: skip


def shortened(word):
    return word[:2] + word[3:]


def turned(word):
    return word[1::-1] + word[2:]


@pytest.fixture(scope="module")
def parted_by_slips():
    """Return the slips that part a customer; each is made by a customer of its own, and all are matched together."""
    records = []
    for number, (family, slip) in enumerate(zip(SURNAMES, SLIPS.values(), strict=True)):
        own = of(
            family=family,
            birth_date=f"{1930 + 2 * number}-04-17",
            phones=[f"20255{number * number:03}43"],
            house_number=str(number),
        )
        records += [own, {**own, **slip(own)}]
    found = matched(*records)
    clusters = dict(found.clusters.rows())
    return {name for number, name in enumerate(SLIPS) if clusters[2 * number + 1] != clusters[2 * number + 2]}


@pytest.mark.parametrize("slip", SLIPS)
def test_one_slip_does_not_part_a_customer(slip, parted_by_slips):
    assert slip not in parted_by_slips


def test_strangers_who_share_a_name_are_two_customers():
    stranger = of(birth_date="1988-11-30", phones=["2025557777"], house_number="77", street="sycamore", postal_code="10019")

    assert cluster_of(matched(of(), stranger), 1) == {1}


def test_identifiers_that_agree_outweigh_a_move_and_a_marriage():
    number = ["us.ssn:536224567"]
    bride = of(given="rosalind", identifiers=number)
    wife = {"given": "rosalind", "family": "featherstone", "birth_date": JOHN["birth_date"], "identifiers": number}
    strangers = [{**facts, "identifiers": [f"us.ssn:5{n // 2:08}"]} for n, facts in enumerate(population())]

    assert cluster_of(matched(bride, wife, among=strangers), 1) == {1, 2}


@pytest.mark.parametrize(("match_weight", "are_one"), [(0.5, True), (60.0, False)])
def test_the_rulebook_says_how_much_evidence_is_enough(match_weight, are_one):
    found = matched(of(), of(), match_weight=match_weight, review_weight=-1.0)

    assert (cluster_of(found, 1) == {1, 2}) is are_one
    assert edge(found, 1, 2)["decision"] == ("MATCH" if are_one else "POSSIBLE_MATCH")


def test_a_review_weight_below_that_of_components_is_kept():
    found = matched(of(), of(family="blakemore", birth_date="1999-09-09"), among=population()[:40], review_weight=-30.0)

    assert -30.0 <= found.edges["weight"].min() < -4.0


def test_progress_is_told_in_counts():
    heard = []
    texts = features(*(person(**facts) for facts in population()[:20]))
    match(tokens(texts), neighbours_of(texts), settings(), lambda what, count: heard.append((what, count)))

    assert [what for what, _ in heard] == ["person pairs to compare", "groups of linked person records"]
    assert all(isinstance(count, int) and count > 0 for _, count in heard)


def test_want_of_memory_says_what_helps():
    with pytest.raises(PairBudgetExceeded, match="pair_budget"):
        matched(limits=replace(LIMITS, memory_gib=1e-6))


NATIONAL = national("us.ssn:536224567")
MARRIED = {"given": "rosalind", "family": "featherstone", "birth_date": JOHN["birth_date"]}


def decided(*rows):
    return pl.DataFrame(rows, schema={"left_id": pl.Int64, "right_id": pl.Int64, "is_match": pl.Boolean}, orient="row")


def promised(*rows):
    return pl.DataFrame(rows, schema={"record_id": pl.Int64, "source_system": pl.String}, orient="row")


@pytest.mark.parametrize(
    ("facts", "known", "decision", "rule"),
    [
        ([of(), {**MARRIED}], {"decided": decided((1, 2, True))}, "MATCH", "steward decision"),
        ([of(), of()], {"decided": decided((2, 1, False))}, "NO_MATCH", "steward decision"),
        ([of(), of()], {"exclusive": promised((1, "crm"), (2, "crm"))}, "NO_MATCH", "source promises unique customers"),
        ([of(), of()], {"exclusive": promised((1, "crm"), (2, "web"))}, "MATCH", "model"),
        ([of(**NATIONAL), {**MARRIED, **NATIONAL}], {}, "MATCH", "same identifier and birth date"),
([of(**NATIONAL), of(**national("us.ssn:671889012"))], {}, "NO_MATCH", "national ids differ"),
        ([of(name_suffix="jr"), of(name_suffix="sr")], {"decided": decided((1, 2, True))}, "MATCH", "steward decision"),
    ],
    ids=[
        "steward's match", "steward's no match", "promise", "promise of two sources", "must-match", "cannot-match",
        "a steward goes before a rule",
    ],
)  # fmt: skip
def test_what_is_decided_beside_the_model_decides_the_customers_too(facts, known, decision, rule):
    found = matched(*facts, **known)

    assert (edge(found, 1, 2)["decision"], edge(found, 1, 2)["rule"]) == (decision, rule)
    assert (cluster_of(found, 1) == {1, 2}) is (decision == "MATCH")


def test_two_records_of_a_source_that_promises_unique_customers_stay_apart_with_a_third_between_them():
    found = matched(of(), of(email="jw@example.org"), of(), exclusive=promised((1, "crm"), (2, "crm")))

    assert not {1, 2} <= cluster_of(found, 1)
    assert len(cluster_of(found, 3)) == 2


def test_a_customer_with_many_records_is_shown_to_a_steward():
    found = matched(*[of(email=f"jw{number}@example.org") for number in range(26)])

    assert len(cluster_of(found, 1)) == 26
    assert found.suspicious.select("left_id", "right_id", "reason").rows() == [(1, 26, "large_customer")]


def test_a_customer_that_contradicts_itself_is_shown_to_a_steward():
    sure = decided((1, 2, True), (2, 3, True))
    found = matched(
        of(), of(), {"given": "otto", "family": "keating", "birth_date": "1999-09-09", "phones": ["2025557777"]}, decided=sure
    )

    assert cluster_of(found, 1) == {1, 2, 3}
    ((_, right, weight, reason),) = found.suspicious.rows()
    assert (right, reason) == (3, "contradicted_customer")
    assert weight < -10.0


def test_the_comparisons_that_do_not_count_are_not_made():
    types = dict(settings().types)
    types[EntityType.PERSON] = replace(types[EntityType.PERSON], compared=("given_name", "family_name", "name_suffix"))
    found = matched(of(), of(name_suffix="jr"), types=types)

    assert [comparison.name for comparison in found.model.comparisons] == ["given_name", "family_name", "name_suffix"]


@pytest.fixture(scope="module")
def learned():
    """Return an index of persons and enterprises, and what was found in it."""
    firms = (enterprise(words=["acme", f"w{n}"], phones=[f"20255501{n:02}"]) for n in range(9))
    texts = features(*(person(**facts) for facts in population()), *firms)
    frames = tokens(texts), neighbours_of(texts)
    return frames, match(*frames, settings(), lambda _what, _count: None)


def test_with_the_model_of_an_earlier_run_nothing_is_learned_and_the_same_is_found(learned):
    frames, first = learned
    known = {part.entity_type: part.frozen for part in first}
    second = match(*frames, settings(), lambda _what, _count: None, known=known)

    for one, other in zip(first, second, strict=True):
        assert other.frozen is one.frozen
        assert one.edges.equals(other.edges)
        assert one.clusters.equals(other.clusters)


def test_a_model_that_no_longer_serves_is_learned_anew(learned):
    frames, first = learned
    known = {part.entity_type: part.frozen for part in first}
    asked = []

    def is_usable(model, comparisons, count):
        asked.append((model.entity_type, len(comparisons), count))
        return model.entity_type is EntityType.PERSON

    persons, enterprises = match(*frames, settings(), lambda _what, _count: None, known=known, is_usable=is_usable)

    assert persons.frozen is known[EntityType.PERSON]
    assert enterprises.frozen is not known[EntityType.ENTERPRISE]
    assert asked == [(EntityType.PERSON, 14, 2 * CUSTOMERS), (EntityType.ENTERPRISE, 5, 9)]


def test_a_model_without_frequencies_gets_them_from_these_records(learned):
    frames, first = learned
    bare = {part.entity_type: Frozen(part.frozen.model, None) for part in first}
    second = match(*frames, settings(), lambda _what, _count: None, known=bare)

    for one, other in zip(first, second, strict=True):
        assert other.frozen.model is one.frozen.model
        assert other.frozen.frequencies.to_frame().equals(one.frozen.frequencies.to_frame())
        assert one.edges.equals(other.edges)


def test_a_model_is_learned_from_the_sample_as_linking_learns_it(learned):
    frames, (persons, _) = learned
    sample = sample_for_training(*frames, settings(), EntityType.PERSON)
    model = learn(EntityType.PERSON, sample.comparisons, sample.candidates, sample.random_pairs, sample.record_count)

    assert model.version == persons.model.version
    assert sample.labelled is None
    assert sample.candidates.counts.sum() == persons.compared_count
    assert sample.frequencies.to_frame().equals(persons.frozen.frequencies.to_frame())


def test_the_answers_of_stewards_are_in_the_sample(learned):
    frames, _ = learned
    answers = decided((1, 2, True), (3, 90, False), (1, 10_000, True))
    sample = sample_for_training(*frames, settings(), EntityType.PERSON, answers)

    assert sorted(sample.labelled.is_match.tolist()) == [False, True]


def test_there_is_no_sample_where_there_is_nothing_to_compare():
    assert sample_for_training(TOKENS.to_frame(), NEIGHBOURHOODS.to_frame(), settings(), EntityType.PERSON) is None


def test_each_threshold_gives_the_clusters_that_linking_at_it_gives(learned):
    frames, first = learned
    known = {part.entity_type: part.frozen for part in first}
    curve = clusters_at(*frames, settings(), known, [-8.0, 0.5, 12.0, 500.0])

    for threshold, clusters in curve.items():
        linked = match(*frames, settings(match_weight=threshold, review_weight=-8.0), lambda _what, _count: None, known=known)
        assert clusters.equals(pl.concat([part.clusters for part in linked])), threshold
    counts = [clusters["cluster"].n_unique() for clusters in curve.values()]
    assert counts == sorted(counts)
    assert counts[-1] == 2 * CUSTOMERS + 9


def test_identical_records_over_every_cap_are_linked_the_same_in_whatever_order_they_come(monkeypatch):
    monkeypatch.setattr(blocking, "_LARGEST_WEAK_BLOCK", 50)
    texts = features(*[person(**JOHN)] * 200, *(person(**facts) for facts in population()[:20]))
    index, near = tokens(texts), neighbours_of(texts)
    orders = (index, index.sample(fraction=1, shuffle=True, seed=5))
    one, other = (match(rows, near, settings(), lambda _what, _count: None)[0] for rows in orders)

    assert one.edges.equals(other.edges)
    assert one.clusters.equals(other.clusters)
    assert one.edges.filter(pl.col("right_id") <= 200).height == 199, "a chain"
    assert len(cluster_of(one, 1)) == 200


def test_the_tokens_of_the_index_are_all_that_is_read():
    assert not any(dtype in (pl.String, pl.List(pl.String)) for dtype in TOKENS.values())
    assert set(FEATURE_TEXTS) - {"row"} == set(TOKENS) - {"record_id", "version"}
