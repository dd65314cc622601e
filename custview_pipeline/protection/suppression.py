"""Marks of what was erased: they recognise it when it comes again, and say nothing to whoever lacks the key.

A mark is not the record's id: whoever has the lake and the ledger, and no keys, cannot tell which of its records a mark is of.
"""

from typing import Final

import numpy as np
import polars as pl

from custview_pipeline.protection.byte_columns import spread
from custview_pipeline.protection.cmac import Cmac
from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.tokens import first_words, text_tokens

_ID_BYTES: Final = 8


def suppression_marks(id_key: bytes, record_ids: pl.Series) -> pl.Series:
    """Return the mark of each record id: Int64, null where the id is null.

    Args:
        id_key: The purpose key ``id``.
        record_ids: Int64.
    """
    is_known = record_ids.is_not_null()
    words = record_ids.filter(is_known).cast(pl.Int64).to_numpy().astype("<i8")
    macs = Cmac(derive_key(id_key, "suppression_mark")).of_rows(words.view(np.uint8).reshape(-1, _ID_BYTES))
    return spread(pl.Series(first_words(macs)), is_known).rename("mark")


def customer_marks(id_key: bytes, cuids: pl.Series) -> pl.Series:
    """Return the mark of each customer id: Int64, null where the id is null.

    Args:
        id_key: The purpose key ``id``.
        cuids: String, in their canonical form.
    """
    return text_tokens(Cmac(derive_key(id_key, "customer_mark")), cuids).rename("mark")
