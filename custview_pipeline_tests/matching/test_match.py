"""Tests of ``custview_pipeline.matching.match``."""

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS, TOKENS
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.kernel.errors import PairBudgetExceeded
from custview_pipeline.matching.match import EDGES, match
from custview_pipeline_tests.factories import enterprise, features, neighbours_of, person, tokens
from custview_pipeline_tests.matching.people import CUSTOMERS, cluster_of, groups, match_texts, matched, population, settings

JOHN = {
    "given": "john", "family": "winterbourne", "birth_date": "1961-04-17", "phones": ["2025550143"], "house_number": "12",
    "street": "willow", "postal_code": "10007",
}  # fmt: skip


def of(**changes):
    return {**JOHN, **changes}


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
    decided = pl.when("is_forbidden").then(pl.lit("NO_MATCH")).when(pl.col("weight") > 0.5).then(pl.lit("MATCH"))
    assert found.select((decided.otherwise(pl.lit("POSSIBLE_MATCH")) == pl.col("decision")).all()).item()
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
        assert one.rules == other.rules
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
    assert edge(found, 1, 2)["is_forbidden"]
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
        ({"identifiers": ["us.ssn:536224567"]}, {"identifiers": ["us.ssn:536224599"]}),
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
        matched(memory_gib=0.003)


def test_the_tokens_of_the_index_are_all_that_is_read():
    assert not any(dtype in (pl.String, pl.List(pl.String)) for dtype in TOKENS.values())
    assert set(FEATURE_TEXTS) - {"row"} == set(TOKENS) - {"record_id", "version"}
