"""Inputs that would break a matcher: blocks of everybody, records without anything, lists without end."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS, TOKENS
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.match_state import settings_of
from custview_pipeline.matching.found import MatchedType
from custview_pipeline.matching.match import match
from custview_pipeline.matching.records import LONGEST_LIST

SETTINGS = replace(settings_of(Rulebook()), threads=1)
GIB = 2**30
PAIR = 2  # records of each customer, where a case has customers


def tokens_of(seed: int, count: int) -> np.ndarray:
    """Return tokens, no two alike, the same every time."""
    return np.random.default_rng(seed).permutation(count).astype(np.int64) * 7_919 + seed * 1_000_000_007 + 1


def of_customers(seed: int, count: int) -> np.ndarray:
    """Return a token that the records of one customer share: the first and the second half of the records are the same people."""
    return np.resize(tokens_of(seed, -(-count // PAIR)), count)


def drawn(seed: int, count: int, kinds: int) -> np.ndarray:
    """Return tokens of few kinds, the same for both records of a customer."""
    return of_customers(seed, count) % kinds + 1 + seed * 1_000


def lists(values: np.ndarray, width: int = 1) -> pl.Series:
    """Return lists of so many values each."""
    return pl.Series(values.reshape(-1, width)).arr.to_list() if values.size else pl.Series([], dtype=pl.List(pl.Int64))


def index(count: int, **columns: Any) -> pl.DataFrame:
    """Return a match index of persons; what is not given is empty."""
    frame = pl.DataFrame({"record_id": pl.Series(np.arange(1, count + 1), dtype=pl.Int64)})
    empty = {
        name: pl.lit(value=False) if FEATURES[name].token_field is None else pl.lit([] if FEATURES[name].is_list else None, dtype)
        for name, dtype in TOKENS.items()
        if name in FEATURES
    }
    given = {name: pl.Series(values) for name, values in columns.items()}
    filled = frame.with_columns(version=pl.lit(1, pl.Int32), **{**empty, **given})
    return filled.select(pl.col(name).cast(dtype) for name, dtype in TOKENS.items())


def people(count: int, **changes: Any) -> pl.DataFrame:
    """Return two records of each of some customers; ``changes`` are the same for everybody or given by record."""
    family, given = drawn(1, count, 5_000), drawn(2, count, 400)
    columns = {
        "given": given, "given_group": given, "given_initial": given % 23 + 1, "given_sound": given, "given_prefix": given,
        "family": family, "family_sound": family, "family_prefix": family % 900,
        "birth_date": drawn(3, count, 20_000), "birth_year": drawn(3, count, 20_000) % 80 + 1,
        "email": of_customers(4, count), "email_local": of_customers(4, count),
        "phones": lists(of_customers(5, count)), "phone_tails": lists(of_customers(5, count)),
        "house_number": drawn(6, count, 200), "street": drawn(7, count, 3_000),
        "postal_code": drawn(8, count, 9_000), "postal_area": drawn(8, count, 9_000) % 500 + 1,
        "city": drawn(8, count, 9_000) % 700 + 1,
    }  # fmt: skip
    return index(count, **{**columns, **changes})


def same(count: int, *names: str) -> dict[str, Any]:
    """Return one value for everybody in each of some features."""
    one = np.full(count, 42, np.int64)
    return {name: lists(one) if FEATURES[name].is_list else one for name in names}


@dataclass(frozen=True)
class Case:
    """An input and what is to come of it.

    Attributes:
        make: Makes the match index of so many records.
        count: Records of the hard size, tried with the guards.
        easy_count: Records of a size for every day.
        says: A piece of a warning.
        share_in_pairs: Least share of the records that end with just the other record of their customer.
        cpu_seconds, gib: What the hard size may take.
    """

    make: Callable[[int], pl.DataFrame]
    count: int
    says: str | None = None
    share_in_pairs: float = 0.0
    easy_count: int = 1_100
    cpu_seconds: float = 20.0
    gib: float = 1.0


NAMES = ("given", "given_group", "given_initial", "given_sound", "given_prefix", "family", "family_sound", "family_prefix")
ADDRESS = ("house_number", "street", "postal_code", "postal_area", "city")


def with_many_phones(count):
    """Hundreds of phones in each record, no two alike."""
    numbers = tokens_of(9, count * 300)
    return people(count, phones=lists(numbers, 300), phone_tails=lists(numbers, 300))


def with_many_phones_in_one_record(count):
    """Five hundred phones in the first record, of which the other record of its customer has one."""
    numbers = of_customers(5, count).reshape(-1, 1).tolist()
    numbers[0] += tokens_of(9, 500).tolist()
    return people(count, phones=pl.Series(numbers), phone_tails=pl.Series(numbers))


def with_one_switchboard(count):
    """Hundreds of phones, the same in every record."""
    numbers = np.tile(tokens_of(9, 300), count)
    return people(count, phones=lists(numbers, 300), phone_tails=lists(numbers, 300))


def identical(count):
    """One value for everybody in every feature."""
    return index(count, **same(count, *(name for name, feature in FEATURES.items() if feature.token_field is not None)))


def of_two_kinds(count):
    """Every value of every feature is shared by half of all records."""
    values = {
        name: lists(drawn(place, count, 2)) if feature.is_list else drawn(place, count, 2)
        for place, (name, feature) in enumerate(FEATURES.items(), 1)
        if feature.token_field is not None
    }
    return index(count, **values)


def in_a_chain(count):
    """Every record shares its e-mail address with the one before and its phone and name with the one behind."""
    numbers = np.arange(count)
    email, other = numbers // 2 + 1, (numbers + 1) // 2 + 1
    names = dict.fromkeys(("given", "given_group", "given_sound", "given_prefix", "family", "family_sound"), other)
    return index(
        count, email=email, email_local=email, phones=lists(other), phone_tails=lists(other), given_initial=other, **names
    )


CASES = {
    "all phones are equal": Case(lambda n: people(n, **same(n, "phones", "phone_tails")), 100_000, "phones", 0.95),
    "one name for everybody": Case(lambda n: people(n, **same(n, *NAMES)), 100_000, "family", 0.9),
    "one e-mail address": Case(lambda n: people(n, **same(n, "email", "email_local")), 100_000, "email", 0.95),
    "one birth date": Case(lambda n: people(n, **same(n, "birth_date", "birth_year")), 100_000, "birth_date", 0.95),
    "one address": Case(lambda n: people(n, **same(n, *ADDRESS)), 200_000, "house_number", 0.95, cpu_seconds=40.0),
    "empty attributes everywhere": Case(index, 200_000, "anything to compare"),
    "every value is shared by half": Case(of_two_kinds, 50_000, "too common", easy_count=2_100),
    "all records are identical": Case(identical, 20_000, "too common"),
    "hundreds of phones in one record": Case(
        with_many_phones_in_one_record, 20_000, f"1 have more than {LONGEST_LIST} phones", 0.95
    ),
    "hundreds of phones in every record": Case(with_many_phones, 200, f"more than {LONGEST_LIST} phones", easy_count=60),
    "hundreds of phones, the same in every record": Case(
        with_one_switchboard, 3_000, f"more than {LONGEST_LIST} phones", easy_count=60
    ),
    "a chain of records": Case(in_a_chain, 20_000),
}


def matched(frame: pl.DataFrame) -> MatchedType:
    return match(frame, NEIGHBOURHOODS.to_frame(), SETTINGS, lambda _what, _count: None)[0]


def assert_as_expected(case: Case, frame: pl.DataFrame, found: MatchedType) -> None:
    assert found.clusters["record_id"].to_list() == frame["record_id"].to_list()
    if case.says is not None:
        assert any(case.says in warning for warning in found.warnings), found.warnings
    assert all(warning.startswith("person records: ") for warning in found.warnings)
    sizes = found.clusters.group_by("cluster").len()["len"]
    assert sizes.max() <= SETTINGS.types[found.entity_type].largest_component
    half = frame.height // PAIR
    pairs = found.clusters.group_by("cluster").agg("record_id").filter(pl.col("record_id").list.len() == PAIR)
    right = pairs.filter(pl.col("record_id").list.max() - pl.col("record_id").list.min() == half)
    assert PAIR * right.height >= case.share_in_pairs * frame.height


@pytest.mark.parametrize("name", CASES)
def test_a_hard_input_is_matched_as_far_as_it_can_be_and_said_so(name):
    case = CASES[name]
    frame = case.make(case.easy_count)
    assert_as_expected(case, frame, matched(frame))


@pytest.mark.parametrize("count", [0, 1])
def test_one_record_and_none_are_no_input_to_warn_of(count):
    found = matched(people(count))
    assert found.clusters.rows() == [(1, 1)][:count]
    assert (found.edges.height, found.warnings) == (0, ())


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_hard_input_of_full_size_takes_bounded_time_and_memory(name):
    case = CASES[name]
    frame = case.make(case.count)
    began = time.process_time()
    found = matched(frame)
    took = time.process_time() - began
    tracemalloc.start()
    matched(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert_as_expected(case, frame, found)
    assert took < case.cpu_seconds
    assert peak < case.gib * GIB
