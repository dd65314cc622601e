"""Compares pairs: each comparison gives a level, the levels of a pair are packed into one integer."""

from typing import Final

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import COMPARISONS, LEVEL_BITS, Comparison
from custview_pipeline.matching.engine import Engine
from custview_pipeline.matching.features import NEAR_LISTS, Prepared

_NEIGHBOUR_FEATURES: Final = (
    "given", "family", "street", "postal_code", "birth_place", "enterprise_name",
)  # fmt: skip


def comparisons_in_use(entity_type: EntityType, prepared: Prepared) -> tuple[Comparison, ...]:
    """Return the comparisons for which the records have anything to compare."""
    return tuple(c for c in COMPARISONS[entity_type] if prepared.filled.intersection(c.features))


def agreements(comparisons: tuple[Comparison, ...]) -> tuple[tuple[Comparison, int, str], ...]:
    """Return (comparison, level, feature) of each agreement that a term frequency weighs."""
    return tuple((c, level, feature) for c in comparisons for level, feature in c.frequency)


def frequency_column(comparison: Comparison, level: int) -> str:
    """Name the column that holds the log share of what a pair agrees on."""
    return f"share_{comparison.name}_{level}"


def compare(engine: Engine, comparisons: tuple[Comparison, ...], pairs: str, out: str) -> None:
    """Compare the pairs (i, j) of one table into another.

    The table made has i, j, ``pattern`` (levels packed, four bits each, first comparison lowest) and for each agreement that
    has a term frequency the log share of the commoner of the two values; null where the pair does not agree so.
    """
    levels = ", ".join(f"{c.level} level_{c.name}" for c in comparisons)
    weighed = agreements(comparisons)
    shares = "".join(f", greatest(a.lf_{f}, b.lf_{f}) lf_{f}" for f in dict.fromkeys(f for _, _, f in weighed))
    packed = " + ".join(f"(level_{c.name}::bigint << {LEVEL_BITS * place})" for place, c in enumerate(comparisons))
    chosen = "".join(
        f", if(level_{c.name} = {level}, lf_{f}, null)::float {frequency_column(c, level)}" for c, level, f in weighed
    )
    engine.run(
        f"""create or replace table {out} as select i, j, {packed} pattern {chosen}
        from (select p.i, p.j, {levels} {shares} from {pairs} p
            join records a on a.rid = p.i join records b on b.rid = p.j {_joins(levels, pairs)})"""
    )


def _joins(levels: str, pairs: str) -> str:
    """Return the joins that the level expressions speak of."""
    joins = "".join(
        f" left join near near_{f} on a.{f} = near_{f}.left_token and b.{f} = near_{f}.right_token"
        for f in _NEIGHBOUR_FEATURES
        if f"near_{f}." in levels
    )
    joins += "".join(
        f" left join near_{f} on near_{f}.i = p.i and near_{f}.j = p.j" for f in NEAR_LISTS if f"near_{f}." in levels
    )
    if "words.common" in levels:
        joins += f""" left join (select p.i, p.j, sum(x.weight) common from {pairs} p join word x on x.rid = p.i
            join word y on y.rid = p.j and y.token = x.token group by 1, 2) words on words.i = p.i and words.j = p.j"""
    return joins
