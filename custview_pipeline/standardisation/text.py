"""Text as every standardiser needs it: cleaned, without accents, in one script or another; and what stands for "nothing"."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Final

import polars as pl

LONGEST_CELL: Final = 2000


def word_set(text: str) -> frozenset[str]:
    """Return the words of a table that is written as a text."""
    return frozenset(text.split())


def word_pairs(text: str) -> dict[str, str]:
    """Return a table that is written as a text: key, value, key, value."""
    every = text.split()
    return dict(zip(every[::2], every[1::2], strict=True))


# What people and exports write where they know nothing; compared in lower case.
PLACEHOLDERS: Final = word_set(
    r"""n/a n.a. n.a na #n/a #na null <null> (null) nil none <none> (none) nan unknown unk unkn undefined missing blank empty
    tbd tba tbc xxx xxxx xxxxx xxxxxx ? ?? ??? ???? - -- --- ---- . .. ... _ __ * ** *** / // \ , ; :
    无 無 不详 不詳 未知 未填 未填写 暂无 暫無 空 待定 没有 不明"""
) | {"not available", "not applicable", "not provided", "not known", "not given", "not specified", "no data", "no value"}
_LONGEST_PLACEHOLDER: Final = max(len(word.encode()) for word in PLACEHOLDERS)
# Words of that list which are also names when written as names are.
NAMES_LIKE_PLACEHOLDERS: Final = ("Na", "Nan", "Null", "Nil", "Unk", "Empty")

_APART: Final = str.maketrans(
    word_pairs(
        "ß ss æ ae Æ AE œ oe Œ OE ø o Ø O ł l Ł L đ d Đ D ð d Ð D þ th Þ TH \u0131 i ħ h Ħ H "
        "\u2019 ' \u2018 ' ` ' \u00b4 ' \u2013 - — - \u2010 - \u2011 -"
    )
)
# Full-width letters and digits of Chinese keyboards, the ideographic space, typographers' apostrophes.
_NARROW: Final = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)} | {"\u3000": " ", "\u2018": "'", "\u2019": "'"}
HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN: Final = re.compile(f"[{HAN}]")
# Nothing to clean: printable ASCII and common Chinese characters, which are their own normal form, with single spaces within.
_CLEAN: Final = r"^[!-~\u4e00-\u9fff]+(?: [!-~\u4e00-\u9fff]+)*$"
_SEPARATORS: Final = re.compile(r"[^a-z0-9]+")
_OF_WORDS: Final = "LMN"  # Unicode's letters, marks and numbers
_NOT_LETTERS: Final = re.compile(r"[^a-z' -]")
# "3rd" is no word of a name, and a digit that touches letters is a slip of the key beside the right one: Dobs9n.
_ORDINAL: Final = re.compile(r"\b\d+(?:st|nd|rd|th)\b")
_SLIP: Final = re.compile(r"(?<=[a-z])\d+|\d+(?=[a-z])")


def clean(cells: pl.Series, *, keep_lines: bool = False) -> pl.Series:
    r"""Return cells without control characters, in NFC and half width, with single spaces; null where nothing is left.

    Args:
        cells: Text.
        keep_lines: Whether line breaks stay (as one ``\n``), for addresses.
    """
    is_clean = (cells.str.contains(_CLEAN) & (cells.str.len_bytes() <= LONGEST_CELL)).fill_null(value=True)
    if is_clean.all():
        return cells
    rest = (~is_clean).arg_true()
    return cells.clone().scatter(rest, _clean_each(cells.gather(rest), keep_lines=keep_lines))


def _clean_each(cells: pl.Series, *, keep_lines: bool) -> pl.Series:
    text = cells.str.slice(0, LONGEST_CELL).str.normalize("NFC").str.replace_many(_NARROW)
    text = text.str.replace_all("\r\n|\r|\u2028|\u2029", "\n", literal=False)
    text = text.str.replace_all(
        r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]", ""
    )
    blank = r"[^\S\n]+" if keep_lines else r"\s+"
    text = text.str.replace_all(blank, " ").str.replace_all(r" ?\n[ \n]*", "\n").str.strip_chars(" \n\t")
    return text.replace("", None)


def is_placeholder(cells: pl.Series, *, is_name: bool) -> pl.Series:
    """Return whether a cleaned cell says that nothing is known; false where it is null."""
    may_be = (cells.str.len_bytes() <= _LONGEST_PLACEHOLDER).fill_null(value=False)
    rest = may_be.arg_true()
    text = cells.gather(rest)
    stands_for_nothing = text.str.to_lowercase().is_in(sorted(PLACEHOLDERS))
    flags = stands_for_nothing & ~text.is_in(NAMES_LIKE_PLACEHOLDERS) if is_name else stands_for_nothing
    return pl.repeat(value=False, n=len(cells), dtype=pl.Boolean, eager=True).scatter(rest, flags)


def fold(text: str) -> str:
    """Return lower case without accents, Latin letters only; other scripts are dropped."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text.translate(_APART)).encode("ascii", "ignore").decode().lower()


def words(text: str | None) -> list[str]:
    """Return the Latin words of a name: letters only, apostrophes and digits within closed up, hyphens open, no ordinals."""
    return [*_words(text)] if text else []


@lru_cache(100_000)
def _words(text: str) -> tuple[str, ...]:
    folded = _SLIP.sub("", _ORDINAL.sub(" ", fold(text)))
    return tuple(_NOT_LETTERS.sub(" ", folded).replace("'", "").replace("-", " ").split())


def comparable_text(text: str) -> str | None:
    """Return what free text is compared by: folded where it is Latin, case-folded in its own script elsewhere."""
    folded = _SEPARATORS.sub(" ", fold(text)).strip()
    if folded and not _has_other_script(text):
        return folded
    own = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(sign if unicodedata.category(sign)[0] in _OF_WORDS else " " for sign in own).split()
    return " ".join(words or own.split()) or None


def _has_other_script(text: str) -> bool:
    """Return whether letters or digits are left out where a text is folded."""
    if text.isascii():
        return False
    return any(sign.isalnum() and not sign.isascii() for sign in unicodedata.normalize("NFKD", text.translate(_APART)))


def has_han(text: str) -> bool:
    """Return whether a Chinese character is among the letters."""
    return not text.isascii() and _HAN.search(text) is not None


def has_uniform_case(text: str) -> bool:
    """Return whether all letters are capitals or none is, so that their case says nothing."""
    return text.isupper() or text.islower()


def as_json(*names: str) -> pl.Expr:
    """Return the filled columns as ``to_json`` writes them; their texts must hold nothing that JSON escapes."""
    fields = [pl.concat_str(pl.lit(f'"{name}": "'), name, pl.lit('"')) for name in sorted(names)]
    return pl.concat_str(pl.lit("{"), pl.concat_str(fields, separator=", ", ignore_nulls=True), pl.lit("}"))


def to_json(parts: Mapping[str, str | None]) -> str:
    """Return the filled parts as a JSON object whose text depends on the parts alone; names are plain identifiers."""
    return "{" + ", ".join([f'"{name}": {encode_basestring(part)}' for name, part in sorted(parts.items()) if part]) + "}"
