"""Chinese names: surnames, their readings, and syllables."""

import pytest
from pypinyin import Style, lazy_pinyin

from custview_pipeline.standardisation.names.chinese_names import (
    given_reading,
    is_pinyin,
    one_spelling,
    read_chinese_name,
    syllables,
    to_pinyin,
)

READINGS = [
    ("王小明", "王", "wang", "xiaoming"),
    ("歐陽娜娜", "歐陽", "ouyang", "nana"),
    ("欧阳娜娜", "欧阳", "ouyang", "nana"),
    ("單雄信", "單", "shan", "xiongxin"),
    ("单雄信", "单", "shan", "xiongxin"),
    ("單于小明", "單于", "chanyu", "xiaoming"),
    ("万俟小明", "万俟", "moqi", "xiaoming"),
    ("盖小明", "盖", "ge", "xiaoming"),
    ("覃小明", "覃", "qin", "xiaoming"),
    ("繆小明", "繆", "miao", "xiaoming"),
    ("缪小明", "缪", "miao", "xiaoming"),
    ("爱新觉罗小明", "爱新觉罗", "aixinjueluo", "xiaoming"),
    ("司马", "司马", "sima", ""),
    ("張偉", "張", "zhang", "wei"),
    ("张伟", "张", "zhang", "wei"),
    ("呂綠", "呂", "lu", "lu"),
    ("吕绿", "吕", "lu", "lu"),
]


@pytest.mark.parametrize(("name", "family", "family_pinyin", "given_pinyin"), READINGS)
def test_a_name_is_divided_and_read(name, family, family_pinyin, given_pinyin):
    read = read_chinese_name(name, "")
    assert (read.family, read.family_pinyin, read.given_pinyin) == (family, family_pinyin, given_pinyin)


@pytest.mark.parametrize(
    ("pinyin", "spelling"),
    [
        ("lyu", "lu"),
        ("lv", "lu"),
        ("nyu", "nu"),
        ("tianyu", "tianyu"),
        ("chanyu", "chanyu"),
        ("xianglv", "xianglu"),
        ("jinlyu", "jinlu"),
    ],
)
def test_u_with_dots_has_one_spelling_and_two_syllables_stay(pinyin, spelling):
    assert one_spelling(pinyin) == spelling


@pytest.mark.parametrize("text", ["长乐", "重阳", "朝阳", "行健", "乐", "银行", "音乐"])
def test_a_given_name_is_read_as_pypinyin_reads_the_phrase(text):
    assert given_reading(text) == one_spelling("".join(lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)))


@pytest.mark.parametrize("word", ["xiaoming", "zhuang", "lv", "an", "shuangshuang"])
def test_syllables_spell_pinyin(word):
    assert is_pinyin(word)


@pytest.mark.parametrize("word", ["smith", "a", "john", "brst", ""])
def test_other_words_do_not(word):
    assert not is_pinyin(word)


def test_there_are_as_many_syllables_as_pinyin_has():
    assert len(syllables()) > 400
    assert to_pinyin("绿A") == "lv"
