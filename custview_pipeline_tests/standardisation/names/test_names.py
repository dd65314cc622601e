"""Names of persons."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nameparser import HumanName

from custview_pipeline.standardisation.names.name_templates import parse_name
from custview_pipeline.standardisation.names.names import PERSON, NameCells, read_person_name


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
    ("Dr. John Q. Public III, M.D.", "Dr John Q Public III MD", "john", "q", "public", "iii"),
    ("Smith, John A., Jr., Ph.D.", "John A Smith Jr PhD", "john", "a", "smith", "jr"),
    ("JOHN SMITH MD PHD", "John Smith MD PhD", "john", None, "smith", None),
    ("Jane Doe, Esq.", "Jane Doe Esq", "jane", None, "doe", None),
    ("Mary Jones RN, CPA", "Mary Jones RN CPA", "mary", None, "jones", None),
    ("SMITH JR, JOHN", "John Smith Jr", "john", None, "smith", "jr"),
    ("John Smith 3rd", "John Smith III", "john", None, "smith", "iii"),
    ("John Smith VII", "John Smith VII", "john", None, "smith", None),
    ("Dunn, Lucy I", "Lucy I Dunn", "lucy", "i", "dunn", None),
    ("DE LA CRUZ, MARIA", "Maria de la Cruz", "maria", None, "de la cruz", None),
    ("anna-maria van den berg", "Anna-Maria van den Berg", "anna", "maria", "van den berg", None),
    ("VON BEETHOVEN, LUDWIG", "Ludwig von Beethoven", "ludwig", None, "von beethoven", None),
    ("ANNE SMITH-JONES", "Anne Smith-Jones", "anne", None, "smith jones", None),
    ("o'connor, sinead", "Sinead O'Connor", "sinead", None, "oconnor", None),
    ("IAN MACGREGOR", "Ian MacGregor", "ian", None, "macgregor", None),
    ("ANA MACIAS", "Ana Macias", "ana", None, "macias", None),
    ("ROY MACK", "Roy Mack", "roy", None, "mack", None),
    ("MCINTYRE, DUNCAN", "Duncan McIntyre", "duncan", None, "mcintyre", None),
    ("D'ANGELO RUSSELL", "D'Angelo Russell", "dangelo", None, "russell", None),
    ("J.R.R. Tolkien", "J R R Tolkien", "j", "r", "tolkien", None),
    ("Jane Doe c/o John Roe", "Jane Doe", "jane", None, "doe", None),
    ("c/o John Roe", "John Roe", "john", None, "roe", None),
    ("The Honorable Jane Doe", "The Hon Jane Doe", "jane", None, "doe", None),
    ("Nguyễn Văn An", "Nguyễn Văn An", "nguyen", "van", "an", None),
]


@pytest.mark.parametrize(("text", "display", "given_name", "middle", "family", "suffix"), FULL_NAMES)
def test_a_name_in_one_field_is_told_apart(text, display, given_name, middle, family, suffix):
    name = read(full=text)
    assert name["value"] == display
    assert (name["given"], name["middle"], name["family"], name["name_suffix"]) == (given_name, middle, family, suffix)
    again = read(full=display)
    assert compared(again) == compared(name)


def compared(name):
    return {column: name[column] for column in PERSON if column not in {"parts", "part_count"}}


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


def test_a_name_at_birth_and_a_nickname_are_parts():
    for text in ("Jane Doe née Roe", "Jane Doe (nee Roe)", "Jane Doe (born Roe)"):
        name = read(full=text)
        assert (name["value"], json.loads(name["parts"])["former"], name["name_words"]) == ("Jane Doe", "Roe", "doe jane roe")
    for text in ("Robert 'Bob' Roe", "Robert (Bob) Roe", "Robert “Bob” Roe"):
        assert json.loads(read(full=text)["parts"])["nickname"] == "Bob"


def test_credentials_stand_apart_from_the_generation():
    parts = json.loads(read(full="Dr. John Q. Public III, M.D.")["parts"])
    assert (parts["prefix"], parts["suffix"], parts["credentials"]) == ("Dr", "III", "MD")
    assert read(full="Jane Doe, M.D., Ph.D.")["name_words"] == "doe jane"
    assert json.loads(read(given="Jane", family="Doe", suffix="Sr., CPA")["parts"])["credentials"] == "CPA"


OTHER_SCRIPTS = [
    ("RU", "Иван Петров", "Иван Петров", "ivan", "petrov", "ivan petrov"),
    ("RU", "Петров Иван Сергеевич", "Иван Сергеевич Петров", "ivan", "petrov", "ivan petrov sergeevich"),
    (
        "RU",
        "ЩЕРБАКОВА НАТАЛЬЯ ИВАНОВНА",
        "Наталья Ивановна Щербакова",
        "natalya",
        "shcherbakova",
        "ivanovna natalya shcherbakova",
    ),
    ("UA", "Тарас Шевченко", "Тарас Шевченко", "taras", "shevchenko", "shevchenko taras"),
    ("GR", "Γιώργος Παπαδόπουλος", "Γιώργος Παπαδόπουλος", "giorgos", "papadopoulos", "giorgos papadopoulos"),
    ("JP", "タナカ タロウ", "タナカ タロウ", "taro", "tanaka", "tanaka taro"),
    ("JP", "さとう きょうこ", "さとう きょうこ", "kyoko", "sato", "kyoko sato"),
    ("JP", "はっとり ゆうき", "はっとり ゆうき", "yuki", "hattori", "hattori yuki"),
    ("JP", "ジョン・スミス", "ジョン・スミス", "jon", "sumisu", "jon sumisu"),
    ("JP", "佐々木 花子", "佐々木 花子", None, None, ""),
    ("KR", "김철수", "김철수", "cheolsu", "kim", "cheolsu kim"),
    ("KR", "남궁민수", "남궁민수", "minsu", "namgung", "minsu namgung"),
    ("KR", "이 영희", "이 영희", "yeonghui", "lee", "lee yeonghui"),
    ("IN", "राहुल शर्मा", "राहुल शर्मा", "rahul", "srma", "rahul srma"),
    ("IL", "דוד כהן", "דוד כהן", "dvd", "khhn", "dvd khhn"),
    ("EG", "محمد أحمد", "محمد أحمد", "mhmd", "hmd", "hmd mhmd"),
]


@pytest.mark.parametrize(("country", "text", "display", "given_name", "family", "name_words"), OTHER_SCRIPTS)
def test_another_script_is_kept_as_given_and_compared_in_latin_letters(country, text, display, given_name, family, name_words):
    name = read(country, full=text)
    assert (name["value"], name["given"], name["family"], name["name_words"]) == (display, given_name, family, name_words)
    assert compared(read(country, full=display)) == compared(name)
    assert name["native_name"] == re.sub(r"\W", "", display.lower())


def test_a_name_in_another_alphabet_meets_its_latin_spelling():
    russian, latin = read("RU", full="Иван Петров"), read("US", full="Ivan Petrov")
    columns = ("comparable", "given", "family", "name_words")
    assert [russian[column] for column in columns] == [latin[column] for column in columns]
    assert read(given="Ivan", family="Petrov", native="Иван Петров")["native_name"] == "иванпетров"
    assert read("RU", given="Иван", family="Петров")["family"] == "petrov"


FAMILY_NAMES = [
    ("HK", "Chan Tai Man", "tai", "chan"),
    ("HK", "Peter Chan", "peter", "chan"),
    ("TW", "Tsai Ing-wen", "ing", "tsai"),
    ("SG", "Lee Hsien Loong", "hsien", "lee"),
    ("US", "CHAN Tai Man", "tai", "chan"),
    ("CO", "Gabriel García Márquez", "gabriel", "garcia marquez"),
    ("ES", "Juan Carlos López Ruiz", "juan", "lopez ruiz"),
    ("MX", "José Luis García", "jose", "garcia"),
    ("MX", "García Márquez, Gabriel José", "gabriel", "garcia marquez"),
    ("US", "Gabriel García Márquez", "gabriel", "marquez"),
    ("BR", "João Silva Santos", "joao", "santos"),
    ("CN", "王先生", None, "wang"),
]


@pytest.mark.parametrize(("country", "text", "given_name", "family"), FAMILY_NAMES)
def test_which_word_is_the_family_name_depends_on_the_country(country, text, given_name, family):
    name = read(country, full=text)
    assert (name["given"], name["family"]) == (given_name, family)
    assert compared(read(country, full=name["value"])) == compared(name)


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
        expected.maiden,
    )


_NAMES = st.from_regex(r"[A-Z][a-z]{2,8}", fullmatch=True)
_COUNTRIES = st.sampled_from(["US", "GB", "CN", "HK", "MX", "JP", "RU"])


@given(
    _NAMES,
    _NAMES,
    _NAMES,
    st.sampled_from(["", "Jr", "III", "MD"]),
    st.sampled_from(["", "Dr", "Mrs"]),
    _COUNTRIES,
)
def test_reading_a_name_again_changes_nothing(first, middle, last, suffix, title, country):
    name = read(country, full=" ".join(filter(None, (title, first, middle, last, suffix))))
    assert compared(read(country, full=name["value"])) == compared(name)


@given(st.lists(_WORDS, min_size=1, max_size=5).map(" ".join), _COUNTRIES)
def test_showing_an_odd_name_again_changes_nothing(text, country):
    name = read(country, full=text)
    if name is not None:
        assert read(country, full=name["value"])["value"] == name["value"]
