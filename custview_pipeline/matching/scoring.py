"""Turns compared pairs into evidence in bits for "one customer" against "household or strangers"."""

import math

import polars as pl

from custview_pipeline.matching.comparisons import LEVEL_BITS, SUFFIX_DIFFERS
from custview_pipeline.matching.engine import Engine
from custview_pipeline.matching.levels import agreements, frequency_column
from custview_pipeline.matching.model import HOUSEHOLD_SAME_GIVEN, MatchModel, PatternCounts


def count_patterns(engine: Engine, table: str) -> PatternCounts:
    """Count the pairs of each pattern in a compared table."""
    found = engine.arrays(f"select pattern, count(*)::double n from {table} group by pattern order by pattern")
    return PatternCounts(found["pattern"].astype("int64"), found["n"].astype("float64"))


def score(engine: Engine, model: MatchModel, table: str, out: str, *, keep_from: float) -> None:
    """Score the compared pairs of one table into another.

    The table made has i, j, pattern, ``weight`` (bits, a multiple of 1/64) and ``is_forbidden`` (suffixes differ: Jr is not Sr),
    for pairs whose weight is at least ``keep_from``.
    """
    patterns = engine.arrays(f"select distinct pattern from {table} order by pattern")["pattern"].astype("int64")
    match, household, unrelated = model.log_likelihoods(patterns)
    engine.load(
        "pattern_score",
        pl.DataFrame({"pattern": patterns, "match": match, "household": household, "unrelated": unrelated}),
    )
    household_sql, unrelated_sql = _with_term_frequencies(model)
    engine.run(
        f"""create or replace table {out} as
        select i, j, pattern, round(64 * (match - greatest(u, h) - ln(1 + exp(-abs(u - h)))) / ln(2)) / 64 weight,
            {_forbidden(model)} is_forbidden
        from (select i, j, pattern, match, {unrelated_sql} u, {household_sql} h from {table} join pattern_score using (pattern))
        where weight >= {keep_from}"""
    )


def _with_term_frequencies(model: MatchModel) -> tuple[str, str]:
    """Return SQL of the log likelihood among a household and among strangers, the rarity of what agrees included."""
    household, unrelated = "household", "unrelated"
    place = {comparison.name: position for position, comparison in enumerate(model.comparisons)}
    for comparison, level, _ in agreements(model.comparisons):
        column, position = frequency_column(comparison, level), place[comparison.name]
        unrelated += f" + coalesce({column} - ({math.log(model.unrelated[position][level])}), 0)"
        if comparison.name == "given_name":  # strangers' given names, and those that run in a family
            in_household = math.log(model.household[position][level])
            shared = f"exp({column}) * {1 - HOUSEHOLD_SAME_GIVEN} + {HOUSEHOLD_SAME_GIVEN}"
            household += f" + coalesce(ln({shared}) - ({in_household}), 0)"
    return household, unrelated


def _forbidden(model: MatchModel) -> str:
    """Return SQL that is true where the pair may never be one customer."""
    for position, comparison in enumerate(model.comparisons):
        if comparison.name == "name_suffix":
            return f"((pattern >> {LEVEL_BITS * position}) & 15) = {SUFFIX_DIFFERS}"
    return "false"
