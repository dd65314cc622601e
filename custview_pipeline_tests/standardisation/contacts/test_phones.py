"""Telephone numbers of all numbering plans, with the answers of phonenumbers."""

import json
from itertools import product

import phonenumbers
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers.phonemetadata import PhoneMetadata

from custview_pipeline.standardisation.contacts.phones import read_phones
from custview_pipeline.standardisation.contacts.plain_phones import read_plain_phones
from custview_pipeline.standardisation.reading import READING

VALID = [
    ("(212) 555-0123", "US", "+12125550123"),
    ("1-212-736-5000", "US", "+12127365000"),
    ("212.736.5000", "US", "+12127365000"),
    ("+1 212 736 5000", "CN", "+12127365000"),
    ("2127365000x5", "US", "+12127365000"),
    ("212-736-5000 ext. 12", "US", "+12127365000"),
    ("home: 212-736-5000", "US", "+12127365000"),
    ("020 7946 0958", "GB", "+442079460958"),
    ("+44 20 7946 0958", "US", "+442079460958"),
    ("01632 960001", "GB", None),
    ("0412 345 678", "AU", "+61412345678"),
    ("(02) 9374 4000", "AU", "+61293744000"),
    ("13812345678", "CN", "+8613812345678"),
    ("+86 138 1234 5678", "US", "+8613812345678"),
    ("138-1234-5678 转 12", "CN", "+8613812345678"),
    ("010-65551234", "CN", "+861065551234"),
    ("0086 10 6555 1234", "CN", "+861065551234"),
    ("030 901820", "DE", "+4930901820"),
    ("030/901820", "DE", "+4930901820"),
    ("1-800-FLOWERS", "US", "+18003569377"),
    ("1-800-GOFEDEX", "US", "+18004633339"),
    ("011 44 20 7946 0958", "US", "+442079460958"),
    ("011 44 20 7946 0958", "CN", "+442079460958"),
    ("00 44 20 7946 0958", "US", "+442079460958"),
    ("0044 (0)20 7946 0958", "CN", "+442079460958"),
    ("\uff11\uff13\uff18 1234 5678", "CN", "+8613812345678"),
    ("+39 06 698 12345", "US", "+390669812345"),
    ("(0118) 496 0123", "GB", "+441184960123"),
    ("11 96123-4567", "BR", "+5511961234567"),
    ("0 11 15-2345-6789", "AR", "+5491123456789"),
    ("+00 44 20 7946 0958", "CN", "+442079460958"),
    ("+1 (0) 212 736 5000", "DE", "+12127365000"),
    ("2127365000.0", "US", "+12127365000"),
    ("1.3812345678E10", "CN", "+8613812345678"),
    ("212736500.0", "US", None),  # a digit short
    ("212-XXX-5000", "US", None),
    ("+86 138****5678", "CN", None),
    ("0800 FLOWERS", "GB", "+448003569377"),
    ("+44 20 7946 0958 int 77", "US", "+442079460958"),
    ("138 1234 5678 (张三)", "CN", "+8613812345678"),
    ("040 123456 privat", "DE", "+4940123456"),
    ("212-736-5000 after 6pm", "US", None),
    ("&", "US", None),
]
PARTS = [
    ("212-736-5000", "US", "fixed_line_or_mobile", None),
    ("800-555-0123", "US", "toll_free", None),
    ("900-555-0123", "US", "premium_rate", None),
    ("13812345678", "CN", "mobile", None),
    ("010-65551234", "CN", "fixed_line", None),
    ("07911 123456", "GB", "mobile", None),
    ("020 7946 0958", "GB", "fixed_line", None),
    ("056 1234 5678", "GB", "voip", None),
    ("070 1234 5678", "GB", "personal_number", None),
    ("212-736-5000 ext. 12", "US", "fixed_line_or_mobile", "12"),
    ("2127365000x5", "US", "fixed_line_or_mobile", "5"),
    ("212-736-5000, extension 1234567", "US", "fixed_line_or_mobile", "1234567"),
    ("212-736-5000 int 77", "US", "fixed_line_or_mobile", "77"),
    ("138-1234-5678 转 12", "CN", "mobile", "12"),
    ("+1 212 736 5000;ext=9", "CN", "fixed_line_or_mobile", "9"),
    ("010-6555 1234-801", "CN", "fixed_line", "801"),
    ("400-820-8820-12", "CN", "shared_cost", "12"),
    ("040 123456 App. 22", "DE", "fixed_line", "22"),
    ("01 42 68 53 00 poste 22", "FR", "fixed_line", "22"),
    ("(11) 3123-4567 ramal 22", "BR", "fixed_line", "22"),
    ("03-3581-2361 内線123", "JP", "fixed_line", "123"),
]


@pytest.mark.parametrize(("text", "country", "kind", "extension"), PARTS)
def test_type_and_extension_are_parts_of_a_number_and_of_nothing_else(text, country, kind, extension):
    (reading,) = read_phones(text, country)
    parts = {"number": reading.value, "type": kind} | ({"extension": extension} if extension else {})
    assert json.loads(reading.parts) == parts
    assert reading.part_count == len(parts)
    assert reading[:4] == read_phones(reading.value, country)[0][:4]


def test_an_invalid_number_has_no_parts():
    assert [(reading.parts, reading.part_count) for reading in read_phones("907-4740", "US")] == [(None, 1)]


@pytest.mark.parametrize("text", ["212-555-0100", "(305) 555-0199"])
def test_a_number_kept_for_fiction_is_a_number(text):
    assert read_phones(text, "US")[0].rule is None


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("13800138000", "CN"),
        ("+86 138 0013 8000", "US"),
        ("(234) 567-8901", "US"),
        ("+1 234 567 8901", "GB"),
        ("01234 567890", "GB"),
    ],
)
def test_a_placeholder_is_one_however_it_is_written(text, country):
    assert read_phones(text, country)[0].rule == "placeholder"


@pytest.mark.parametrize(("text", "country", "expected"), VALID)
def test_a_number_is_written_in_e164(text, country, expected):
    (reading,) = read_phones(text, country)
    assert (reading.value if reading.rule is None else None) == expected


@pytest.mark.parametrize(
    "text", ["555-5555", "555-555-5555", "1234567890", "000-000-0000", "999-999-9999", "0123456789", "111 1111", "0000000"]
)
def test_a_placeholder_gives_no_value(text):
    (reading,) = read_phones(text, "US")
    assert (reading.value, reading.feature, reading.rule) == (None, None, "placeholder")


@pytest.mark.parametrize(
    ("text", "country", "digits"),
    [
        ("907-4740", "US", "9074740"),
        ("9074740", "US", "9074740"),
        ("099 555 1234", "US", "995551234"),
        ("07700 900123", "GB", "7700900123"),
    ],
)
def test_a_number_that_is_not_valid_is_kept_and_still_compared_by_its_digits(text, country, digits):
    (reading,) = read_phones(text, country)
    assert (reading.value, reading.comparable, reading.feature, reading.rule) == (text, digits, digits, "not_a_phone_number")


@pytest.mark.parametrize("text", ["call me", "12", "0.5", "x", "+"])
def test_what_is_no_number_is_kept_and_is_no_evidence(text):
    (reading,) = read_phones(text, "US")
    assert (reading.value, reading.feature, reading.rule) == (text, None, "not_a_phone_number")


@pytest.mark.parametrize("separator", ["; ", " / ", "/", ", ", "\n", " or ", "|", "或"])
def test_several_numbers_of_a_cell_are_told_apart(separator):
    readings = read_phones(f"212-736-5000{separator}646-736-5001", "US")
    assert [reading.value for reading in readings] == ["+12127365000", "+16467365001"]


@pytest.mark.parametrize(
    "text",
    [
        "212-736-5000 646-736-5001",
        "H: 212-736-5000 W: 646-736-5001",
        "212-736-5000 (cell) 646-736-5001 (home)",
        "tel 212-736-5000 fax 646-736-5001",
        "+12127365000+16467365001",
    ],
)
def test_numbers_among_words_are_those_that_the_library_finds(text):
    assert [reading.value for reading in read_phones(text, "US")] == ["+12127365000", "+16467365001"]


@pytest.mark.parametrize("text", ["138****5678", "212-XXX-5000", "1.38123E+10"])
def test_digits_that_are_masked_or_lost_are_no_evidence(text):
    assert [reading[:4] for reading in read_phones(text, "CN")] == [(text, text, None, "not_a_phone_number")]


def test_a_cell_of_very_many_numbers_is_read():
    assert len(read_phones("212-736-5000;" * 300, "US")) == 300


def test_a_number_meets_itself_however_it_is_written():
    spellings = [("(212) 736-5000", "US"), ("+12127365000", "GB"), ("1.212.736.5000", "US"), ("212 736 5000 x9", "US")]
    assert {read_phones(*spelling)[0].feature for spelling in spellings} == {"2127365000"}


@given(st.text(alphabet="0123456789+-() .x/", max_size=24), st.sampled_from(["US", "GB", "CN", "AU"]))
def test_reading_a_value_again_changes_nothing(text, country):
    for reading in read_phones(text, country):
        if reading.value:
            (again,) = read_phones(reading.value, country) if reading.rule is None else (reading,)
            assert again[:4] == reading[:4]


def quick_readings(cells):
    """Return what is read many at a time, by cell and country."""
    frame = pl.DataFrame(cells, schema={"cell": pl.String, "country": pl.String}, orient="row").with_row_index("code")
    found = read_plain_phones(frame, fewest=0)
    assert found.columns == ["code", "position", *READING]
    assert not any(found["position"])
    return {cells[code]: reading for code, _, *reading in found.iter_rows()}


def assert_quick_is_exact(cells, *, least=0):
    quick = quick_readings(cells)
    for cell, reading in quick.items():
        assert [list(reading)] == [list(found) for found in read_phones(*cell)]
    assert len(quick) >= least


def answer_of_the_library(text, country):
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number)).lower()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), kind


def assert_library_agrees(cells, quick):
    for cell in cells:
        value, _, _, rule, parts, _ = quick.get(cell) or read_phones(*cell)[0]
        if rule != "placeholder":
            assert (None if rule else (value, json.loads(parts)["type"])) == answer_of_the_library(*cell)


def spellings(national, code):
    """Yield a number with more or less of what can stand before it, and what can not."""
    yield from (national, f"0{national}", f"1{national}", f"8{national}", f"{code}{national}", f"{code}0{national}")
    yield from (f"+{code}{national}", f"+{code} (0){national}", f"(+{code}) {national[:3]}-{national[3:]} ext. 7")
    yield from (
        f"00{code}{national}",
        f"011{code}{national}",
        f"({national[:3]}) {national[3:6]}.{national[6:]}",
        f"{national} x12",
    )


def examples_of_all_plans():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in sorted(phonenumbers.PhoneNumberType.values()):
            number = phonenumbers.example_number_for_type(region, kind)
            if number:
                yield region, str(number.country_code), phonenumbers.national_significant_number(number)


def test_numbers_of_all_plans_are_read_many_at_a_time_as_one_by_one():
    cells, elsewhere = set(), ("US", "CN", "GB", "IT", "BR", "AR", "MX", "JE", "KZ", "XX")
    for place, (region, code, national) in enumerate(examples_of_all_plans()):
        other = national[:-2] + f"{place % 100:02}"
        every = [*spellings(other, code)]
        cells.update((every[(place * step) % len(every)], region) for step in (1, 3, 5))
        cells.add((f"+{code}{other}", elsewhere[place % len(elsewhere)]))
    assert_quick_is_exact(sorted(cells), least=len(cells) // 3)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.text(alphabet="0123456789+-() .x#/", max_size=20),
                st.from_regex(
                    r"(\+1|1|\+86|86|0|\+44|00)?[ .-]?\(?[0-9]{3}\)?[ .-]?[0-9]{3,4}[ .-]?[0-9]{4}( ?x[0-9]+)?", fullmatch=True
                ),
                st.from_regex(r"[0-9]{7,12}\.0?", fullmatch=True),
                st.from_regex(r"(home: )?\(?[2-9][0-9]{2}\)? [2-9][0-9]{2}-[0-9]{4}( \(w\))?", fullmatch=True),
            ),
            st.sampled_from(["US", "CN", "CA", "GB", "JM"]),
        ),
        unique=True,
        max_size=40,
    )
)
def test_what_is_read_many_at_a_time_is_read_so_one_by_one(cells):
    assert_quick_is_exact(cells)


def test_chinese_numbers_in_every_form_are_read_as_the_library_reads_them():
    mobiles = [f"1{prefix}{prefix}41234"[:11] for prefix in range(300, 1000, 3)]
    landlines = [f"0{area}{local}" for area in (10, *range(20, 30), *range(310, 1000, 9)) for local in ("6555123", "65551234")]
    forms = ("{}", "+86{}", "86{}", "+86-{}", "0086{}")
    numbers = [*mobiles, *landlines, *(number.removeprefix("0") for number in landlines)]
    cells = [(form.format(number), "CN") for number, form in product(numbers, forms)]
    quick = quick_readings(cells)
    assert len(quick) > len(cells) // 3
    assert_library_agrees(cells[::3], quick)


def test_few_numbers_of_a_plan_are_left_to_the_library():
    cells = pl.DataFrame({"code": [0, 1], "cell": ["212-736-5000", "+44 20 7946 0958"], "country": ["US", "US"]})
    assert read_plain_phones(cells).is_empty()


def test_local_numbers_are_never_the_longest_of_a_plan():
    # What phonenumbers does with a longer local number is no step of the numbering plans here.
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        general = PhoneMetadata.metadata_for_region(region).general_desc
        assert max(general.possible_length_local_only, default=0) < max(general.possible_length)


FORMS = ["{}{}{}", "({}) {}-{}", pytest.param("+1{}{}{}", marks=pytest.mark.thorough), "1-{}-{}-{}", "{}.{}.{} x5"]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_every_area_and_exchange_of_north_america_is_read_as_the_library_reads_it(form):
    every = [*product(range(200, 1000), range(200, 1000))]
    cells = [(form.format(area, exchange, f"{(area * exchange) % 10000:04}"), "US") for area, exchange in every]
    quick = quick_readings(cells)
    # The answer depends on the digits alone, so one form is checked wholly and the others against what they have in common.
    assert_library_agrees(cells if form == "+1{}{}{}" else cells[::17], quick)
    found = {text for text, _ in quick}
    plain = quick_readings([("".join(sign for sign in text.split(" x")[0] if sign.isdigit()), "US") for text, _ in cells])
    assert len(found) == len(plain)


@pytest.mark.slow
def test_every_chinese_prefix_and_sampled_british_ones_are_read_as_the_library_reads_them():
    chinese = [f"{prefix}{tail}" for prefix in range(1000, 2000) for tail in ("1234567", "7654321")]
    chinese += [f"0{area}{local}" for area in range(10, 1000) for local in ("6555123", "65551234", "86551234", "4008123")]
    british = [f"0{prefix}{tail}" for prefix in range(1000, 10000) for tail in ("123456", "98765")]
    cells = [(form.format(number), "CN") for number in chinese for form in ("{}", "+86 {}")]
    cells += [(form.format(number), "GB") for number in british for form in ("{}", "+44 (0){}")]  # a nought too many
    cells += [(f"+44 (0){number[1:]}", "GB") for number in british]
    assert_library_agrees(cells, quick_readings(cells))
