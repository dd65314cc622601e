"""Names of enterprises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.standardisation.enterprise_names import names_enterprise, parse_enterprise_name, read_enterprise_name

CASES = [
    ("Acme Holdings, Inc.", "Acme Holdings Inc", "Acme Holdings", "Inc", ("acme", "holdings")),
    ("ACME CO., LTD.", "ACME Co Ltd", "ACME", "Co Ltd", ("acme",)),
    ("Acme L.L.C.", "Acme LLC", "Acme", "LLC", ("acme",)),
    ("Acme Incorporated", "Acme Inc", "Acme", "Inc", ("acme",)),
    ("The Acme Company", "The Acme Co", "The Acme", "Co", ("acme",)),
    ("Acme Corporation", "Acme Corp", "Acme", "Corp", ("acme",)),
    ("Smith & Sons Limited", "Smith & Sons Ltd", "Smith & Sons", "Ltd", ("smith", "sons")),
    ("Harvest plc", "Harvest PLC", "Harvest", "PLC", ("harvest",)),
    ("Harvest LLP", "Harvest LLP", "Harvest", "LLP", ("harvest",)),
    ("Wattle Foods Pty. Ltd.", "Wattle Foods Pty Ltd", "Wattle Foods", "Pty Ltd", ("wattle", "foods")),
    ("Müller & Söhne GmbH & Co. KG", "Müller & Söhne GmbH & Co KG", "Müller & Söhne", "GmbH & Co KG", ("muller", "sohne")),
    ("Beispiel AG", "Beispiel AG", "Beispiel", "AG", ("beispiel",)),
    ("Exemple S.A.R.L.", "Exemple SARL", "Exemple", "SARL", ("exemple",)),
    ("Société Exemple S.A.", "Société Exemple SA", "Société Exemple", "SA", ("societe", "exemple")),
    ("北京春风技术有限公司", "北京春风技术有限公司", "北京春风技术", "有限公司", ("北京春风技术",)),
    ("春风控股股份有限公司", "春风控股股份有限公司", "春风控股", "股份有限公司", ("春风控股",)),
    ("春风(中国)有限责任公司", "春风(中国)有限责任公司", "春风(中国)", "有限责任公司", ("春风",)),
    ("Riverside School", "Riverside School", "Riverside School", None, ("riverside", "school")),
    ("YOUTH CENTER AS", "YOUTH CENTER AS", "YOUTH CENTER AS", None, ("youth", "center", "as")),
]


@pytest.mark.parametrize(("text", "shown", "name", "form", "compared"), CASES)
def test_the_legal_form_is_told_apart(text, shown, name, form, compared):
    parsed = parse_enterprise_name(text)
    assert (parsed.shown, parsed.name, parsed.legal_form, parsed.words) == (shown, name, form, compared)
    assert parse_enterprise_name(shown).shown == shown


def test_a_name_that_is_a_legal_form_only_is_no_evidence():
    assert read_enterprise_name("Inc.")[0][5] is None


@pytest.mark.parametrize(
    "text",
    ["Smith & Sons Ltd", "ACME INC", "春风大学", "St Mary's Hospital", "Bank of Nowhere", "春风餐饮有限公司", "Riverside Church"],
)
def test_a_field_that_may_hold_either_holds_an_enterprise(text):
    assert names_enterprise(text)


@pytest.mark.parametrize("text", ["John Smith", "Ann Banks", "王小明", "De Haas", "Mary Incledon", "欧阳娜娜"])
def test_a_field_that_may_hold_either_holds_a_person(text):
    assert not names_enterprise(text)


@given(
    st.lists(
        st.sampled_from(
            ["Acme", "River", "Inc.", "LLC", "&", "Co", "Ltd", "GmbH", "S.A.", "春风", "有限公司", ",", "Holdings", "the"]
        ),
        min_size=1,
        max_size=6,
    ).map(" ".join)
)
def test_reading_a_name_again_changes_nothing(text):
    shown = parse_enterprise_name(text).shown
    assert parse_enterprise_name(shown).shown == shown
