"""Takes erased records out of the match index: tokens, claims, and the neighbourhoods of values that only they had."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from custview_pipeline.contracts.match_features import FEATURES, FUZZY
from custview_pipeline.contracts.match_index import VALUE_PARTS, IndexPart
from custview_pipeline.kernel.ports import Commit

_NO_TOKENS: Final = pl.Series("token", [], pl.Int64)


def erase_from_index(commit: Commit, record_ids: pl.Series) -> None:
    """Rewrite the segments of the index that hold something of these records, in every generation.

    Args:
        commit: The change that it is part of.
        record_ids: The records, Int64.
    """
    is_kept = ~pl.col("record_id").is_in(record_ids.implode())
    given_up, kept = [_NO_TOKENS], [_NO_TOKENS]

    def keep_tokens(stored: pl.DataFrame) -> pl.DataFrame:
        remaining = stored.filter(is_kept)
        given_up.append(fuzzy_tokens(stored.filter(~is_kept)))
        kept.append(fuzzy_tokens(remaining))
        return remaining

    commit.rewrite_index(IndexPart.TOKENS, keep_tokens)
    commit.rewrite_index(IndexPart.CLAIMS, lambda stored: stored.filter(is_kept))
    # What several records of one customer held alone is counted too; the next match counts anew, by the same model.
    commit.rewrite_index(IndexPart.FREQUENCIES, lambda stored: stored.head(0))
    # Tokens of two generations never meet, so one set serves all generations.
    lost = pl.concat(given_up).unique()
    orphaned = lost.filter(~lost.is_in(pl.concat(kept).implode()))
    if len(orphaned):
        has_owner = ~pl.col("token").is_in(orphaned.implode())
        for part in VALUE_PARTS:
            commit.rewrite_index(part, lambda stored: stored.filter(has_owner))


def fuzzy_tokens(tokens: pl.DataFrame) -> pl.Series:
    """Return the tokens of the features in which typos are sought, each once.

    Args:
        tokens: Rows of the part ``TOKENS``.
    """
    return tokens_of(tokens, FUZZY)


def tokens_of(tokens: pl.DataFrame, features: Sequence[str]) -> pl.Series:
    """Return the tokens of some features, each once.

    Args:
        tokens: Rows of the part ``TOKENS``.
        features: Names of the features.
    """
    columns = [tokens[name].explode() if FEATURES[name].is_list else tokens[name] for name in features]
    return pl.concat([_NO_TOKENS, *(column.alias("token") for column in columns)]).drop_nulls().unique()
