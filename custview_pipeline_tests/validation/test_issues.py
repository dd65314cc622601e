"""What broken field standards come to: a warning, or a refused row; and which rule they count for."""

import pytest

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.contracts.standardised_record import ISSUES
from custview_pipeline.validation.issues import name_issues
from custview_pipeline.validation.rules import rules_of
from custview_pipeline.validation.screen import screen
from custview_pipeline_tests.validation.batches import a_contract, raw, standardised

INVALID = ("email", "not_an_email_address", "conformity", "warning")
PLACEHOLDER = ("email", "placeholder", "completeness", "warning")
IMPOSSIBLE = ("birth_date", "impossible_date", "accuracy", "warning")
NO_DATE = ("birth_date", "not_a_date", "conformity", "warning")
ABROAD = ("phone", "phone_of_another_country", "consistency", "warning")
WRONG_NUMBER = ("national_id", "wrong_number", "accuracy", "warning")


def shop(*, refusing: str = ""):
    names = ("email", "birth_date", "phone", "country", "national_id", "address_line1", "postal_code", "region", "full_name")
    return a_contract(*(SourceColumn(name, name, refuses_invalid=name == refusing) for name in names))


def screened(contract, *issues, rows=2):
    cells = {column.name: ["x"] * rows for column in contract.columns if column.name != "id"}
    return screen(raw(**cells), standardised(*issues), contract)


@pytest.mark.parametrize(
    ("issue", "name"),
    [
        (INVALID, "conformity__email__conforms"),
        (PLACEHOLDER, None),
        (IMPOSSIBLE, "accuracy__birth_date__plausible"),
        (NO_DATE, "conformity__birth_date__conforms"),
        (ABROAD, "consistency__phone__phone_of_another_country"),
        (WRONG_NUMBER, "conformity__national_id__conforms"),
        (("phone", "no_such_rule", "consistency", "warning"), None),
    ],
)
def test_an_issue_counts_for_the_rule_of_its_attribute(issue, name):
    named = name_issues(screened_issues((0, *issue)), rules_of(shop()))
    assert named.rows() == [(0, *issue, name)]


def screened_issues(*issues):
    return standardised(*issues).issues


def test_issues_keep_their_order_and_an_empty_batch_its_columns():
    issues = screened_issues((3, *INVALID), (1, *ABROAD), (3, *NO_DATE))
    assert name_issues(issues, rules_of(shop())).select(ISSUES.names()).rows() == issues.rows()
    assert name_issues(screened_issues(), rules_of(shop())).columns == [*ISSUES.names(), "name"]


@pytest.mark.parametrize(
    ("issue", "refusing", "is_refused"),
    [
        (INVALID, "", False),
        (INVALID, "email", True),
        (INVALID, "phone", False),
        (PLACEHOLDER, "email", False),
        (IMPOSSIBLE, "birth_date", True),
        (NO_DATE, "birth_date", True),
        (ABROAD, "phone", False),
        (("address_line1", "not_a_postal_code", "conformity", "warning"), "postal_code", True),
    ],
)
def test_a_row_with_an_invalid_value_is_refused_where_the_contract_says_so(issue, refusing, is_refused):
    outcome = screened(shop(refusing=refusing), (1, *issue))
    assert outcome.is_accepted.to_list() == [True, not is_refused]
    assert outcome.reasons.rows() == ([(1, *issue[:3], "error")] if is_refused else [])
    assert (outcome.tally.refused, outcome.tally.warned) == ((1, 0) if is_refused else (0, int(issue is not PLACEHOLDER)))


def test_the_rule_that_refuses_has_the_severity_of_an_error():
    rules = {rule.name: rule.severity for rule in rules_of(shop(refusing="birth_date"))}
    assert rules["conformity__birth_date__conforms"] == rules["accuracy__birth_date__plausible"] == "error"
    assert rules["conformity__email__conforms"] == rules["consistency__phone__phone_of_another_country"] == "warning"


def test_rows_accepted_with_a_warning_are_counted_once_and_refused_ones_not():
    contract = shop(refusing="email")
    issues = [(0, *NO_DATE), (0, *ABROAD), (1, *INVALID), (1, *ABROAD), (2, *PLACEHOLDER), (3, *IMPOSSIBLE)]
    tally = screened(contract, *issues, rows=5).tally
    assert (tally.rows, tally.refused, tally.warned) == (5, 1, 2)


def test_neither_placeholders_nor_contradictions_are_broken_standards():
    tally = screened(shop(), (0, *INVALID), (1, *PLACEHOLDER), (2, *ABROAD), (3, *IMPOSSIBLE), (3, *NO_DATE), rows=4).tally
    assert dict(tally.failed) == {
        "conformity__email__conforms": 1,
        "consistency__phone__phone_of_another_country": 1,
        "accuracy__birth_date__plausible": 1,
        "conformity__birth_date__conforms": 1,
    }


def test_a_rule_between_fields_is_asked_of_rows_that_fill_them():
    contract = a_contract(SourceColumn("p", "phone"), SourceColumn("q", "phone"), SourceColumn("c", "country"))
    batch = raw(p=["1", "1", None, None], q=[None, "2", " ", "2"], c=["US", None, "US", "US"])
    tally = screen(batch, standardised(), contract).tally
    assert tally.judged["consistency__phone__phone_of_another_country"] == 2
