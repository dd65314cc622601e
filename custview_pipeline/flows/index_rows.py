"""What matching and survivorship know of a standardised batch: rows of the match index, one set for each generation."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.match_index import CLAIMS, OF_PHONES, PHONE_PARTS, TOKENS, VALUE_PARTS, Generation, IndexPart
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import StandardisedBatch
from custview_pipeline.kernel.ports import Commit, Snapshot
from custview_pipeline.protection.keyring import AirlockKeys
from custview_pipeline.protection.neighbourhood_keys import Part
from custview_pipeline.protection.neighbourhoods import neighbourhoods
from custview_pipeline.protection.tokens import Tokeniser

_OPEN_ATTRIBUTES: Final = frozenset(name for name, attribute in GOLDEN_ATTRIBUTES.items() if attribute.is_open)


class IndexRows(NamedTuple):
    """Rows of one generation of the match index.

    Attributes:
        tokens, claims: Rows of the part of that name.
        neighbourhoods: Rows of each part with neighbourhood keys.
    """

    tokens: pl.DataFrame
    neighbourhoods: dict[IndexPart, pl.DataFrame]
    claims: pl.DataFrame


class Findable(NamedTuple):
    """The rows of a batch that are to be found, and what makes them so.

    Attributes:
        batch: The standardised batch.
        owners: row, record_id, version of those of its rows that are wanted, in their order.
        open_attributes: Attributes whose values are stored readable.
    """

    batch: StandardisedBatch
    owners: pl.DataFrame
    open_attributes: frozenset[str]


def owners_of(marks: pl.DataFrame, is_wanted: pl.Series) -> pl.DataFrame:
    """Return row, record_id, version of the wanted rows of a batch."""
    numbered = marks.select("record_id", "version").with_row_index("row")
    return numbered.cast({"row": pl.UInt32}).filter(is_wanted)


def open_attributes(contract: SourceContract) -> frozenset[str]:
    """Return the attributes whose values may be stored readable: of the open ones those that no column calls personal."""
    return _OPEN_ATTRIBUTES - {column.attribute for column in contract.columns if column.is_personal}


def index_rows(wanted: Findable, keys: AirlockKeys, generations: Sequence[str]) -> dict[str, IndexRows]:
    """Return the rows of the match index by generation.

    Args:
        wanted: The rows; standardised by the rules of these generations.
        keys: Hold the token key of each of them.
        generations: Their names.

    Raises:
        WrongKey: A token key is not there.
    """
    return {name: _rows(wanted, keys, Generation.named(name)) for name in generations}


def begin_generations(commit: Commit, snapshot: Snapshot, names: Iterable[str]) -> None:
    """Begin the generations of the match index that the lake does not name yet; the first one ever begins by being stored.

    Args:
        commit: The commit.
        snapshot: The lake as it was when the commit began.
        names: The generations that rows are to be stored of.
    """
    held = snapshot.index_generations()
    for name in names:
        if held != (None, None) and name not in held:
            commit.begin_index(name)


def store_index(commit: Commit, admitted: Sequence[Mapping[str, IndexRows]]) -> None:
    """Store rows of the match index, given by generation, of each batch; their generations have begun."""
    for name in dict.fromkeys(name for each in admitted for name in each):
        rows = [each[name] for each in admitted if name in each]
        commit.add_index(IndexPart.TOKENS, pl.concat([each.tokens for each in rows]), generation=name)
        commit.add_index(IndexPart.CLAIMS, pl.concat([each.claims for each in rows]), generation=name)
        for part in VALUE_PARTS:
            commit.add_index(part, _each_value_once([each.neighbourhoods[part] for each in rows]), generation=name)


def _each_value_once(batches: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the keys of all batches, those of a value that several have once; each batch has all keys of its values.

    A value is known by the one key that is made of the whole of it, for there are some forty of every record.
    """
    is_whole = pl.col("part") == Part.WHOLE
    whole = pl.concat(frame.filter(is_whole).select("token", batch=pl.lit(number)) for number, frame in enumerate(batches))
    repeated = whole.filter(~pl.col("token").is_first_distinct()).partition_by("batch", as_dict=True)
    return pl.concat(
        frame.filter(~pl.col("token").is_in(repeated[number,]["token"].implode())) if (number,) in repeated else frame
        for number, frame in enumerate(batches)
    )


def _rows(wanted: Findable, keys: AirlockKeys, generation: Generation) -> IndexRows:
    tokeniser, rules = keys.tokeniser(generation.token_version), generation.rules
    features = wanted.batch.features.join(wanted.owners.select("row"), on="row", how="semi", maintain_order="left")
    ids = wanted.owners.select("record_id", "version")
    tokens = pl.concat([ids, tokeniser.tokenise_features(features, rule_version=rules)], how="horizontal")
    near = {IndexPart.NEIGHBOURHOODS: neighbourhoods(features.drop(OF_PHONES), tokeniser, rule_version=rules)}
    for entity_type, part in PHONE_PARTS.items():
        mine = features.filter(pl.col("is_enterprise") == (entity_type is EntityType.ENTERPRISE))
        near[part] = neighbourhoods(mine.select(OF_PHONES), tokeniser, rule_version=rules)
    return IndexRows(tokens.select(TOKENS.names()), near, _claims(wanted, tokeniser, rules))


def _claims(wanted: Findable, tokeniser: Tokeniser, rules: str) -> pl.DataFrame:
    """Return what each record says about each attribute, as tokens and measures."""
    values = wanted.batch.values.join(wanted.owners, on="row", how="inner", maintain_order="left")
    claims = [
        said.with_columns(token=tokeniser.tokens(f"claim/{attribute}", said["comparable"], rule_version=rules))
        for (attribute,), said in values.partition_by("attribute", as_dict=True, maintain_order=True).items()
    ]
    if not claims:
        return pl.DataFrame(schema=CLAIMS)
    is_open = pl.col("attribute").is_in(wanted.open_attributes)  # an invalid value may be anything, a name too: it stays sealed
    return (
        pl.concat(claims)
        .with_columns(length=pl.col("value").str.len_chars(), open_value=pl.when(is_open & pl.col("is_valid")).then("value"))
        .select(pl.col(name).cast(dtype) for name, dtype in CLAIMS.items())
    )
