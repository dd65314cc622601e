"""Letters of other scripts as Latin ones, for comparison only: Cyrillic, Greek, kana, hangul, Arabic, Hebrew, Devanagari, ..."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from anyascii import anyascii

from custview_pipeline.standardisation.text import HAN, word_pairs, words

_KANA: Final = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_HANGUL: Final = "\uac00-\ud7af"
# Alphabets from Greek on, kana and hangul; no Chinese characters: their reading is a matter of language.
_OTHER: Final = re.compile(f"[\u0370-\u1dbf\u1f00-\u1fff\u2c00-\u2c5f\u2d00-\u2dff\ua640-\ua69f{_KANA}{_HANGUL}]+")
EAST_ASIAN: Final = f"{HAN}{_KANA}{_HANGUL}\u3005"  # \u3005 repeats a character: 佐々木
_EAST_ASIAN: Final = re.compile(f"[{EAST_ASIAN}]")
_EAST_ASIAN_RUN: Final = re.compile(f"[{EAST_ASIAN}\u00b7]+")
_IS_KANA: Final = re.compile(f"[{_KANA}\u3005]")
_IS_HANGUL: Final = re.compile(f"[{_HANGUL}]")
# Where passports and people write otherwise than letter by letter: Greek ou, the Russian ending -iy, Japanese Tarou.
_GREEK_OU: Final = re.compile("[\u03bf\u039f][\u03c5\u03cd\u03a5\u038e]")
_CYRILLIC_END: Final = re.compile(r"(?<=[iy])y\b")
_LONG_VOWEL: Final = re.compile(r"(?<=o)u|(?<=u)u|(?<=o)o|-")
_SMALL_VOWELS: Final = word_pairs("ゃ a ゅ u ょ o ャ a ュ u ョ o")
_SMALL_Y: Final = re.compile(f"(.)([{''.join(_SMALL_VOWELS)}])")
_WITHOUT_Y: Final = frozenset({"sh", "ch", "j"})
_DOUBLED: Final = re.compile("[っッ](.)")
# Surnames as most Koreans write theirs; those that the Revised Romanisation gives as they do are left out. Of general knowledge.
_KOREAN_SURNAMES: Final = word_pairs(
    """김 kim 이 lee 박 park 최 choi 정 jung 강 kang 조 cho 윤 yoon 임 lim 오 oh 서 seo 신 shin 권 kwon 안 ahn 류 ryu 유 yoo
    고 ko 문 moon 우 woo 구 koo 주 joo 노 noh 곽 kwak 백 baek 허 heo 전 jeon 성 sung 국 kook 길 gil 금 keum 라 ra 나 na 도 do"""
)
_KOREAN_COMPOUNDS: Final = ("남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방")


def has_east_asian(text: str) -> bool:
    """Return whether a Chinese character, kana or hangul is among the letters."""
    return not text.isascii() and _EAST_ASIAN.search(text) is not None


def east_asian_of(text: str) -> str:
    """Return the Chinese characters, kana and hangul of a text, in their order; dots part the names of foreigners."""
    return "".join(_EAST_ASIAN_RUN.findall(text)).strip("\u00b7\u30fb\u30fc")


def is_kana(text: str) -> bool:
    """Return whether kana is among the letters: Chinese characters beside it are Japanese."""
    return _IS_KANA.search(text) is not None


def is_hangul(text: str) -> bool:
    """Return whether hangul is among the letters."""
    return _IS_HANGUL.search(text) is not None


def latin_words(text: str | None) -> list[str]:
    """Return the words of a name in Latin letters (``text.words``), other scripts but Chinese transliterated."""
    return words(to_latin(text)) if text else []


@lru_cache(100_000)
def to_latin(text: str) -> str:
    """Return a text with the letters of other scripts as Latin ones; Chinese characters, and what has no letters, stay."""
    if text.isascii() or not _OTHER.search(text):
        return text
    return _OTHER.sub(_in_latin, text)


def _in_latin(found: re.Match[str]) -> str:
    written = found[0]
    if _IS_KANA.search(written):
        return " ".join(map(_kana_in_latin, written.split("\u30fb")))
    latin = anyascii(_GREEK_OU.sub("ou", written))
    return latin.lower() if _IS_HANGUL.search(written) else _CYRILLIC_END.sub("", latin)


def _kana_in_latin(kana: str) -> str:
    """Return Hepburn without long vowels, as passports have it: きょうこ is kyoko, はっとり hattori."""
    kana = _SMALL_Y.sub(_with_glide, unicodedata.normalize("NFKC", kana))
    return _LONG_VOWEL.sub("", anyascii(_DOUBLED.sub(lambda found: anyascii(found[1])[0] + found[1], kana)))


def _with_glide(found: re.Match[str]) -> str:
    stem = anyascii(found[1])[:-1]
    return f"{stem}{'' if stem in _WITHOUT_Y else 'y'}{_SMALL_VOWELS[found[2]]}"


def korean_reading(native: str) -> tuple[str, str]:
    """Return family name and given name of a Korean name in hangul, in Latin letters; a blank in it may divide them."""
    family, _, given = native.partition(" ")
    if not given:
        length = 2 if family.startswith(_KOREAN_COMPOUNDS) and len(family) > len("남궁") else 1
        family, given = family[:length], family[length:]
    return _KOREAN_SURNAMES.get(family) or "".join(latin_words(family)), "".join(latin_words(given))


def japanese_reading(native: str) -> tuple[str, str]:
    """Return family name and given name of a name in kana alone; a foreigner's (parted by a dot) has its given name first."""
    head, dot, tail = native.partition("\u30fb" if "\u30fb" in native else " ")
    family, given = ("".join(latin_words(part)) for part in (head, tail))
    return (given, family) if dot == "\u30fb" else (family, given)
