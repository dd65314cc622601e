"""Neighbourhood keys: values one edit apart meet in an equi-join, without anyone reading them.

A plain shared deletion would also join values two edits apart (maria, ariam). So each key says which part it plays: a
pair is neighbouring where the keys are equal, the tokens differ, and the parts are (0, 1), (1, 0) or (2, 2). Such pairs
are at distance 1 of optimal string alignment and are found by one key only; no such pair is missed.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.contracts.match_features import FEATURES, FUZZY
from custview_pipeline.contracts.match_index import NEIGHBOURHOODS
from custview_pipeline.protection.ascii_neighbourhoods import ascii_keys
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.neighbourhood_keys import Keys, text_keys
from custview_pipeline.protection.tokens import Tokeniser

LONGEST: Final = 40
"""Values of more characters get no keys: they would have many, and the record's other features find a typo in one."""


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
    is_keyed, is_ascii = lengths.is_between(1, LONGEST), values.str.len_bytes() == lengths
    found = [
        make(mac, values.filter(wanted)).of(wanted.arg_true().to_numpy().astype(np.int64))
        for make, wanted in ((ascii_keys, is_keyed & is_ascii), (text_keys, is_keyed & ~is_ascii))
    ]
    return Keys.together(*found)


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
