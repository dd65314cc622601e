"""Names of enterprises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.standardisation.names.enterprise_names import parse_enterprise_name, read_enterprise_name
from custview_pipeline.standardisation.names.kinds_of_house import names_enterprise

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
    ("Acme, P.L.L.C.", "Acme PLLC", "Acme", "PLLC", ("acme",)),
    ("Acme P.C.", "Acme PC", "Acme", "PC", ("acme",)),
    ("Acme Limited Partnership", "Acme LP", "Acme", "LP", ("acme",)),
    ("Acme L.P.", "Acme LP", "Acme", "LP", ("acme",)),
    ("Acme Pte. Ltd.", "Acme Pvt Ltd", "Acme", "Pvt Ltd", ("acme",)),
    ("ACME SDN BHD", "ACME Sdn Bhd", "ACME", "Sdn Bhd", ("acme",)),
    ("Acme AG & Co. KG", "Acme AG & Co KG", "Acme", "AG & Co KG", ("acme",)),
    ("Beispiel GmbH & Co. KGaA", "Beispiel GmbH & Co KGaA", "Beispiel", "GmbH & Co KGaA", ("beispiel",)),
    ("Beispiel OHG", "Beispiel OHG", "Beispiel", "OHG", ("beispiel",)),
    ("Beispiel UG (haftungsbeschränkt)", "Beispiel UG", "Beispiel", "UG", ("beispiel",)),
    ("Beispiel e.V.", "Beispiel eV", "Beispiel", "eV", ("beispiel",)),
    ("Exemple SAS", "Exemple SAS", "Exemple", "SAS", ("exemple",)),
    ("Esempio S.p.A.", "Esempio SpA", "Esempio", "SpA", ("esempio",)),
    ("Esempio S.r.l.", "Esempio SRL", "Esempio", "SRL", ("esempio",)),
    ("Ejemplo S.L.U.", "Ejemplo SLU", "Ejemplo", "SLU", ("ejemplo",)),
    ("Ejemplo S.A. de C.V.", "Ejemplo SA de CV", "Ejemplo", "SA de CV", ("ejemplo",)),
    ("Exemplo Ltda.", "Exemplo Ltda", "Exemplo", "Ltda", ("exemplo",)),
    ("Voorbeeld B.V.", "Voorbeeld BV", "Voorbeeld", "BV", ("voorbeeld",)),
    ("Voorbeeld N.V.", "Voorbeeld NV", "Voorbeeld", "NV", ("voorbeeld",)),
    ("Exempel AB", "Exempel AB", "Exempel", "AB", ("exempel",)),
    ("Eksempel A/S", "Eksempel A/S", "Eksempel", "A/S", ("eksempel",)),
    ("Eksempel ApS", "Eksempel ApS", "Eksempel", "ApS", ("eksempel",)),
    ("Esimerkki Oyj", "Esimerkki Oyj", "Esimerkki", "Oyj", ("esimerkki",)),
    ("Przykład Sp. z o.o.", "Przykład Sp z oo", "Przykład", "Sp z oo", ("przyklad",)),
    ("Příklad s.r.o.", "Příklad sro", "Příklad", "sro", ("priklad",)),
    ("Primjer d.o.o.", "Primjer doo", "Primjer", "doo", ("primjer",)),
    ("Példa Kft.", "Példa Kft", "Példa", "Kft", ("pelda",)),
    ("ООО «Ромашка»", "ООО Ромашка", "Ромашка", "ООО", ("romashka",)),
    ("Ромашка ОАО", "Ромашка ОАО", "Ромашка", "ОАО", ("romashka",)),
    ("АО Заря", "АО Заря", "Заря", "АО", ("zarya",)),
    ("UAB Pavyzdys", "UAB Pavyzdys", "Pavyzdys", "UAB", ("pavyzdys",)),
    ("株式会社春風", "株式会社春風", "春風", "株式会社", ("春風",)),
    ("春風 株式会社", "春風株式会社", "春風", "株式会社", ("春風",)),
    ("(株)春風", "株式会社春風", "春風", "株式会社", ("春風",)),
    ("有限会社ハル", "有限会社ハル", "ハル", "有限会社", ("haru",)),
    ("Haru K.K.", "Haru KK", "Haru", "KK", ("haru",)),
    ("(주)하늘", "주식회사하늘", "하늘", "주식회사", ("haneul",)),
    ("春风集团有限公司", "春风集团有限公司", "春风", "集团有限公司", ("春风",)),
    ("ABC Trading 有限公司", "ABC Trading有限公司", "ABC Trading", "有限公司", ("abc", "trading")),
    ("Acme Inc c/o John Roe", "Acme Inc", "Acme", "Inc", ("acme",)),
    ("c/o c/o Acme Inc c/o Roe", "Acme Inc", "Acme", "Inc", ("acme",)),
    ("c/o Acme Inc", "Acme Inc", "Acme", "Inc", ("acme",)),
    ("Acme LLC d/b/a Joe's Diner", "Acme LLC dba Joe's Diner", "Acme", "LLC", ("acme",)),
    ("John Roe dba Roe Plumbing", "John Roe dba Roe Plumbing", "John Roe", None, ("john", "roe")),
]


@pytest.mark.parametrize(("text", "shown", "name", "form", "compared"), CASES)
def test_the_legal_form_is_told_apart(text, shown, name, form, compared):
    parsed = parse_enterprise_name(text)
    assert (parsed.shown, parsed.name, parsed.legal_form, parsed.words) == (shown, name, form, compared)
    assert parse_enterprise_name(shown) == parsed


def test_what_an_enterprise_trades_as_is_a_part():
    parts = json.loads(read_enterprise_name("Acme LLC d/b/a Joe's Diner")[0][3])
    assert parts == {"legal_form": "LLC", "name": "Acme", "trading_name": "Joe's Diner"}


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


_WORDS = [
    "Acme",
    "ACME",
    "River",
    "Inc.",
    "LLC",
    "&",
    "Co",
    "Ltd",
    "GmbH",
    "S.A.",
    "s.a.s.",
    "A/S",
    "L.",
    "P.",
    "AB",
    "春风",
    "有限公司",
]
_WORDS += [",", "Holdings", "the", "ООО", "株式会社", "(株)", "d/b/a", "c/o", "Limited", "Partnership", "«Заря»", ")", "("]


@given(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6).map(" ".join))
def test_reading_a_name_again_changes_nothing(text):
    shown = parse_enterprise_name(text).shown
    assert read_enterprise_name(shown)[0][0] == shown
