"""Who asks for a customer that is no more is told where its records are now."""

import polars as pl
import pytest

from custview_pipeline.contracts.matching_tables import CUID_HISTORY
from custview_pipeline.flows.portrait import portray
from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline_tests.factories import LATER, NOW, cuid


def events(*rows):
    names = ("cuid", "event", "other_cuid", "happened_at")
    filled = [{"founding_record_id": None, "run_id": "r", **dict(zip(names, row, strict=True))} for row in rows]
    return pl.DataFrame(filled, schema=CUID_HISTORY.types)


MERGED_TWICE = (
    (cuid(1), "created", None, NOW),
    (cuid(2), "created", None, NOW),
    (cuid(3), "created", None, NOW),
    (cuid(3), "merged_into", cuid(2), NOW),
    (cuid(2), "merged_into", cuid(1), LATER),
)


@pytest.mark.parametrize(
    ("history", "asked", "answer"),
    [
        (MERGED_TWICE, cuid(3), f"merged into {cuid(1)}"),
        (MERGED_TWICE, cuid(2), f"merged into {cuid(1)}"),
        ((*MERGED_TWICE, (cuid(1), "retired", None, LATER)), cuid(3), "no records any more"),
        (MERGED_TWICE, cuid(4), "no customer has this id"),
    ],
    ids=["twice", "once", "the heir is gone", "never was"],
)
def test_a_customer_that_is_no_more_names_its_living_heir(empty_house, keyring, history, asked, answer):
    with empty_house.lake.writer() as writer, writer.commit("r") as commit:
        commit.append(CUID_HISTORY.name, events(*history))

    with pytest.raises(UnknownCustomer, match=answer):
        portray(empty_house.lake.snapshot(), keyring, asked)
