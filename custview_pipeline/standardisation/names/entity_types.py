"""Person or enterprise: what the source says, else what its columns show."""

import polars as pl

from custview_pipeline.contracts.attributes import ENTERPRISE_NAMES, EntityType
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.standardisation.cells import cell_of, issue_frame
from custview_pipeline.standardisation.codes.codes import entity_type_of
from custview_pipeline.standardisation.names.kinds_of_house import name_enterprises

_PERSON_NAMES = ("given_name", "middle_name", "family_name", "native_name")


def first_filled(cells: pl.DataFrame, contract: SourceContract, *attributes: str) -> pl.Series:
    """Return the first filled cell of each row among the columns that carry one of the attributes."""
    columns = [cell_of(column) for attribute in attributes for column in contract.carrying(attribute)]
    return cells.select(pl.coalesce([*columns, pl.lit(None, pl.String)]).alias("cell") if columns else _nothing(cells.height))[
        "cell"
    ]


def _nothing(height: int) -> pl.Expr:
    return pl.repeat(None, height, dtype=pl.String).alias("cell")


def decide_entity_types(cells: pl.DataFrame, contract: SourceContract) -> tuple[pl.Series, pl.DataFrame]:
    """Return the entity type of each row, and an issue for each stated type that is none.

    A stated type is believed. Without one, a registered or trading name and no name of a person is an enterprise; a single field
    that holds either is judged by its words (Inc, 有限公司, University).
    """
    stated = first_filled(cells, contract, "entity_type")
    spellings = {text: entity_type_of(text) for text in stated.drop_nulls().unique().to_list()}
    known = stated.replace_strict(spellings, default=None, return_dtype=pl.String).alias("known")
    full = first_filled(cells, contract, "full_name")
    seen = pl.DataFrame(
        {
            "known": known,
            "is_registered": first_filled(cells, contract, *ENTERPRISE_NAMES).is_not_null(),
            "is_person": first_filled(cells, contract, *_PERSON_NAMES).is_not_null(),
            "sounds_registered": name_enterprises(full.set(known.is_not_null(), None)),
        }
    )
    shown = ~pl.col("is_person") & (pl.col("is_registered") | pl.col("sounds_registered"))
    by_columns = pl.when(shown).then(pl.lit(EntityType.ENTERPRISE.value)).otherwise(pl.lit(EntityType.PERSON.value))
    issues = issue_frame(cells.filter(stated.is_not_null() & known.is_null())["row"], "entity_type", "not_an_entity_type")
    return seen.select(entity_type=pl.coalesce("known", by_columns))["entity_type"], issues
