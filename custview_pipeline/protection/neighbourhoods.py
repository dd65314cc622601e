"""Neighbourhood keys: values one edit apart meet in an equi-join, without anyone reading them.

A plain shared deletion would also join values two edits apart (maria, ariam). So each key says which part it plays: a
pair is neighbouring where the keys are equal, the tokens differ, and the parts are (0, 1), (1, 0) or (2, 2). Such pairs
are at distance 1 of optimal string alignment and are found by one key only; no such pair is missed.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from custview_pipeline.contracts.match_features import FEATURES, FUZZY
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.tokens import Tokeniser, first_words

LONGEST: Final = 40
"""Values of more characters get no keys: they would have many, and the record's other features find a typo in one."""

_CELLS_AT_ONCE: Final = 2_000_000
_WORD, _SUBSTITUTION, _TRANSPOSITION = b"wst"
_BEYOND_ASCII: Final = 0x80
_CODE_POINTS: Final = 0x8000_0000  # marks texts that are MACed as code points, so that none equals a text of bytes

Letters = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]
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


def neighbourhoods(features: pl.DataFrame, tokeniser: Tokeniser, *, rule_version: str) -> pl.DataFrame:
    """Return the neighbourhood keys of every distinct value of the fuzzy features.

    Args:
        features: Columns of ``FEATURE_TEXTS``, or some of them.
        tokeniser: The one that makes the tokens.
        rule_version: Version of the rules that made the features.

    Returns:
        Columns ``NEIGHBOURHOODS``: the value's token, 32 bits of a key, a ``Part``. Keys of two token fields
        do not meet, but for the few that 32 bits cannot tell apart.
    """
    frames = [NEIGHBOURHOODS.to_frame()]
    for token_field, values in _fuzzy_values(features):
        tokens = tokeniser.tokens(token_field, values, rule_version=rule_version)
        found = neighbourhood_keys(tokeniser.neighbourhood_mac(token_field, rule_version=rule_version), values)
        columns = {"token": tokens.to_numpy()[found.positions], "key": found.keys.astype(np.int32), "part": found.parts}
        frames.append(pl.DataFrame(columns, schema=NEIGHBOURHOODS))
    return pl.concat(frames)


def neighbourhood_keys(mac: Cmac, values: pl.Series) -> Keys:
    """Return the keys of distinct values (String, no nulls), 64 bits each; those over ``LONGEST`` letters have none."""
    lengths = values.str.len_chars()
    frame = pl.DataFrame({"value": values, "length": lengths, "is_ascii": values.str.len_bytes() == lengths})
    frame = frame.with_row_index("position").filter(pl.col("length").is_between(1, LONGEST))
    found = [Keys(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))]
    for alike in frame.partition_by("length", "is_ascii", maintain_order=True):
        length, letters = int(alike["length"][0]), _letters(alike["value"], is_ascii=alike["is_ascii"][0])
        positions = alike["position"].to_numpy().astype(np.int64)
        step = max(1, _CELLS_AT_ONCE // (2 * length * (length + 2)))
        starts = range(0, len(letters), step)
        found.extend(_keys_of(mac, letters[at : at + step], positions[at : at + step]) for at in starts)
    return Keys(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _fuzzy_values(features: pl.DataFrame) -> Iterator[tuple[str, pl.Series]]:
    """Yield each token field that has fuzzy features, with their distinct values of sufficient length."""
    by_field: dict[str, list[pl.Series]] = {}
    for name in (name for name in FUZZY if name in features.columns):
        feature, column = FEATURES[name], features[name]
        values = column.filter(column.list.len() > 0).explode() if feature.is_list else column
        values = values.drop_nulls().unique()
        long_enough = values.filter(values.str.len_chars() >= (feature.fuzzy_from or 1))
        by_field.setdefault(feature.token_field or name, []).append(long_enough.rename("value"))
    for token_field, parts in by_field.items():
        yield token_field, pl.concat(parts).unique().sort()


def _letters(values: pl.Series, *, is_ascii: bool) -> Letters:
    """Return values of one length as a matrix: bytes where all are ASCII, else code points."""
    text = "".join(values)
    letters: Letters = np.frombuffer(text.encode(), np.uint8) if is_ascii else np.frombuffer(text.encode("utf-32-le"), "<u4")
    return letters.reshape(len(values), -1)


def _keys_of(mac: Cmac, letters: Letters, positions: npt.NDArray[np.int64]) -> Keys:
    count, length = letters.shape
    is_new_cut = np.ones((count, length), bool)  # leaving out either of two equal neighbours gives the same word
    is_new_cut[:, 1:] = letters[:, 1:] != letters[:, :-1]
    every = np.ones((count, length), bool)
    shortened = letters[:, _others(length)]
    return _joined(
        positions,
        _keyed(mac, _prefixed(_WORD, letters[:, None, :]), every[:, :1], Part.WHOLE),
        _keyed(mac, _prefixed(_WORD, shortened), is_new_cut, Part.SHORTENED),
        _keyed(mac, _prefixed(_SUBSTITUTION, shortened), every, Part.PATTERN),
        _keyed(mac, _prefixed(_TRANSPOSITION, _ordered(letters)), is_new_cut[:, 1:], Part.PATTERN),
    )


def _others(length: int) -> npt.NDArray[np.int64]:
    """Return for each place all places but this one."""
    places = np.broadcast_to(np.arange(length - 1), (length, length - 1))
    return places + (places >= np.arange(length)[:, None])


def _ordered(letters: Letters) -> Letters:
    """Return for each place the words with the letter there and the next one in order."""
    length = letters.shape[1]
    ordered: Letters = letters[:, np.broadcast_to(np.arange(length), (length - 1, length))]
    places = np.arange(length - 1)
    ordered[:, places, places] = np.minimum(letters[:, :-1], letters[:, 1:])
    ordered[:, places, places + 1] = np.maximum(letters[:, :-1], letters[:, 1:])
    return ordered


def _prefixed(kind: int, texts: Letters) -> Letters:
    """Return the texts (value, place, letter) behind their kind and, for a pattern, their place."""
    prefixed = np.empty((*texts.shape[:2], texts.shape[2] + 2), texts.dtype)
    prefixed[:, :, 0] = kind
    prefixed[:, :, 1] = 0 if kind == _WORD else np.arange(texts.shape[1])
    prefixed[:, :, 2:] = texts
    return prefixed


def _keyed(mac: Cmac, texts: Letters, is_wanted: npt.NDArray[np.bool_], part: Part) -> _Found:
    """Return which value each wanted text is of, its key, and the part."""
    return np.nonzero(is_wanted)[0], _text_keys(mac, texts[is_wanted]), part


def _text_keys(mac: Cmac, texts: Letters) -> npt.NDArray[np.int64]:
    """Return the key of each row; one of ASCII alone has the same key as bytes and as code points."""
    if texts.dtype == np.uint8:
        return first_words(mac.of_rows(texts.astype(np.uint8, copy=False)))
    keys = np.empty(len(texts), np.int64)
    is_ascii = (texts < _BEYOND_ASCII).all(axis=1)
    keys[is_ascii] = _text_keys(mac, texts[is_ascii].astype(np.uint8))
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
