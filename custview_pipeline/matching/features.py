"""Prepares the tokens of one entity type for matching: row numbers, neighbours, term frequencies, word weights."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.matching.engine import Engine

# A house is its number, street and place; it has a term frequency of its own (a block of flats is weak evidence).
_HOUSE: Final = "hash(house_number, street, coalesce(postal_code, city))"
_FREQUENCIES: Final[dict[str, tuple[str, str]]] = {  # name -> (expression, what must be filled)
    "given": ("given", "given"),
    "family": ("family", "family"),
    "birth_date": ("birth_date", "birth_date"),
    "email": ("email", "email"),
    "house": (_HOUSE, "xor(house_number, street)"),
    "postal_code": ("postal_code", "postal_code"),
    "birth_place": ("birth_place", "birth_place"),
    "occupation": ("occupation", "occupation"),
    "enterprise_name": ("enterprise_name", "enterprise_name"),
}
# Other records that are taken to exist, each with values of its own: in a list of ten, a value that two hold is not common.
OTHERS: Final = 1000
_RAREST: Final = -30.0  # log share of a value nobody has; never used by an agreement, which needs two holders
_FILLED_SHARE: Final = 0.001  # a feature filled in fewer records than this is left out
LARGEST_NEAR_GROUP: Final = 20  # phones and identifiers held by more records are not sought one edit apart
NEAR_LISTS: Final = ("phone_tails", "identifiers")  # features of which a record may have several, sought one edit apart


class Prepared:
    """The tokens of one entity type, ready in the engine.

    Tables made: ``records`` (rid 0..n-1 in the order of record id; tokens; ``lf_*`` log shares; ``word_weight``),
    ``near`` (left_token, right_token: values one edit apart), ``word`` (rid, token, weight), ``near_phone_tails`` and
    ``near_identifiers`` (i < j: records with such values one edit apart; ``block_pairs``: how many pairs
    their rarest such values make).
    """

    def __init__(self, engine: Engine, entity_type: EntityType, neighbourhoods: pl.DataFrame, tokens: pl.DataFrame) -> None:
        mine = tokens.filter(pl.col("is_enterprise") == (entity_type is EntityType.ENTERPRISE)).sort("record_id")
        self.record_ids = mine["record_id"]
        self.count = mine.height
        self.filled = _filled(mine)
        engine.load("raw_records", mine.drop("record_id", "version").with_row_index("rid").cast({"rid": pl.Int32}))
        engine.load("neighbourhood", neighbourhoods)
        self._find_neighbours(engine)
        self._weigh(engine)

    def _find_neighbours(self, engine: Engine) -> None:
        """Join the keys of values: equal patterns, or a word less one letter against a whole word (distance one)."""
        engine.run(
            """create or replace table near as select distinct x.token left_token, y.token right_token
            from neighbourhood x join neighbourhood y on x.key = y.key and x.token <> y.token
            where x.part + y.part = 1 or x.part + y.part = 4"""
        )
        for feature in NEAR_LISTS:
            engine.run(
                f"""create or replace table near_{feature} as
                with held as (select rid, unnest({feature}) token from raw_records),
                groups as (select token, list(rid) rids from held group by token having count(*) <= {LARGEST_NEAR_GROUP}),
                lefts as (select unnest(l.rids) i, r.rids, len(l.rids) * len(r.rids) block_pairs
                    from groups l join near on l.token = near.left_token
                    join groups r on r.token = near.right_token where near.left_token < near.right_token),
                pairs as (select i, unnest(rids) j, block_pairs from lefts)
                select least(i, j) i, greatest(i, j) j, min(block_pairs) block_pairs from pairs where i <> j group by 1, 2"""
            )

    def _weigh(self, engine: Engine) -> None:
        """Add log shares of values and inverse frequencies of words to each record."""
        joins, columns = "", ""
        for name, (expression, filled) in _FREQUENCIES.items():
            engine.run(
                f"""create or replace table share_{name} as select {expression} token, ln(count(*) / {self.count + OTHERS}) share
                from raw_records where {filled} is not null group by 1"""
            )
            joins += f" left join share_{name} on share_{name}.token = {expression}"
            columns += f", coalesce(share_{name}.share, {_RAREST})::float lf_{name}"
        # weights are multiples of 1/1024, so that their sums do not depend on the order of adding
        engine.run(
            f"""create or replace table word as
            with held as (select rid, unnest(name_words) token from raw_records),
            shares as (select token, round(1024 * ln({self.count + 1} / count(*))) / 1024 weight from held group by token)
            select rid, token, weight from held join shares using (token)"""
        )
        engine.run(
            f"""create or replace table share_phones as
            with held as (select rid, unnest(phones) token from raw_records),
            counts as (select token, count(*) holders from held group by token)
            select rid, ln(max(holders) / {self.count + OTHERS})::float share from held join counts using (token) group by rid"""
        )
        engine.run(
            f"""create or replace table records as select raw_records.*, word_weight::float word_weight,
                coalesce(share_phones.share, {_RAREST})::float lf_phones {columns}
            from raw_records {joins}
            left join (select rid, sum(weight) word_weight from word group by rid) using (rid)
            left join share_phones using (rid) order by rid"""
        )


def _filled(tokens: pl.DataFrame) -> frozenset[str]:
    """Name the features that enough records have."""
    least = max(1.0, _FILLED_SHARE * tokens.height)
    counts = {
        name: int((tokens[name].list.len() > 0).sum() if feature.is_list else tokens[name].count())
        for name, feature in FEATURES.items()
        if feature.token_field is not None
    }
    return frozenset(name for name, count in counts.items() if count > least)
