"""Chinese names: where the surname ends, how it is read, and when Latin letters spell a Chinese name."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final, NamedTuple

from pypinyin import Style, lazy_pinyin, pinyin_dict

from custview_pipeline.standardisation.text import word_pairs, word_set

COMPOUND_SURNAMES: Final = word_set(
    """欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 夏侯 东方 東方 皇甫 尉迟 尉遲 公孙 公孫 慕容 令狐 长孙 長孫 宇文
    司徒 司空 端木 南宫 南宮 西门 西門 独孤 獨孤 轩辕 軒轅 钟离 鍾離 闻人 聞人 呼延 申屠 太史 公羊 澹台
    澹臺 万俟 萬俟 拓跋 赫连 赫連 濮阳 濮陽 淳于 单于 單于 宗政 公冶 仲孙 仲孫 鲜于 鮮于 闾丘 閭丘 东郭
    東郭 百里 第五 梁丘 左丘 羊舌 微生 乐正 樂正 漆雕 公西 壤驷 夹谷 谷梁 段干 东门 南门 巫马 公良 子车
    颛孙 亓官 完颜 叶赫 纳兰 钮祜禄 爱新觉罗"""
)
# Surnames that are read otherwise than the same character elsewhere. As dictionaries mark them (姓).
_SURNAME_READINGS: Final[dict[str, str]] = word_pairs(
    """单 shan 單 shan 曾 zeng 仇 qiu 解 xie 查 zha 朴 piao 区 ou 區 ou 盖 ge 蓋 ge 任 ren 宁 ning 甯 ning 华 hua 繁 po 洗
    xian 冼 xian 员 yun 缪 miao 繆 miao 乐 yue 黑 he 折 she 召 shao 种 chong 翟 zhai 秘 bi 祭 zhai 覃 qin 谌 chen 阚
    kan 隗 wei 逄 pang 费 fei 哈 ha 撒 sa 尉 wei 牟 mou 那 na 都 du 车 che 長 chang 长 chang 过 guo 应 ying 强 qiang 郇
    xun 佘 she 句 gou 万俟 moqi 萬俟 moqi 尉迟 yuchi 尉遲 yuchi 长孙 zhangsun 長孫 zhangsun 单于 chanyu 單于 chanyu 澹台
    tantai 澹臺 tantai 乐正 yuezheng"""
)
# Surnames that most people in China have, as pinyin spells them; frequent ones of general knowledge, no published list.
CHINESE_SURNAMES: Final = word_set(
    """wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo he lin gao luo zheng liang xie song tang han feng
    deng cao peng zeng xiao tian dong pan yuan cai jiang yu du ye cheng wei su lu ding ren yao lv lyu shen zhong cui tan
    fan liao shi jin jia xia fu fang zou xiong bai meng qin qiu hou yan xue lei long tao mao hao gong shao wan qian dai qi
    mo kong xiang chang tang ou ouyang situ sima zhuge shangguan duan qiao yin lai wen niu pang ge nie geng guan zhan miao
    xing ji qu mei mi ning rong ruan sheng shu sha tu teng wu xin zha zhuang zuo an bao bi bian cen chai che chu cong"""
)


# Where ü is written as v or yu; n and yu behind a vowel are two syllables: Xinyu.
HAS_TWO_SPELLINGS: Final = "[ln]v|lyu|(?:^|[^aeiou])nyu"
_TWO_SPELLINGS: Final = re.compile("([ln])v|(l)yu|(?<![aeiou])(n)yu")


class ChineseName(NamedTuple):
    """A name in Chinese characters, and how it is read.

    Attributes:
        family, given: In characters; given is empty where there is a surname only.
        family_pinyin, given_pinyin: Latin letters without tones, joined.
    """

    family: str
    given: str
    family_pinyin: str
    given_pinyin: str


def read_chinese_name(family: str, given: str) -> ChineseName:
    """Return a Chinese name with its reading.

    Args:
        family: The surname, or the whole name where ``given`` is empty.
        given: The given name; empty where ``family`` holds the whole name.
    """
    if not given:
        family, given = _split(family)
    return ChineseName(family, given, surname_reading(family), given_reading(given))


@lru_cache(20_000)
def surname_reading(surname: str) -> str:
    """Return a surname in pinyin as surnames are read: 单 is shan."""
    return one_spelling(_SURNAME_READINGS.get(surname) or to_pinyin(surname))


@lru_cache(200_000)
def given_reading(name: str) -> str:
    """Return the characters of a given name in pinyin."""
    return one_spelling(to_pinyin(name))


def _split(name: str) -> tuple[str, str]:
    head, dot, tail = name.partition("·")
    if dot:  # a name of a minority or of a foreigner: given name first
        return tail, head
    if name in COMPOUND_SURNAMES:
        return name, ""
    longest = next((k for k in (4, 3, 2) if len(name) > k and name[:k] in COMPOUND_SURNAMES), 1)
    return name[:longest], name[longest:]


def to_pinyin(text: str) -> str:
    """Return Chinese characters as pinyin without tones, joined; other characters are left out."""
    return "".join(
        syllable for syllable in lazy_pinyin(text, style=Style.NORMAL, errors="ignore", v_to_u=False) if syllable.isascii()
    )


def one_spelling(pinyin: str) -> str:
    """Return pinyin with ü as u: passports write LYU, forms LV, people Lu; of Tianyu, which is tian and yu, nothing changes."""
    return _TWO_SPELLINGS.sub(r"\1\2\3u", pinyin)


@cache
def syllables() -> frozenset[str]:
    """Return the syllables of pinyin without tones, ü as v; those of one letter left out."""
    every = {reading for line in pinyin_dict.pinyin_dict.values() for reading in line.split(",")}
    plain = {_without_tone(syllable) for syllable in every} | {"lyu", "nyu"}
    return frozenset(syllable for syllable in plain if len(syllable) > 1 and set(syllable) & set("aeiouv"))


def _without_tone(reading: str) -> str:
    plain = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(char for char in plain if char.isascii() and char.isalpha())


@lru_cache(50_000)
def is_pinyin(word: str) -> bool:
    """Return whether a word can be one or several syllables of pinyin: xiaoming."""
    if word in syllables():
        return True
    return any(word[:k] in syllables() and is_pinyin(word[k:]) for k in range(1, min(7, len(word))))
