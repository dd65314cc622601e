"""Identifiers by scheme; the numbers are made up or published examples."""

import re
from datetime import date, timedelta
from functools import partial
from importlib import import_module

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.util import get_number_modules

from custview_pipeline.contracts.source_contract import SourceColumn
from custview_pipeline.standardisation.codes.identifiers import (
    NATIONAL_SCHEMES,
    PATTERN_SCHEMES,
    is_checked_scheme,
    read_identifier,
    scheme_of,
)
from custview_pipeline.standardisation.codes.plain_identifiers import plain_identifiers
from custview_pipeline.standardisation.codes.resident_ids import last_years
from custview_pipeline.standardisation.reading import read_distinct

MODULES = sorted(module.__name__.removeprefix("stdnum.") for module in get_number_modules() if "iso7064" not in module.__name__)
SCHEMES = [re.sub("^(in|is)_", r"\1", module) for module in MODULES if module != "jp.in_"]

VALID = [
    ("us.ssn", "536-90-4399", "536-90-4399", "536904399"),
    ("us.ssn", "536904399", "536-90-4399", "536904399"),
    ("us.ein", "91-1144442", "91-1144442", "911144442"),
    ("cn.ric", "11010519491231002x", "11010519491231002X", "11010519491231002X"),
    ("cn.uscc", "9111 0000 6000 3734 1L", "91110000600037341L", "91110000600037341L"),
    ("lei", "213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15"),
    ("au.abn", "83 914 571 673", "83 914 571 673", "83914571673"),
    ("de.vat", "DE136695976", "136695976", "136695976"),
    ("passport", "ab 12345", "AB12345", "AB12345"),
    ("us.passport", "A12345678", "A12345678", "A12345678"),
    ("gb.passport", "925076473", "925076473", "925076473"),
    ("cn.passport", "EA1234567", "EA1234567", "EA1234567"),
    ("in.passport", "J8369854", "J8369854", "J8369854"),
    ("gb.drivers_license", "MORGA 753116 SM9IJ", "MORGA753116SM9IJ", "MORGA753116SM9IJ"),
    ("fi.hetu", "131052-308T", "131052-308T", "131052308T"),
    ("in.pan", "ACUPA7085R", "ACUPA7085R", "ACUPA7085R"),
    ("fr.siret", "73282932000074", "732 829 320 00074", "73282932000074"),
    ("eu.vat", "DE 136,695 976", "DE136695976", "DE136695976"),
    ("cn.ric", "810000199201300029", "810000199201300029", "810000199201300029"),
    ("drivers_license", "S-123.456", "S123456", "S123456"),
    ("soc_sec_id", "7755123", "7755123", "7755123"),
    ("soc_sec_id", "军字第7755123号", "军字第7755123号", "军字第7755123号"),
    ("cn.ric", "130503670401001", "130503196704010016", "130503196704010016"),  # of the first generation
    ("us.ssn", "SSN 536-90-4399", "536-90-4399", "536904399"),
    ("us.ssn", "536904399.0", "536-90-4399", "536904399"),
    ("soc_sec_id", "7755123.0", "7755123", "7755123"),
    ("us.ein", "EIN: 91-1144442", "91-1144442", "911144442"),
    ("de.vat", "VAT No: DE136695976", "136695976", "136695976"),
]


@pytest.mark.parametrize(("scheme", "text", "shown", "number"), VALID)
def test_an_identifier_is_shown_in_its_form_and_compared_bare(scheme, text, shown, number):
    (reading,) = read_identifier(text, scheme)
    assert (reading.value, reading.comparable, reading.feature, reading.rule) == (
        shown,
        f"{scheme}:{number}",
        f"{scheme}\x1f{number}",
        None,
    )
    assert reading.parts == f'{{"number": "{number}", "scheme": "{scheme}"}}'


def test_the_last_letter_of_a_national_insurance_number_is_shown_and_not_compared():
    with_letter, without = (read_identifier(text, "gb.nino")[0] for text in ("ab 12 34 56 c", "AB123456"))
    assert (with_letter.value, with_letter.comparable) == ("AB123456C", "gb.nino:AB123456C")
    assert with_letter.feature == without.feature == "gb.nino\x1fAB123456"


def test_every_scheme_of_which_nobody_has_two_numbers_is_checked():
    assert {scheme for scheme in NATIONAL_SCHEMES if not is_checked_scheme(scheme)} == set()


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("us.ssn", "666-12-3456"),
        ("us.ssn", "53690439"),
        ("us.ssn", "SSN 666-12-3456"),
        ("us.ssn", "53690439.0"),
        ("cn.ric", "130503671301001"),
        ("us.ein", "07-1144442"),
        ("cn.ric", "110105194912310021"),
        ("cn.ric", "999999194912310021"),
        ("cn.uscc", "91110000600037341A"),
        ("lei", "213800KUD8LAJWSQ9D16"),
        ("gb.nino", "QQ123456C"),
        ("au.abn", "99 999 999 991"),
        ("cn.ric", "110105194902310025"),
        ("cn.ric", "110105000012310025"),
        ("passport", "PASSPORT"),
        ("passport", "A123456789"),
        ("us.passport", "AB1234567"),
        ("drivers_license", "LICENSE"),
    ],
)
def test_what_the_scheme_refuses_is_kept_and_is_no_evidence(scheme, text):
    (reading,) = read_identifier(text, scheme)
    assert (reading.value, reading.feature, reading.rule) == (text, None, "not_an_identifier")


@pytest.mark.parametrize(
    "text",
    [
        "000-00-0000",
        "111111111",
        "123-45-6789",
        "***-**-1234",
        "XXX-XX-1234",
        "999999999",
        "-",
        "078-05-1120",
        "219-09-9999",
        "457-55-5462",
        "987654321",
    ],
)
def test_a_placeholder_gives_no_value(text):
    (reading,) = read_identifier(text, "us.ssn")
    assert (reading.value, reading.rule) == (None, "placeholder")


@pytest.mark.parametrize(("scheme", "module"), list(zip(SCHEMES, (name for name in MODULES if name != "jp.in_"), strict=True)))
def test_every_scheme_of_stdnum_is_known_by_its_name_and_accepts_its_own_example(scheme, module):
    examples = re.findall(r">>> validate\('([^'\\]+)'\)\n'", import_module(f"stdnum.{module}").__doc__)
    rules = {read_identifier(example, scheme)[0].rule for example in examples}

    assert is_checked_scheme(scheme)
    assert rules <= {None, "placeholder"}


@pytest.mark.parametrize("scheme", [*SCHEMES, *PATTERN_SCHEMES, "house_number_of_ours"])
def test_no_scheme_breaks_on_nonsense(scheme):
    for text in (
        "1",
        "ABC",
        "12345678901234567890123",
        "A1B2C3D4E",
        "无效证件号",
        "99-99-99",
        "2026",
        "\u00b2\u00b3",
        "\u0661\u0662\u0663\u0664\u0665",
    ):
        (reading,) = read_identifier(text, scheme)
        assert reading.value is None or read_identifier(reading.value, scheme) == (reading,)


@pytest.mark.parametrize(
    "scheme", ["util", "numdb", "exceptions", "us.nothing", "us.__doc__", "os", "", "US.SSN", "loyalty_card", "../x"]
)
def test_a_scheme_that_nobody_publishes_is_not_checked(scheme):
    assert not is_checked_scheme(scheme)
    assert read_identifier("ab-1234", scheme)[0][:4] == ("AB1234", f"{scheme}:AB1234", f"{scheme}\x1fAB1234", None)


@pytest.mark.parametrize(
    ("column", "scheme"),
    [
        (SourceColumn("x", "tax_id", scheme="us.ein"), "us.ein"),
        (SourceColumn("x", "tax_id", scheme="vat", issuer="DE"), "de.vat"),
        (SourceColumn("x", "national_id", scheme="passport", issuer="US"), "us.passport"),
        (SourceColumn("x", "national_id", scheme="passport", issuer="FR"), "passport"),
        (SourceColumn("x", "national_id", scheme="us.ssn", issuer="SSA"), "us.ssn"),
        (SourceColumn("x", "lei"), "lei"),
        (SourceColumn("x", "lei", scheme="gleif", issuer="US"), "lei"),
    ],
)
def test_the_issuer_makes_a_scheme_national_where_that_is_known(column, scheme):
    assert scheme_of(column) == scheme


def resident_id(county, born, order):
    number = f"{county}{born}{order:03}"
    return number + ric.calc_check_digit(number + "0")


@pytest.mark.parametrize(
    ("county", "born", "is_valid"),
    [
        ("110105", "19850312", True),
        ("110112", "19850312", True),  # Tongzhou became a district in 1997: people move, and get their number later
        ("110103", "19850312", True),  # Chongwen, until 2010
        ("110103", "20150312", False),
        ("440399", "19850312", False),  # no such county
        ("990101", "19850312", False),  # no such province
        ("830000", "19850312", True),  # residence permit for people from Taiwan
        ("110105", "19850230", False),
        ("110105", "00000312", False),
    ],
)
def test_a_resident_id_has_a_date_and_a_county_that_was_there_at_birth_or_later(county, born, is_valid):
    (reading,) = read_identifier(resident_id(county, born, 7), "cn.ric")

    assert reading.rule == (None if is_valid else "not_an_identifier")


def test_what_stdnum_accepts_as_resident_id_is_one():
    for county in sorted(last_years())[::40]:
        number = resident_id(county, "19990415", 12)
        try:
            accepted = ric.is_valid(number)
        except KeyError:
            continue  # stdnum on a county that its table lacks
        assert not accepted or read_identifier(number, "cn.ric")[0].rule is None


DAYS = st.dates(date(1900, 1, 1), date(2030, 1, 1)).map(lambda day: f"{day:%Y%m%d}")
DIGITS = st.text("0123456789", min_size=9, max_size=9)
COUNTIES = st.sampled_from([*sorted(last_years()), "990101"])
BORN = st.one_of(DAYS, st.text("0123456789", min_size=8, max_size=8))
GENERATED = {
    "us.ssn": st.one_of(DIGITS, DIGITS.map(lambda digits: f"{digits[:3]}-{digits[3:5]}-{digits[5:]}")),
    "us.ein": st.one_of(DIGITS, DIGITS.map(lambda digits: f"{digits[:2]}-{digits[2:]}")),
    "cn.ric": st.builds(resident_id, COUNTIES, BORN, st.integers(0, 999)).flatmap(
        lambda number: st.sampled_from([number, number.lower(), number[:17] + "3"])
    ),
}
PLACEHOLDERS = [digit * length for digit in "0159" for length in (9, 18)] + [
    "123-45-6789",
    "078-05-1120",
    "457-55-5462",
    "219-09-9999",
]
ODD = [
    "12-34-5678",
    "123 45 6789",
    " 123456780",
    "\u0661" * 9,
    "\uff11" * 9,
    "1234567890123456Xx",
    "666-12-3456",
    "900-12-3456",
    "000-12-3456",
]


def read_both_ways(scheme, texts):
    cells = pl.DataFrame({"row": range(len(texts)), "cell": texts}, schema={"row": pl.UInt32, "cell": pl.String})
    read = partial(read_identifier, scheme=scheme)
    return read_distinct(cells, ["cell"], read), read_distinct(cells, ["cell"], read, quick=plain_identifiers(scheme))


@pytest.mark.parametrize("scheme", GENERATED)
def test_plain_numbers_read_many_at_once_come_to_what_they_come_to_one_by_one(scheme):
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.one_of(GENERATED[scheme], GENERATED[scheme], st.sampled_from([*PLACEHOLDERS, *ODD]), st.text(max_size=12)),
            max_size=40,
        )
    )
    def law(texts):
        one_by_one, at_once = read_both_ways(scheme, texts)
        assert one_by_one.equals(at_once)

    law()


@pytest.mark.parametrize("scheme", GENERATED)
def test_every_prefix_of_a_plain_number_is_judged_alike_both_ways(scheme):
    counties = [
        resident_id(county, year + "0701", 1) for county in sorted(last_years())[::7] for year in ("1949", "1984", "2021")
    ]
    texts = counties if scheme == "cn.ric" else [f"{prefix:03}{'121234' if prefix % 2 else '003210'}" for prefix in range(1000)]
    one_by_one, at_once = read_both_ways(scheme, texts)

    assert one_by_one.equals(at_once)
    assert at_once["rule"].n_unique() > 1


def test_most_plain_numbers_are_read_at_once():
    born = [date(1950, 1, 1) + timedelta(days=97 * step) for step in range(200)]
    cells = {"us.ssn": "536904399", "us.ein": "91-1144442", "cn.ric": resident_id("110105", "19850312", 7)}
    for scheme, text in cells.items():
        assert plain_identifiers(scheme)(pl.DataFrame({"code": [0], "cell": [text]})).height == 1
    assert plain_identifiers("lei") is None
    numbers = [resident_id("310104", f"{day:%Y%m%d}", 18) for day in born]
    assert plain_identifiers("cn.ric")(pl.DataFrame({"code": range(200), "cell": numbers}))["rule"].null_count() == len(born)
