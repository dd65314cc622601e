"""What of a lake is of erased records: the records, the customers that end with them, and those who go on without them."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.golden_attributes import GOLDEN_ATTRIBUTES
from custview_pipeline.contracts.golden_tables import GOLDEN_LINEAGE, GOLDEN_RECORDS
from custview_pipeline.contracts.matching_tables import CROSSWALK, CUID_HISTORY
from custview_pipeline.contracts.stewardship_tables import OVERRIDE, REVIEW_DECISIONS
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.suppression import customer_marks, suppression_marks
from custview_pipeline.survivorship.reasons import SUMMED

# By table the columns that name records, and those that name customers, of which a row is erased with what it names.
RECORD_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "protected_records": ("record_id",),
    "record_issues": ("record_id",),
    "quarantined_records": ("record_id",),
    "match_edges": ("left_id", "right_id"),
    "match_groups": ("record_id", "group_id"),
    "review_tasks": ("left_id", "right_id"),
    "review_decisions": ("left_id", "right_id", "record_id"),
    "review_samples": ("left_id", "right_id"),
    "steward_packs": ("left_id", "right_id"),
    "crosswalk": ("record_id",),
    "golden_lineage": ("record_id",),
}
# Of what names several records a row stays, without those that are erased.
MEMBER_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {REVIEW_DECISIONS.name: ("member_ids",)}
CUSTOMER_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "review_tasks": ("left_cuid", "right_cuid"),
    "golden_records": ("cuid",),
    "golden_lineage": ("cuid",),
    "customer_core": ("cuid",),
}
FOUNDER: Final = "founding_record_id"
# Rows of the history stay, without the record that founded the customer; golden records without the values of the record.
_FOUNDERS: Final[Mapping[str, tuple[str, ...]]] = {CUID_HISTORY.name: (FOUNDER,)}
_POINTERS: Final[Mapping[str, tuple[str, ...]]] = {GOLDEN_RECORDS.name: tuple(GOLDEN_ATTRIBUTES)}
_NOBODY: Final = pl.Series("record_id", [], pl.Int64)
_NO_CUSTOMER: Final = pl.Series("cuid", [], pl.String)
_SUM: Final = ("cuid", "version", "attribute")


class Marks(NamedTuple):
    """Marks of the ledger, Int64: of the records that are erased, and of the customers that they made."""

    records: pl.Series
    customers: pl.Series


class Scope(NamedTuple):
    """What is erased.

    Attributes:
        record_ids: The records, Int64.
        ended: Customers of which nothing is left, String.
        remaining: Customers that go on without some of their records, and those that had values of them once.
        sums: cuid, version, attribute of the numbers in golden records that these records are a part of.
    """

    record_ids: pl.Series
    ended: pl.Series
    remaining: pl.Series
    sums: pl.DataFrame


def find_scope(snapshot: Snapshot, id_key: bytes, marks: Marks) -> Scope:
    """Return what of a lake has these marks.

    Args:
        snapshot: The lake.
        id_key: The purpose key ``id``.
        marks: What the ledger names.
    """
    marked_ids = _marked_records(snapshot, id_key, marks.records)
    record_ids = pl.concat([marked_ids, _entered_for(snapshot, marked_ids)]).unique()
    crosswalk = snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid"])
    is_erased = crosswalk["record_id"].is_in(record_ids.implode())
    staying = crosswalk.filter(~is_erased)
    erased = crosswalk.filter(is_erased)
    theirs = erased["cuid"].drop_nulls()
    last_theirs = newest(erased.drop_nulls("cuid"), ["record_id"])["cuid"]
    known = snapshot.read(CUID_HISTORY.name, ["cuid"])["cuid"].unique()
    marked = known.filter(customer_marks(id_key, known).is_in(marks.customers.implode()))
    # A customer goes on while a record is listed under it now; one that records left before it ended has ended already.
    alive = newest(staying, ["record_id"])["cuid"].drop_nulls().unique()
    left_by_others = staying["cuid"].drop_nulls().unique()
    candidates = pl.concat([theirs, marked]).unique()
    # Where others left it before, it ends all the same if an erased record was in it last.
    is_over = candidates.is_in(pl.concat([marked, last_theirs]).implode()) | ~candidates.is_in(left_by_others.implode())
    is_alive = candidates.is_in(alive.implode())
    sums = _sums_with(snapshot, record_ids)
    remaining = pl.concat([candidates.filter(is_alive), _pointing(snapshot, record_ids), sums["cuid"]]).unique()
    ended = candidates.filter(is_over & ~is_alive)
    return Scope(record_ids, ended, remaining.filter(~remaining.is_in(ended.implode())), sums)


def concerns(table: str, record_ids: pl.Series, cuids: pl.Series) -> pl.Expr:
    """Return whether a row of a table names one of these records or customers; its ``naming_columns`` are read."""
    named = [pl.col(name).is_in(record_ids.implode()) for name in (*RECORD_COLUMNS.get(table, ()), *_FOUNDERS.get(table, ()))]
    named += [_members_among(name, record_ids).list.len() > 0 for name in MEMBER_COLUMNS.get(table, ())]
    named += [_record_of(name).is_in(record_ids.implode()) for name in _POINTERS.get(table, ())]
    named += [pl.col(name).is_in(cuids.implode()) for name in CUSTOMER_COLUMNS.get(table, ())]
    return pl.any_horizontal(each.fill_null(value=False) for each in named)


def without_members(decisions: pl.DataFrame, record_ids: pl.Series) -> pl.DataFrame:
    """Return of decisions that name several records those that name one of these, without it."""
    (name,) = MEMBER_COLUMNS[REVIEW_DECISIONS.name]
    is_erased = pl.element().is_in(record_ids.to_list())
    naming = decisions.filter(_members_among(name, record_ids).list.len() > 0)
    return naming.with_columns(pl.col(name).list.eval(pl.element().filter(~is_erased)))


def without_values_of(golden: pl.DataFrame, record_ids: pl.Series, sums: pl.DataFrame) -> pl.DataFrame:
    """Return golden records without the values that come from these records, the open ones too.

    Args:
        golden: Golden records of customers that these records were of.
        record_ids: The records.
        sums: cuid, version, attribute of the numbers that the records are a part of; they are taken out too.

    Returns:
        The same rows, in their order. One that lost a value has 0 as ``candidates_digest``, so that the next election is stored
        whatever comes of it.
    """
    parted = sums.group_by(_SUM[:2]).agg(summed=pl.col("attribute").unique())
    marked = golden.join(parted, on=_SUM[:2], how="left", maintain_order="left")
    lost = {name: _record_of(name).is_in(record_ids.implode()) | _is_among(name, "summed") for name in GOLDEN_ATTRIBUTES}
    loses = {name: (pl.col(name).is_not_null() & is_lost).fill_null(value=False) for name, is_lost in lost.items()}
    return marked.with_columns(
        *(pl.when(~is_lost).then(name).alias(name) for name, is_lost in loses.items()),
        candidates_digest=pl.when(~pl.any_horizontal(loses.values())).then("candidates_digest").otherwise(0),
    ).drop("summed")


def named_records(frame: pl.DataFrame, table: str) -> pl.Series:
    """Return the records that rows of a table name, Int64, each once; its ``naming_columns`` are read."""
    ids = [frame[name] for name in (*RECORD_COLUMNS.get(table, ()), *_FOUNDERS.get(table, ()))]
    ids += [frame[name].explode() for name in MEMBER_COLUMNS.get(table, ())]
    ids += [frame.select(_record_of(name)).to_series() for name in _POINTERS.get(table, ())]
    return pl.concat([_NOBODY, *(each.alias("record_id") for each in ids)]).drop_nulls().unique()


def named_customers(frame: pl.DataFrame, table: str) -> pl.Series:
    """Return the customers that rows of a table name and that are erased from it, String, each once."""
    return pl.concat([_NO_CUSTOMER, *(frame[name].alias("cuid") for name in CUSTOMER_COLUMNS.get(table, ()))]).unique()


def naming_columns(table: str) -> list[str]:
    """Return the columns of a table that name records, and customers that are erased from it."""
    every = (RECORD_COLUMNS, MEMBER_COLUMNS, CUSTOMER_COLUMNS, _POINTERS, _FOUNDERS)
    return [name for columns in every for name in columns.get(table, ())]


def naming_tables() -> Iterator[str]:
    """Yield the tables that name records or customers."""
    yield from dict.fromkeys([*RECORD_COLUMNS, *CUSTOMER_COLUMNS, *_FOUNDERS])


def _marked_records(snapshot: Snapshot, id_key: bytes, marks: pl.Series) -> pl.Series:
    """Return the records with these marks, wherever the lake names them."""
    named = [named_records(snapshot.read(table, naming_columns(table)), table) for table in naming_tables()]
    ids = pl.concat(named).unique()
    return ids.filter(suppression_marks(id_key, ids).is_in(marks.implode()))


def _entered_for(snapshot: Snapshot, record_ids: pl.Series) -> pl.Series:
    """Return the records of values that stewards entered for customers of which nothing else is left."""
    columns = ["decision", "record_id", "member_ids"]
    entered = snapshot.read(REVIEW_DECISIONS.name, columns).filter(pl.col("decision") == OVERRIDE)
    if entered.is_empty() or record_ids.is_empty():
        return _NOBODY
    owners = newest(snapshot.read(CROSSWALK.name, ["record_id", "version", "cuid"]), ["record_id"]).drop_nulls("cuid")
    ids = entered["record_id"].unique()
    others = owners.filter(~pl.col("record_id").is_in(pl.concat([ids, record_ids]).implode()))
    by_customer = owners.join(others, on="cuid", how="semi").select("record_id")
    # of a value entered since the last matching no customer is known yet, but whom it was entered for
    members = entered.explode("member_ids").join(owners, on="record_id", how="anti")
    by_members = members.join(others, left_on="member_ids", right_on="record_id", how="semi").select("record_id")
    return ids.filter(~ids.is_in(pl.concat([by_customer, by_members])["record_id"].implode()))


def _pointing(snapshot: Snapshot, record_ids: pl.Series) -> pl.Series:
    """Return the customers whose golden records, of any version, have a value from these records."""
    golden = snapshot.read(GOLDEN_RECORDS.name, ["cuid", *GOLDEN_ATTRIBUTES])
    return golden.filter(concerns(GOLDEN_RECORDS.name, record_ids, _NO_CUSTOMER))["cuid"].unique()


def _members_among(name: str, record_ids: pl.Series) -> pl.Expr:
    return pl.col(name).list.eval(pl.element().filter(pl.element().is_in(record_ids.to_list())))


def _sums_with(snapshot: Snapshot, record_ids: pl.Series) -> pl.DataFrame:
    """Return cuid, version, attribute of the numbers, in golden records of any version, that a record is a part of."""
    is_part = pl.col("record_id").is_in(record_ids.implode()) & (pl.col("reason") == SUMMED)
    return snapshot.read(GOLDEN_LINEAGE.name, _SUM, where=is_part).unique()


def _is_among(attribute: str, column: str) -> pl.Expr:
    """Return whether a column of lists, empty or not, names an attribute."""
    return pl.col(column).list.contains(attribute).fill_null(value=False)


def _record_of(attribute: str) -> pl.Expr:
    return pl.col(attribute).struct.field("record_id")
