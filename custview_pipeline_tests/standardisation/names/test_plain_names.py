"""Names that are read many at once are read as each alone."""

import csv
from importlib.resources import files
from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.names.chinese_names import CHINESE_SURNAMES
from custview_pipeline.standardisation.names.name_cells import ROMANISED_SURNAMES
from custview_pipeline.standardisation.names.name_templates import special_words
from custview_pipeline.standardisation.names.names import PERSON, NameCells, read_person_name
from custview_pipeline.standardisation.names.plain_names import read_plain_names
from custview_pipeline_tests.standardisation.names.test_names import CHINESE, FAMILY_NAMES, FULL_NAMES, OTHER_SCRIPTS

FIELDS = ("full_name", "given_name", "middle_name", "family_name", "former_name", "name_prefix", "name_suffix", "native_name")
COUNTRIES = ("US", "CN", "MX", "HK", "JP")
SHAPES = (
    "{0} {1}",
    "{1}, {0}",
    "{0} {2} {1}",
    "{1}, {0} {2}",
    "{0} {2}. {1}",
    "{0} {1} Jr.",
    "{1}, {0} {2} iii",
    "{0} {2} {1} SR",
    "{2} {1}",
    "{2}. {1}",
)


def quickly(names):
    """Return the readings of those names that are read at once, by their number."""
    schema = {**dict.fromkeys(FIELDS, pl.String), "country": pl.String}
    distinct = pl.DataFrame(names, schema=schema, orient="row").with_row_index("code")
    found = read_plain_names(distinct).select(pl.col(name).cast(kind) for name, kind in {"code": pl.UInt32(), **PERSON}.items())
    return {code: tuple(reading) for code, *reading in found.iter_rows()}


def assert_as_alone(names):
    found = quickly(names)
    wrong = [names[code] for code, reading in found.items() if read_person_name(*names[code]) != [reading]]
    assert not wrong
    return len(found) / len(names)


def full(text, country="US"):
    return (*NameCells(full=text), country)


def pool(name, column="name"):
    with (files("custview_pipeline.demo") / "pools" / f"{name}.csv").open(encoding="utf-8") as lines:
        return [line[column] for line in csv.DictReader(lines)]


def cased(text):
    return (text, text.upper(), text.lower(), text.title())


def test_the_names_of_the_tables_are_read_as_alone():
    texts = [*(row[0] for row in FULL_NAMES + CHINESE), *(row[1] for row in FAMILY_NAMES + OTHER_SCRIPTS)]
    assert_as_alone([full(text, country) for text in texts for country in COUNTRIES])


def test_names_as_people_have_them_are_read_as_alone_and_nearly_all_at_once():
    given_names, family_names = pool("us_given_names") + pool("gb_given_names"), pool("us_family_names") + pool("gb_family_names")
    names = []
    for k in range(3000):
        first, middle = given_names[k * 7 % len(given_names)], given_names[k * 11 % len(given_names)]
        shape = SHAPES[k % len(SHAPES)]
        text = shape.format(first, family_names[k * 13 % len(family_names)], middle[: 1 if k % 3 else None])
        names.append(full(cased(text)[k // 10 % 4], COUNTRIES[k % 2]))
    assert assert_as_alone(names) > 0.8


def test_chinese_names_are_read_as_alone_and_nearly_all_at_once():
    family_names, given_names = pool("cn_family_names"), pool("cn_given_names")
    latin_family, latin_given = pool("cn_family_names", "latin"), pool("cn_given_names", "latin")
    names = []
    for k in range(1500):
        family, given_name = family_names[k * 5 % len(family_names)], given_names[k * 7 % len(given_names)]
        country = COUNTRIES[k % len(COUNTRIES)]
        names.append(full(family + given_name, country))
        names.append((*NameCells(family=family, given=given_name), country))
        names.append((*NameCells(native=family + given_name), country))
    assert assert_as_alone(names) > 0.75
    latin = [(latin_family[k * 5 % len(latin_family)], latin_given[k * 7 % len(latin_given)]) for k in range(700)]
    shapes = ("{0} {1}", "{1} {0}", "{0}, {1}")
    texts = [shape.format(*both) for both, shape in product(latin, shapes)]
    assert_as_alone([full(cased(text)[k % 3], COUNTRIES[k % 5]) for k, text in enumerate(texts)])


def test_words_with_a_meaning_are_read_as_alone_wherever_they_stand():
    words = sorted(special_words() | ROMANISED_SURNAMES | CHINESE_SURNAMES)
    names = []
    for k, word in enumerate(words):
        for place, shape in product(range(3), SHAPES[:6]):
            three = ["Mary", "Jones", "Ann"]
            three[place] = cased(word)[k % 4]
            names.append(full(shape.format(*three), COUNTRIES[k % 2]))
    assert_as_alone(names[::7])


@pytest.mark.slow
@pytest.mark.thorough
def test_every_word_with_a_meaning_is_read_as_alone_wherever_it_stands():
    words = sorted(special_words() | ROMANISED_SURNAMES | CHINESE_SURNAMES)
    for place, shape, case in product(range(3), SHAPES, range(4)):
        names = []
        for word in words:
            three = ["Mary", "Jones", "Ann"]
            three[place] = cased(word)[case]
            names.append(full(shape.format(*three), "CN" if place == 1 else "US"))
        assert_as_alone(names)


_LETTERS = st.from_regex(r"[A-Za-z]{1,9}\.?", fullmatch=True)
_KNOWN = st.sampled_from(
    [
        "Wang",
        "Xiaoming",
        "WANG",
        "lu",
        "Chan",
        "Tai",
        "Man",
        "Lv",
        "King",
        "Jr",
        "III",
        "V",
        "i",
        "van",
        "Mackay",
        "mcgee",
        "MacNeil",
        "É",
    ]
)
_TEXTS = st.lists(_LETTERS | _KNOWN, min_size=1, max_size=4).map(" ".join)


@settings(max_examples=40)
@given(st.lists(st.tuples(_TEXTS, st.sampled_from(["", ", "]), _TEXTS, st.sampled_from(COUNTRIES)), min_size=1, max_size=9))
def test_any_words_are_read_as_alone(rows):
    assert_as_alone([full(f"{first}{comma or ' '}{last}", country) for first, comma, last, country in rows])


_CELL = st.none() | _LETTERS | _KNOWN
_PARTS = st.tuples(_CELL, _CELL, _CELL, _CELL, st.sampled_from(COUNTRIES))


@settings(max_examples=40)
@given(st.lists(_PARTS, min_size=1, max_size=9))
def test_any_columns_are_read_as_alone(rows):
    assert_as_alone([(whole, *parts, None, None, None, None, country) for whole, *parts, country in rows])


_TITLE = st.none() | st.sampled_from(
    ["Mr", "mrs.", "DR", "Prof. Dr.", "Sir", "Herr", "doctor", "先生", "x-y", "mR", "The Hon'ble"]
)
_SUFFIX = st.none() | st.sampled_from(
    ["Jr", "jr.", "III", "Ph. D.", "MD, PhD", "IV Esq", "2nd", "V", "A1", "PhD Jr", "先生", "."]
)


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(lambda parts, title, suffix: (None, *parts[:3], None, title, suffix, None, parts[4]), _PARTS, _TITLE, _SUFFIX),
        min_size=1,
        max_size=9,
    )
)
def test_any_columns_with_titles_are_read_as_alone(rows):
    assert_as_alone(rows)


_CELLS = st.none() | st.lists(
    _LETTERS | _KNOWN | st.sampled_from(["O'Neil", "smith-jones", "d'", "-x", "Mr", "nd", "DE LA"]), min_size=1, max_size=3
).map(" ".join)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(_CELLS, _CELLS, _CELLS, _CELLS, _TITLE, _SUFFIX, st.sampled_from(COUNTRIES)),
        min_size=1,
        max_size=9,
    )
)
def test_columns_of_several_words_are_read_as_alone(rows):
    assert_as_alone([(None, *parts, title, suffix, None, country) for *parts, title, suffix, country in rows])


_BOTH = st.sampled_from(
    ["Mary", "mary", "MARY", "e.", "Wang", "Xiaoming", "Lv", "Born", "King", "Chan", "Tai", "van", "Jones", "mckay"]
)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.lists(_BOTH, min_size=2, max_size=3), st.sampled_from(["{0} {2}", "{0} {1} {2}", "{2}, {0}", "{2} {0}"]), _BOTH
        ),
        min_size=1,
        max_size=9,
    ),
    st.sampled_from(COUNTRIES),
)
def test_full_names_beside_columns_are_read_as_alone(rows, country):
    names = []
    for written, shape, other in rows:
        given_name, family_name = written[0], written[-1]
        names.append((*NameCells(shape.format(given_name, other, family_name), given_name, None, family_name), country))
    assert_as_alone(names)


def test_a_first_word_that_is_a_chinese_surname_beside_columns_is_left():
    assert_as_alone([(*NameCells("Wang Wang Xiaoming", "Wang", None, "Xiaoming"), "CN")])


_NATIVE = st.sampled_from(["卢莉莉", "欧阳明", "吕女", "曾单", "王先生", "A王", "莉莉 卢", "爱新觉罗明"])
_NATIVE_CELL = st.none() | st.sampled_from(
    ["莉莉", "卢", "Lili", "LU", "lu", "Ouyang", "Ming", "Lv", "Zeng", "Shan", "王A", "佐々木"]
)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(_NATIVE_CELL, st.none() | st.just("Mei"), _NATIVE_CELL, _TITLE, _NATIVE, st.sampled_from(COUNTRIES)),
        min_size=1,
        max_size=9,
    )
)
def test_columns_beside_chinese_characters_are_read_as_alone(rows):
    assert_as_alone([(None, *parts, None, title, None, native, country) for *parts, title, native, country in rows])


_CHARACTERS = (
    st.text(st.sampled_from("王李单欧阳司马诸葛曾朵乐吕绿女明华·先生 长重A"), min_size=1, max_size=5).map(str.strip).filter(bool)
)


@settings(max_examples=40)
@given(st.lists(st.tuples(_CHARACTERS, st.none() | _CHARACTERS, st.integers(0, 2), st.sampled_from(COUNTRIES)), max_size=9))
def test_any_chinese_characters_are_read_as_alone(rows):
    names = []
    for text, given_name, place, country in rows:
        cells = (NameCells(full=text), NameCells(native=text), NameCells(family=text, given=given_name))[place]
        names.append((*cells, country))
    if names:
        assert_as_alone(names)


def test_columns_with_titles_characters_or_the_whole_name_are_read_at_once():
    names = [
        (*NameCells(given="Mary", family="Jones", prefix="mrs.", suffix="jr., Ph. D."), "US"),
        (*NameCells(given="Lili", family="Lu", native="卢莉莉"), "CN"),
        (*NameCells(given="莉莉", family="卢", native="卢莉莉"), "CN"),
        (*NameCells(full="robert ashton lister", given="robert", family="lister"), "GB"),
    ]
    shown = {0: "Mrs Mary Jones Jr PhD", 1: "Lu Lili", 2: "卢莉莉", 3: "Robert Ashton Lister"}
    assert {code: reading[0] for code, reading in quickly(names).items()} == shown
    assert_as_alone(names)


def test_columns_of_several_words_are_read_at_once():
    names = [
        (*NameCells(given="mary ann", family="o'neil-smith", former="Jones"), "US"),
        (*NameCells(family="VAN DER BERG", prefix="Dr"), "AU"),
    ]
    assert {code: reading[0] for code, reading in quickly(names).items()} == {0: "Mary Ann O'Neil-Smith", 1: "Dr van der Berg"}
    assert_as_alone(names)


def test_columns_of_one_word_each_are_read_at_once():
    names = [(*NameCells(given="MARY", middle="b.", family="jones"), "US"), (*NameCells(given="Xiaoming", family="Wang"), "CN")]
    assert {code: reading[0] for code, reading in quickly(names).items()} == {0: "Mary B Jones", 1: "Wang Xiaoming"}
    assert_as_alone(names)
