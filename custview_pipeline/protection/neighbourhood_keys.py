"""Neighbourhood keys of any text: what they are, and how they are made of the code points of values of one length."""

from enum import IntEnum
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.tokens import first_words

WORD, SUBSTITUTION, TRANSPOSITION = b"wst"
"""What a keyed text begins with: its kind, then its place (0 for a word), then the letters."""

_CELLS_AT_ONCE: Final = 2_000_000
_BEYOND_ASCII: Final = 0x80
_CODE_POINTS: Final = 0x8000_0000  # marks texts that are MACed as code points, so that none equals a text of bytes

Letters = npt.NDArray[np.uint32]
_Found = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], "Part"]


class Part(IntEnum):
    """What a key was made of."""

    WHOLE = 0  # the value
    SHORTENED = 1  # the value less one character
    PATTERN = 2  # a place, and the value less the character there (substitution) or with two there in order (transposition)


class Keys(NamedTuple):
    """Keys of some values: position of the value, all 64 bits of the key, its part."""

    positions: npt.NDArray[np.int64]
    keys: npt.NDArray[np.int64]
    parts: npt.NDArray[np.uint8]

    @classmethod
    def together(cls, *found: Self) -> Self:
        """Return several as one."""
        none = cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))
        return cls(*(np.concatenate(column) for column in zip(none, *found, strict=True)))

    def of(self, positions: npt.NDArray[np.int64]) -> Self:
        """Return the same keys, of values that are at other positions."""
        return self._replace(positions=positions[self.positions])


def text_keys(mac: Cmac, values: pl.Series) -> Keys:
    """Return the keys of values (String, no nulls, none empty), 64 bits each."""
    frame = pl.DataFrame({"value": values, "length": values.str.len_chars()}).with_row_index("position")
    found: list[Keys] = []
    for alike in frame.partition_by("length", maintain_order=True):
        length, letters = int(alike["length"][0]), _letters(alike["value"])
        positions = alike["position"].to_numpy().astype(np.int64)
        step = max(1, _CELLS_AT_ONCE // (2 * length * (length + 2)))
        starts = range(0, len(letters), step)
        found.extend(_keys_of(mac, letters[at : at + step], positions[at : at + step]) for at in starts)
    return Keys.together(*found)


def _letters(values: pl.Series) -> Letters:
    """Return values of one length as a matrix of code points."""
    return np.frombuffer("".join(values).encode("utf-32-le"), "<u4").reshape(len(values), -1)


def _keys_of(mac: Cmac, letters: Letters, positions: npt.NDArray[np.int64]) -> Keys:
    count, length = letters.shape
    is_new_cut = np.ones((count, length), bool)  # leaving out either of two equal neighbours gives the same word
    is_new_cut[:, 1:] = letters[:, 1:] != letters[:, :-1]
    every = np.ones((count, length), bool)
    shortened = letters[:, _others(length)]
    return _joined(
        positions,
        _keyed(mac, _prefixed(WORD, letters[:, None, :]), every[:, :1], Part.WHOLE),
        _keyed(mac, _prefixed(WORD, shortened), is_new_cut, Part.SHORTENED),
        _keyed(mac, _prefixed(SUBSTITUTION, shortened), every, Part.PATTERN),
        _keyed(mac, _prefixed(TRANSPOSITION, _ordered(letters)), is_new_cut[:, 1:], Part.PATTERN),
    )


def _others(length: int) -> npt.NDArray[np.int64]:
    """Return for each place all places but this one."""
    places = np.broadcast_to(np.arange(length - 1), (length, length - 1))
    return places + (places >= np.arange(length)[:, None])


def _ordered(letters: Letters) -> Letters:
    """Return for each place the words with the letter there and the next one in order."""
    length = letters.shape[1]
    ordered = letters[:, np.broadcast_to(np.arange(length), (length - 1, length))]
    places = np.arange(length - 1)
    ordered[:, places, places] = np.minimum(letters[:, :-1], letters[:, 1:])
    ordered[:, places, places + 1] = np.maximum(letters[:, :-1], letters[:, 1:])
    return ordered


def _prefixed(kind: int, texts: Letters) -> Letters:
    """Return the texts (value, place, letter) behind their kind and, for a pattern, their place."""
    prefixed = np.empty((*texts.shape[:2], texts.shape[2] + 2), texts.dtype)
    prefixed[:, :, 0] = kind
    prefixed[:, :, 1] = 0 if kind == WORD else np.arange(texts.shape[1])
    prefixed[:, :, 2:] = texts
    return prefixed


def _keyed(mac: Cmac, texts: Letters, is_wanted: npt.NDArray[np.bool_], part: Part) -> _Found:
    """Return which value each wanted text is of, its key, and the part."""
    return np.nonzero(is_wanted)[0], _mac_keys(mac, texts[is_wanted]), part


def _mac_keys(mac: Cmac, texts: Letters) -> npt.NDArray[np.int64]:
    """Return the key of each row; one of ASCII alone is MACed as bytes, so that it has the key of the same word in ASCII."""
    keys = np.empty(len(texts), np.int64)
    is_ascii = (texts < _BEYOND_ASCII).all(axis=1)
    keys[is_ascii] = first_words(mac.of_rows(texts[is_ascii].astype(np.uint8)))
    others = texts[~is_ascii]
    others[:, 0] |= _CODE_POINTS
    keys[~is_ascii] = first_words(mac.of_rows(others.view(np.uint8)))
    return keys


def _joined(positions: npt.NDArray[np.int64], *found: _Found) -> Keys:
    return Keys(
        np.concatenate([positions[owners] for owners, _, _ in found]),
        np.concatenate([keys for _, keys, _ in found]),
        np.concatenate([np.full(len(keys), part, np.uint8) for _, keys, part in found]),
    )
