"""The scores of one delivery: how good what it brought is, by attribute and dimension."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from custview_pipeline.audit.scorecard import RECORD, SCORES, is_late

UPDATED_AT = "updated_at"


@dataclass(frozen=True, slots=True)
class DeliveryFacts:
    """What is known of a delivery once all its rows are judged.

    Attributes:
        source_system: Whose it is.
        row_count: Rows judged: the new and the changed ones.
        refused_count: Those refused.
        measured: Rows that could be judged, by attribute and dimension.
        flawed: Those found wanting.
        repeated: Rows and repeats among them over the whole delivery, by attribute, where the contract has them counted.
        age_hours: Hours since the delivery before; None where it is the first, which is in time.
        freshness_hours: Hours between deliveries that the contract promises; None where it promises none.
        dated_count: Accepted records that say when they last changed, where the contract limits their age.
        stale_count: Those of them that are older.
    """

    source_system: str
    row_count: int = 0
    refused_count: int = 0
    measured: Mapping[tuple[str, str], int] = field(default_factory=dict)
    flawed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    repeated: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    age_hours: float | None = None
    freshness_hours: float | None = None
    dated_count: int = 0
    stale_count: int = 0


def score_delivery(facts: DeliveryFacts) -> pl.DataFrame:
    """Return the counts behind the scores (``SCORES``): of every attribute, and of the record as a whole.

    Of the record, conformity is the share of rows that were accepted and timeliness whether the delivery came in time; the
    timeliness of ``updated_at`` is the share of records no older than promised. What nothing could be judged by is left out.
    """
    counted = {key: (judged, facts.flawed.get(key, 0)) for key, judged in facts.measured.items()}
    counted |= {(name, "uniqueness"): counts for name, counts in facts.repeated.items()}
    counted[RECORD, "conformity"] = (facts.row_count, facts.refused_count)
    counted[UPDATED_AT, "timeliness"] = (facts.dated_count, facts.stale_count)
    if facts.age_hours is not None and facts.freshness_hours is not None:
        counted[RECORD, "timeliness"] = (1, int(is_late(facts.age_hours, facts.freshness_hours)))
    rows = [
        (facts.source_system, attribute, dimension, judged, failed)
        for (attribute, dimension), (judged, failed) in counted.items()
        if judged
    ]
    return pl.DataFrame(rows, schema=SCORES, orient="row").sort("attribute", "dimension")
