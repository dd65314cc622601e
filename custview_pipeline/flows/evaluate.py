"""How good the customers of a lake are, by a truth that somebody knows: scores, and where they are worst."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from custview_pipeline.audit.agreement import (
    Agreement,
    agreement,
    by_source_pair,
    largest_clusters,
    worst_merges,
    worst_splits,
)
from custview_pipeline.flows.current import current_crosswalk, current_records
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.record_identity import record_ids, source_keys

TRUTH_COLUMNS: Final = ("source_system", "source_key", "entity")
_MISSING: Final = "missing "  # no CUID begins so
_CURVE: Final = ("precision", "recall", "f1", "b3_precision", "b3_recall", "b3_f1", "cluster_count", "largest_cluster")

ClustersAt = Callable[[Sequence[float]], Mapping[float, pl.DataFrame]]
"""Returns, for each threshold in bits, the clusters there: record_id, cluster."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What somebody knows of who is who, found in the lake.

    Attributes:
        records: source_system, entity, record_id, key (``source_system:source_key``), entity_type and cuid; a row a record of the
            truth. The last four are null where the lake has no such customer record.
        unknown: Customer records of the lake that the truth does not name, by source system.
    """

    records: pl.DataFrame
    unknown: Mapping[str, int]

    @property
    def missing(self) -> Mapping[str, int]:
        """Return the records of the truth that the lake does not hold, by source system."""
        return _by_source(self.records.filter(pl.col("cuid").is_null()))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The customers of a lake against a truth.

    Attributes:
        overall: Over all records of the truth; one that the lake does not hold counts as a customer alone.
        by_entity_type: Over the records of a type that the lake holds.
        by_source_pair: ``audit.agreement.SOURCE_PAIRS``.
        missing, unknown: Records that only the truth has, and that only the lake has, by source system.
        largest: cuid, record_count, entity_count.
        merges: cuid, record_count, part_count, wrong_pairs, left, right (records, to look at).
        splits: record_count, part_count, wrong_pairs, left, right, left_cuid, right_cuid.
    """

    overall: Agreement
    by_entity_type: Mapping[str, Agreement]
    by_source_pair: pl.DataFrame
    missing: Mapping[str, int]
    unknown: Mapping[str, int]
    largest: pl.DataFrame
    merges: pl.DataFrame
    splits: pl.DataFrame


def find_truth(snapshot: Snapshot, id_key: bytes, rows: pl.DataFrame, *, file: str) -> Truth:
    """Find the records of a truth in the lake, by their keys, or by what stands for these where a contract calls them personal.

    Args:
        snapshot: The lake.
        id_key: The purpose key ``id``.
        rows: ``TRUTH_COLUMNS`` as text, null where empty, and line.
        file: Where they come from, for messages.

    Raises:
        ProjectInvalid: A cell is empty, a record is named twice, or the lake holds none of the records; names the line.
    """
    with silenced("looking up the truth"):
        _assert_filled(rows, file)
        named = _with_record_ids(snapshot, id_key, rows)
        _assert_unique(named, file)
        held = _held(snapshot)
        joined = named.select("source_system", "entity", "record_id").join(
            held.drop("source_system"), on="record_id", how="left", maintain_order="left"
        )
        if joined["cuid"].is_null().all():
            systems = ", ".join(sorted(held["source_system"].unique())) or "none yet"
            raise ProjectInvalid(f"none of its records is a customer's here; the source systems are {systems}", file=file)
        return Truth(joined, _by_source(held.join(named, on="record_id", how="anti")))


def evaluate(truth: Truth, *, worst: int) -> Evaluation:
    """Score the customers of a lake.

    Args:
        truth: The truth, as found in the lake.
        worst: Largest customers, worst merges and worst splits to name, each.
    """
    with silenced("evaluating"):
        assigned = _assigned(truth.records, pl.col("cuid"))
        held = assigned.filter(pl.col("cuid").is_not_null())
        types = sorted(held["entity_type"].unique())
        return Evaluation(
            overall=agreement(assigned),
            by_entity_type={name: agreement(held.filter(pl.col("entity_type") == name)) for name in types},
            by_source_pair=by_source_pair(assigned),
            missing=truth.missing,
            unknown=truth.unknown,
            largest=largest_clusters(held, worst).rename({"cluster": "cuid"}),
            merges=_named(worst_merges(held, worst).rename({"cluster": "cuid"}), held, ("key",)),
            splits=_named(worst_splits(held, worst).drop("entity"), held, ("key", "cuid")),
        )


def threshold_curve(truth: Truth, thresholds: Sequence[float], clusters_at: ClustersAt) -> pl.DataFrame:
    """Return how precision and recall would change with the threshold: threshold (bits) and the scores, a row a threshold.

    Records that the lake does not hold count as customers alone, at every threshold.

    Args:
        truth: The truth, as found in the lake.
        thresholds: In bits.
        clusters_at: Clusters the current records anew.
    """
    with silenced("evaluating thresholds"):
        found = clusters_at(thresholds)
        rows = []
        for threshold in thresholds:
            clusters = found[threshold].select("record_id", pl.col("cluster").cast(pl.String))
            joined = truth.records.join(clusters, on="record_id", how="left", maintain_order="left")
            scores = agreement(_assigned(joined, pl.col("cluster")))
            rows.append({"threshold": threshold, **{name: getattr(scores, name) for name in _CURVE}})
        return pl.DataFrame(rows)


def _assert_filled(rows: pl.DataFrame, file: str) -> None:
    if rows.is_empty():
        raise ProjectInvalid("has no row below the header", file=file)
    empty = rows.filter(pl.any_horizontal(pl.col(*TRUTH_COLUMNS).is_null()))
    if not empty.is_empty():
        raise ProjectInvalid(f"an empty cell where a name should be{_and_others(empty)}", file=file, line=empty["line"][0])


def _assert_unique(named: pl.DataFrame, file: str) -> None:
    named = named.drop_nulls("record_id")  # a key in which nothing is seen is none, and the lake holds no such record
    first = pl.col("line", "entity").first().over("record_id").name.prefix("first_")
    again = named.with_columns(first).filter(pl.col("line") > pl.col("first_line"))
    other = again.filter(pl.col("entity") != pl.col("first_entity"))
    for found, what in ((other, "is in another entity here"), (again, "is named again")):
        if not found.is_empty():
            said = f"the record of line {found['first_line'][0]} {what}{_and_others(found)}"
            raise ProjectInvalid(said, file=file, line=found["line"][0])


def _and_others(found: pl.DataFrame) -> str:
    others = found.height - 1
    return f", and so in {others:,} more {'line' if others == 1 else 'lines'}" if others else ""


def _with_record_ids(snapshot: Snapshot, id_key: bytes, rows: pl.DataFrame) -> pl.DataFrame:
    """Add the record id that the key of each row makes; where no record has it, that of the record stored under this key."""
    made = pl.concat(
        own.with_columns(made=record_ids(id_key, str(source), source_keys(own["source_key"])))
        for (source,), own in rows.group_by("source_system", maintain_order=True)
    )
    stored = current_crosswalk(snapshot).select("source_system", "source_key", "record_id")
    is_held = pl.col("made").is_in(stored["record_id"].implode()).fill_null(value=False)
    joined = made.join(stored, on=["source_system", "source_key"], how="left", maintain_order="left").sort("line")
    own_id = pl.when(is_held).then("made").otherwise(pl.coalesce("record_id", "made"))
    return joined.with_columns(record_id=own_id).drop("made")


def _held(snapshot: Snapshot) -> pl.DataFrame:
    """Return the records of customers: record_id, source_system, key, entity_type, cuid.

    The crosswalk names a record that its source has deleted until the next matching; it is no customer's any more.
    """
    types = current_records(snapshot).select("record_id", "entity_type")
    key = pl.format("{}:{}", "source_system", "source_key")
    own = current_crosswalk(snapshot).select("record_id", "source_system", key=key, cuid="cuid")
    return own.join(types, on="record_id", how="inner", maintain_order="left")


def _assigned(records: pl.DataFrame, cluster: pl.Expr) -> pl.DataFrame:
    alone = pl.lit(_MISSING) + pl.int_range(pl.len()).cast(pl.String)
    return records.with_columns(cluster=pl.coalesce(cluster, alone))


def _named(found: pl.DataFrame, held: pl.DataFrame, said: Sequence[str]) -> pl.DataFrame:
    """Put ``left``, ``right`` and, where it is wanted, ``left_cuid``, ``right_cuid`` in the place of two record ids."""
    for side in ("left", "right"):
        names = {name: side if name == "key" else f"{side}_{name}" for name in said}
        own = held.select(pl.col("record_id").alias(f"{side}_id"), *(pl.col(name).alias(new) for name, new in names.items()))
        found = found.join(own, on=f"{side}_id", how="left", maintain_order="left").drop(f"{side}_id")
    return found


def _by_source(records: pl.DataFrame) -> dict[str, int]:
    return {
        str(source): int(count) for source, count in records.group_by("source_system").len().sort("source_system").iter_rows()
    }
