"""Names of persons."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nameparser import HumanName

from custview_pipeline.standardisation.name_templates import parse_name
from custview_pipeline.standardisation.names import PERSON, NameCells, read_person_name


def read(country="US", **cells):
    found = read_person_name(*NameCells(**cells), country)
    return dict(zip(PERSON, found[0], strict=True)) if found else None


FULL_NAMES = [
    ("Smith, John A. Jr", "John A Smith Jr", "john", "a", "smith", "jr"),
    ("DR. JOHN A. SMITH, JR.", "Dr John A Smith Jr", "john", "a", "smith", "jr"),
    ("John Smith Sr", "John Smith Sr", "john", None, "smith", "sr"),
    ("John Smith III", "John Smith III", "john", None, "smith", "iii"),
    ("SMITH, ROBERT II", "Robert Smith II", "robert", None, "smith", "ii"),
    ("mary-ann o'neil", "Mary-Ann O'Neil", "mary", "ann", "oneil", None),
    ("JOHN MCDONALD", "John McDonald", "john", None, "mcdonald", None),
    ("Maria de la Cruz", "Maria de la Cruz", "maria", None, "de la cruz", None),
    ("van der Berg, Anna", "Anna van der Berg", "anna", None, "van der berg", None),
    ("José Álvarez", "José Álvarez", "jose", None, "alvarez", None),
    ("Jürgen Weiß", "Jürgen Weiß", "jurgen", None, "weiss", None),
    ("Łukasz Nowak", "Łukasz Nowak", "lukasz", None, "nowak", None),
    ("Prof. Sir Isaac Newton", "Prof Sir Isaac Newton", "isaac", None, "newton", None),
    ("Mrs Jane Doe", "Mrs Jane Doe", "jane", None, "doe", None),
    ("J.R. Smith", "J R Smith", "j", "r", "smith", None),
    ("King Smith", "King Smith", "king", None, "smith", None),
    ("Madonna", "Madonna", "madonna", None, None, None),
    ("Jean-Luc Picard", "Jean-Luc Picard", "jean", "luc", "picard", None),
]


@pytest.mark.parametrize(("text", "display", "given_name", "middle", "family", "suffix"), FULL_NAMES)
def test_a_name_in_one_field_is_told_apart(text, display, given_name, middle, family, suffix):
    name = read(full=text)
    assert name["value"] == display
    assert (name["given"], name["middle"], name["family"], name["name_suffix"]) == (given_name, middle, family, suffix)
    assert read(full=display)["value"] == display


CHINESE = [
    ("王小明", "xiaoming", "wang"),
    ("欧阳娜娜", "nana", "ouyang"),
    ("司马光", "guang", "sima"),
    ("单雄信", "xiongxin", "shan"),
    ("曾国藩", "guofan", "zeng"),
    ("仇英", "ying", "qiu"),
    ("解缙", "jin", "xie"),
    ("查良镛", "liangyong", "zha"),
    ("朴正花", "zhenghua", "piao"),
    ("任正非", "zhengfei", "ren"),
    ("吕布", "bu", "lu"),
    ("尉迟恭", "gong", "yuchi"),
    ("诸葛亮", "liang", "zhuge"),
    ("区志远", "zhiyuan", "ou"),
    ("王 小明", "xiaoming", "wang"),
]


@pytest.mark.parametrize(("text", "given_name", "family"), CHINESE)
def test_a_chinese_name_is_read_in_pinyin_and_kept_as_written(text, given_name, family):
    name = read("CN", full=text)
    assert (name["value"], name["given"], name["family"]) == (text, given_name, family)
    assert name["native_name"] == text.replace(" ", "")
    assert read("CN", full=text)["value"] == text


def test_chinese_characters_and_their_rendering_in_other_systems_meet():
    spellings = [
        read("CN", full="王小明"),
        read("CN", native="王小明"),
        read("CN", family="王", given="小明"),
        read("US", given="Xiao Ming", family="Wang"),
        read("US", given="Xiao-Ming", family="WANG"),
        read("US", given="Xiao", middle="Ming", family="Wang"),
        read("US", full="WANG Xiaoming"),
        read("CN", full="Wang Xiaoming"),
        read("CN", full="Wang Xiao Ming"),
        read("US", full="Wang Xiaoming 王小明"),
        read("US", native="王小明", given="Xiaoming", family="Wang"),
    ]
    assert {(name["given"], name["family"]) for name in spellings} == {("xiaoming", "wang")}


def test_where_chinese_is_written_the_family_name_comes_first():
    name = read("CN", given="Xiaoming", family="Wang")
    assert name["value"] == "Wang Xiaoming"
    assert json.loads(name["parts"]) == {"family": "Wang", "given": "Xiaoming"}
    assert read("CN", full="Wang Xiaoming")["value"] == "Wang Xiaoming"


@pytest.mark.parametrize(("given_name", "family"), [("Anna Lee", "Smith"), ("Dan", "Long"), ("Mary Ann", "Song"), ("John", "Li")])
def test_a_western_given_name_is_not_joined(given_name, family):
    assert read("US", given=given_name, family=family)["given"] == given_name.lower().split()[0]


def test_columns_of_parts_come_before_the_full_name():
    name = read(full="mr robert e lee", given="robert", family="lee")
    assert name["value"] == "Mr Robert E Lee"
    assert (name["given"], name["family"], name["middle"]) == ("robert", "lee", None)


def test_a_title_in_the_column_of_given_names_makes_room_for_the_full_name():
    name = read(full="sir art middleton", given="sir", family="middleton")
    assert (name["value"], name["given"], name["name_words"]) == ("Sir Art Middleton", "art", "art middleton")


def test_a_former_name_is_one_of_the_words_and_not_the_family_name():
    name = read(given="Anna", family="Smith", former="Jones")
    assert (name["family"], name["name_words"]) == ("smith", "anna jones smith")


def test_a_suffix_may_stand_in_any_column():
    for cells in ({"suffix": "Junior"}, {"family": "Doe Jr."}, {"given": "John Jr"}):
        assert read(**{"given": "John", "family": "Doe", **cells})["name_suffix"] == "jr"


def test_a_nickname_is_a_part_and_not_shown():
    name = read(full='John "Johnny" Smith')
    assert (name["value"], json.loads(name["parts"])["nickname"]) == ("John Smith", "Johnny")


def test_another_alphabet_is_kept_as_native_name():
    name = read("RU", full="Иван Петров")
    assert (name["value"], name["given"], name["native_name"]) == ("Иван Петров", None, "иванпетров")
    assert read(given="Ivan", family="Petrov", native="Иван Петров")["native_name"] == "иванпетров"


def test_japanese_names_are_not_read_as_chinese():
    assert read("JP", native="田中太郎")["given"] is None


def test_a_name_without_letters_is_kept_with_its_reason():
    assert (read(full="123")["value"], read(full="123")["rule"]) == ("123", "not_a_name")


def test_no_cell_no_name():
    assert read() is None


_WORDS = st.sampled_from(
    [
        "John",
        "MARY",
        "smith",
        "O'Neil",
        "de",
        "la",
        "van",
        "Dr.",
        "Mr",
        "King",
        "Jr.",
        "III",
        "MD",
        "A.",
        "b.",
        "McDonald",
        "Jean-Luc",
        "Álvarez",
        "Wang",
        "xiaoming",
        "Li",
        "Sir",
        ",",
        "and",
        "Lady",
        "Esq",
        "Ph.D.",
        "St.",
        "Zqax",
    ]
)


@given(st.lists(_WORDS, min_size=1, max_size=7).map(" ".join))
def test_templates_give_the_answer_of_nameparser(text):
    expected = HumanName(text)
    assert parse_name(text) == (
        expected.title,
        expected.first,
        expected.middle,
        expected.last,
        expected.suffix,
        expected.nickname,
    )


_NAMES = st.from_regex(r"[A-Z][a-z]{2,8}", fullmatch=True)


@given(
    _NAMES,
    _NAMES,
    _NAMES,
    st.sampled_from(["", "Jr", "III", "MD"]),
    st.sampled_from(["", "Dr", "Mrs"]),
    st.sampled_from(["US", "GB", "CN", "AU"]),
)
def test_reading_a_name_again_changes_nothing(first, middle, last, suffix, title, country):
    value = read(country, full=" ".join(filter(None, (title, first, middle, last, suffix))))["value"]
    assert read(country, full=value)["value"] == value
