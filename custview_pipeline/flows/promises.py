"""Looks whether the promises between the tables are kept: on the whole lake, or on what a change touched."""

from typing import Final

import polars as pl

from custview_pipeline.audit.integrity import Promise, check_crosswalk, check_golden, check_keys, check_versions
from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_RECORDS
from custview_pipeline.contracts.intake_tables import PROTECTED_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK
from custview_pipeline.flows.touched import Touched, golden_now, is_of, members_of, records_now
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest

_GOLDEN: Final = ("cuid", "version", "is_active", *GOLDEN_ATTRIBUTES)


def check_promises(snapshot: Snapshot, touched: Touched | None = None) -> tuple[Promise, ...]:
    """Return how every promise came out, for what was touched or, by default, for all; where nothing was, none is judged."""
    of_customers = None if touched is None else is_of(touched.cuids)
    golden = golden_now(snapshot, touched, _GOLDEN).filter("is_active")
    record_ids = None if touched is None else _concerned(snapshot, touched, golden)
    of_records = None if record_ids is None else pl.col("record_id").is_in(record_ids.implode())
    records = records_now(snapshot, record_ids)
    listed = newest(snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid"], where=of_records), ["record_id"])
    crosswalk = listed.drop_nulls("cuid").drop("version")
    theirs = crosswalk if of_customers is None else crosswalk.filter(of_customers)
    return (
        *check_crosswalk(records, crosswalk),
        *check_versions(
            snapshot.read(CROSSWALK.name, ["record_id", "version"], where=of_records),
            snapshot.read(PROTECTED_RECORDS.name, ["record_id", "version"], where=of_records),
            snapshot.read(GOLDEN_RECORDS.name, ["cuid", "version"], where=of_customers),
        ),
        *check_keys(snapshot.materials(records["record_id"], records["version"])),
        *check_golden(golden, theirs, records),
    )


def _concerned(snapshot: Snapshot, touched: Touched, golden: pl.DataFrame) -> pl.Series:
    """Return the records that changed, those of the customers, and those that these point to."""
    members = members_of(snapshot, touched.cuids)["record_id"]
    pointed = [golden[name].struct.field("record_id") for name in GOLDEN_ATTRIBUTES]
    return pl.concat([touched.record_ids, members, *pointed]).drop_nulls().unique()
