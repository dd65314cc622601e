"""Keyed tokens: equal where two values are equal, and saying nothing else to whoever lacks the key.

Tokens stay personal data: whoever holds the token key can test guesses. They are stored encrypted only.
"""

from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.protection.cmac import Cmac, Macs
from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.key_holder import KeyHolder

_VALUE: Final = "token"
_NEIGHBOURHOOD: Final = "neighbourhood"


class Tokeniser(KeyHolder):
    """Makes the tokens of one version of the token key. Its repr shows no key.

    Args:
        token_key: The purpose key ``token``, 32 bytes.
        token_version: Its version; tokens of two versions never meet.
    """

    def __init__(self, token_key: bytes, token_version: int) -> None:
        self._token_key = token_key
        self._token_version = token_version
        self._macs: dict[tuple[str, str, str], Cmac] = {}

    def __repr__(self) -> str:
        return f"Tokeniser(token_version={self._token_version})"

    def tokens(self, token_field: str, values: pl.Series, *, rule_version: str) -> pl.Series:
        """Return the tokens of a column.

        Args:
            token_field: Columns of one token field share their tokens; those of two never meet.
            values: String, or List(String).
            rule_version: Version of the rules that made the values comparable; tokens of two versions never meet.

        Returns:
            Int64 or List(Int64), null where the value is null, under the name of ``values``.
        """
        mac = self._mac(_VALUE, token_field, rule_version)
        return _list_tokens(mac, values) if values.dtype == pl.List else text_tokens(mac, values)

    def tokenise_features(self, features: pl.DataFrame, *, rule_version: str) -> pl.DataFrame:
        """Return the features as tokens.

        Args:
            features: Columns of ``FEATURE_TEXTS``.
            rule_version: See ``tokens``.

        Returns:
            The same columns and rows: Int64, List(Int64), or the flag as it was; ``row`` too.
        """
        return features.with_columns(
            self.tokens(feature.token_field, features[feature.name], rule_version=rule_version)
            for feature in FEATURES.values()
            if feature.token_field is not None
        )

    def neighbourhood_mac(self, token_field: str, *, rule_version: str) -> Cmac:
        """Return what makes the neighbourhood keys of a token field; its keys tell nothing about the field's tokens."""
        return self._mac(_NEIGHBOURHOOD, token_field, rule_version)

    def _mac(self, label: str, token_field: str, rule_version: str) -> Cmac:
        use = (label, token_field, rule_version)
        if use not in self._macs:
            self._macs[use] = Cmac(derive_key(self._token_key, label, token_field, rule_version, self._token_version))
        return self._macs[use]


def text_tokens(mac: Cmac, values: pl.Series) -> pl.Series:
    """Return the token of each value of a String series, Int64; null where the value is null."""
    if not values.null_count():
        return pl.Series(values.name, first_words(mac.of_series(values)))
    is_filled = values.is_not_null()
    tokens = np.zeros(len(values), np.int64)
    tokens[is_filled.to_numpy()] = first_words(mac.of_series(values.filter(is_filled)))
    return pl.select(pl.when(is_filled).then(pl.Series(tokens)).alias(values.name)).to_series()


def first_words(macs: Macs) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the first 64 bits of each MAC, read as a little-endian signed number."""
    return np.ascontiguousarray(macs[:, 0]).view("<i8").astype(np.int64, copy=False)


def _list_tokens(mac: Cmac, lists: pl.Series) -> pl.Series:
    lengths = lists.list.len()
    elements = lists.filter(lengths > 0).explode()
    tokens = text_tokens(mac, elements)
    offsets = np.zeros(len(lists) + 1, np.int64)
    np.cumsum(lengths.fill_null(0).to_numpy(), out=offsets[1:])
    rebuilt = pa.LargeListArray.from_arrays(
        pa.array(offsets), tokens.to_arrow(), mask=pa.array(lists.is_null().to_numpy()) if lists.null_count() else None
    )
    return pl.Series(lists.name, rebuilt, dtype=pl.List(pl.Int64))
