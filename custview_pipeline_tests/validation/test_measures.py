"""Rows that could be judged, and rows found wanting, by attribute and dimension."""

import pickle

import polars as pl
import pytest

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.standardised_record import RECORDS
from custview_pipeline.validation.screen import screen
from custview_pipeline.validation.tally import Tally
from custview_pipeline_tests.validation.batches import CANARY, a_contract, raw, standardised

BLANK = ("completeness", "warning")
COLUMNS = (
    SourceColumn("mobile", "phone", max_length=3),
    SourceColumn("landline", "phone"),
    SourceColumn("born", "birth_date"),
    SourceColumn("ssn", "national_id", scheme="us.ssn", is_unique=True),
    SourceColumn("country", "country"),
)
SHOP = a_contract(*COLUMNS)
ROWS = raw(
    mobile=["1", None, "n/a", "1234", " "],
    landline=[None, None, "2", "n/a", ""],
    born=["x", "x", None, "x", "n/a"],
    ssn=["1", "2", None, None, None],
    country=["US", "US", None, "US", "US"],
)
ISSUES = (
    (2, "phone", "placeholder", *BLANK),
    (3, "phone", "placeholder", *BLANK),
    (3, "phone", "not_a_phone_number", "conformity", "warning"),
    (4, "birth_date", "placeholder", *BLANK),
    (0, "birth_date", "future_date", "accuracy", "warning"),
    (1, "birth_date", "not_a_date", "conformity", "warning"),
    (1, "national_id", "not_an_identifier", "conformity", "warning"),
    (0, "phone", "phone_of_another_country", "consistency", "warning"),
)


def tally(kinds=("person",) * 5):
    records = pl.DataFrame({"row": range(len(kinds)), "entity_type": kinds}, schema_overrides={"row": pl.UInt32})
    batch = standardised(*ISSUES)
    whole = pl.concat([RECORDS.to_frame(), records], how="diagonal_relaxed").cast(RECORDS)
    return screen(ROWS, batch._replace(records=whole), SHOP).tally


def measures(found: Tally) -> dict[tuple[str, str], tuple[int, int]]:
    return {key: (count, found.flawed[key]) for key, count in found.measured.items() if key[0] != "source_key"}


def test_every_field_is_judged_in_every_dimension_there_is_a_rule_for():
    assert measures(tally()) == {
        ("phone", "completeness"): (5, 2),  # neither number in rows 1 and 4; a placeholder beside a number is no loss
        ("phone", "conformity"): (3, 1),  # too long and no number: one row
        ("phone", "consistency"): (2, 1),
        ("birth_date", "completeness"): (5, 2),
        ("birth_date", "conformity"): (4, 1),
        ("birth_date", "accuracy"): (4, 1),
        ("national_id", "completeness"): (5, 3),
        ("national_id", "conformity"): (2, 1),
        ("national_id", "accuracy"): (2, 1),
        ("national_id", "uniqueness"): (2, 0),
        ("country", "completeness"): (5, 1),
        ("country", "conformity"): (4, 0),
    }


@pytest.mark.parametrize(("kind", "asked", "lacking"), [("person", 5, 2), ("enterprise", 0, 0)])
def test_an_enterprise_lacks_no_date_of_birth(kind, asked, lacking):
    found = tally((kind,) * 5)
    key = ("birth_date", "completeness")
    assert (found.measured[key], found.flawed[key]) == (asked, lacking)
    assert found.measured["birth_date", "conformity"] == 4, "what it says is judged all the same"


def test_measures_add_up_and_hold_no_value():
    whole = Tally.total([tally(), tally()])
    assert whole.measured["phone", "completeness"] == 10
    assert whole.flawed["phone", "completeness"] == 4
    assert pickle.loads(pickle.dumps(whole)) == whole  # noqa: S301 -- its own
    sealed = pickle.dumps(screen(raw(**{c.name: [CANARY] for c in COLUMNS}), standardised(), SHOP).tally)
    assert CANARY.encode() not in sealed
