"""Releases refused rows under today's contract: those it accepts enter as any delivered row does, through the airlock."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS, QUARANTINED_RECORDS
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.admitted import store_admitted
from custview_pipeline.flows.airlock import Admission, Airlock, admit
from custview_pipeline.flows.deliver import Delivery, delivery_row
from custview_pipeline.flows.examine import Pending, count_reasons, examine, refused_rows
from custview_pipeline.flows.generations import generations_to_write
from custview_pipeline.flows.quarantine import chosen_rows, shred_rows, unsealed, with_reasons_of_now
from custview_pipeline.flows.suppress import NO_MARKS, Suppression
from custview_pipeline.flows.survey import BATCH_ROWS, headers_of, identify
from custview_pipeline.flows.workers import work_through
from custview_pipeline.ingestion.changes import with_known_times
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.record_identity import keyed_fingerprint
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline.validation.rules import rule_of, rules_of

_IDENTIFIED: Final = (
    "quarantine_id", "record_id", "content_digest", "updated_at", "known_at", "version", "broken", "reasons", "is_superseded",
    "is_held",
)  # fmt: skip
_KNOWN: Final = ("record_id", "version", "content_digest", "updated_at", "is_deleted", "delivery_id")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which refused rows are to be released; all conditions hold together.

    Attributes:
        quarantine_ids: These; all where there are none.
        source_system: Those of one source.
        rule: Those that broke this rule, called dimension__attribute__rule.
    """

    quarantine_ids: tuple[int, ...] = ()
    source_system: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """What releasing rows needs.

    Attributes:
        contracts: The contracts as they are written now.
        region: Default country of the project.
        keyring: Its keys.
        workers: Processes to use at most.
        run_id: The run.
        erased: Suppression marks of all records that were ever erased.
    """

    contracts: Sequence[SourceContract]
    region: str
    keyring: Keyring
    workers: int
    run_id: str
    erased: pl.Series = field(default_factory=lambda: NO_MARKS)


@dataclass(frozen=True, slots=True)
class Release:
    """What became of the chosen rows of one source.

    Attributes:
        released_count: Rows that entered as new versions.
        superseded_count: Rows discarded, for their record has a later version by now.
        refused_count: Rows that stay.
        shredded_count: Rows of which the key was gone; they are off the list.
        suppressed_count: Rows discarded, for their record was erased and is not to come back.
        reasons: Why rows stay: how many by rule, the most frequent first.
    """

    source_system: str
    released_count: int = 0
    superseded_count: int = 0
    refused_count: int = 0
    shredded_count: int = 0
    suppressed_count: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


class _Fate(StrEnum):
    RELEASED = "released"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    SHREDDED = "shredded"
    SUPPRESSED = "suppressed"


class _Decided(NamedTuple):
    """The chosen rows that could be opened, and what becomes of them, in the same order.

    Attributes:
        raw: The contract's columns, readable.
        rows: quarantine_id, record_id, content_digest, version (to be stored under), reasons, fate.
    """

    raw: pl.DataFrame
    rows: pl.DataFrame


def release(desk: Desk, lake: LakeWriter, choice: Choice) -> tuple[Release, ...]:
    """Admit refused rows that the contracts accept now; each source is one commit.

    Raises:
        UnknownRow: A row that was named is not in quarantine.
        ProjectInvalid: No contract describes a row's source any more.
        CustviewError: Anything else that stops it; the last good state stays.
    """
    chosen = _chosen(lake.snapshot(), choice)
    sources = sorted(chosen["source_system"].unique())
    contracts = {contract.source_system: contract for contract in desk.contracts}
    if lacking := [source for source in sources if source not in contracts]:
        raise ProjectInvalid(f"no contract describes {', '.join(lacking)}: its rows cannot be judged")
    return tuple(
        _release_source(desk, lake, contracts[source], chosen.filter(pl.col("source_system") == source)) for source in sources
    )


def _chosen(snapshot: Snapshot, choice: Choice) -> pl.DataFrame:
    named = choice.quarantine_ids
    rows = chosen_rows(snapshot, named) if named else snapshot.read(QUARANTINED_RECORDS.name)
    if choice.source_system is not None:
        rows = rows.filter(pl.col("source_system") == choice.source_system)
    if choice.rule is not None:
        rows = rows.filter(pl.col("reasons").list.contains(choice.rule))
    return rows.sort("quarantined_at", "quarantine_id")


def _release_source(desk: Desk, lake: LakeWriter, contract: SourceContract, chosen: pl.DataFrame) -> Release:
    snapshot, now = lake.snapshot(), datetime.now(UTC)
    with silenced(f"{contract.source_system}: releasing refused rows"):
        decided, shredded = _decide(desk, snapshot, contract, chosen)
        ids = " ".join(map(str, chosen["quarantine_id"]))
        delivery_id = hashlib.sha256(f"release/{contract.source_system} {ids} {desk.run_id}".encode()).hexdigest()[:16]
        keys = desk.keyring.airlock_keys()
        airlock = Airlock(contract, desk.region, keys, delivery_id, now, generations_to_write(snapshot, keys))
        admissions = _admit(desk, airlock, decided)
        fates = decided.rows["fate"]
        counts = {fate: int((fates == fate.value).sum()) for fate in _Fate}
        staying = decided.rows.filter(fates == _Fate.REFUSED.value)
        gone = chosen.join(staying, on="quarantine_id", how="anti")["quarantine_id"]
        if gone.len() or not _is_same(chosen, staying):
            delivery = _summarise(contract, delivery_id, decided, admissions)
            keyed = keyed_fingerprint(airlock.keys.id_key, f"release {ids}")
            with lake.commit(desk.run_id) as commit:
                store_admitted(commit, snapshot, admissions)
                commit.replace(QUARANTINED_RECORDS.name, _remaining(snapshot, gone, staying))
                shred_rows(commit, gone)
                row = delivery_row(delivery, airlock, keyed, run_id=desk.run_id, origin="quarantine")
                commit.append(DELIVERIES.name, row)
    return Release(
        contract.source_system,
        released_count=counts[_Fate.RELEASED],
        superseded_count=counts[_Fate.SUPERSEDED],
        refused_count=counts[_Fate.REFUSED],
        shredded_count=shredded,
        suppressed_count=counts[_Fate.SUPPRESSED],
        reasons=dict(count_reasons(staying)),
    )


def _decide(desk: Desk, snapshot: Snapshot, contract: SourceContract, chosen: pl.DataFrame) -> tuple[_Decided, int]:
    """Judge the rows under the contract of now; return also how many cannot be opened any more."""
    texts = unsealed(snapshot, desk.keyring, chosen["quarantine_id"], chosen["row_sealed"])
    is_there = texts.is_not_null()
    headers = headers_of(contract)
    schema = pl.Struct(dict.fromkeys(headers, pl.String))
    raw = texts.filter(is_there).str.json_decode(schema).struct.unnest().select(headers)
    _, id_key = desk.keyring.current(Purpose.ID)
    marks = chosen.select("quarantine_id", "reasons", "quarantined_at").filter(is_there)
    rows = _with_identity(snapshot, contract, marks.hstack(identify(contract, desk.region, id_key, raw)))
    rows = rows.with_columns(is_suppressed=_suppressed(desk, contract, id_key, rows))
    judged = [
        _judged(contract, desk.region, raw.slice(start, BATCH_ROWS), rows.slice(start, BATCH_ROWS))
        for start in range(0, rows.height, BATCH_ROWS)
    ]
    rows = pl.concat([rows.clear().with_columns(reasons_now=pl.lit(None, pl.List(pl.String))), *judged])
    return _Decided(raw, _with_fate(rows)), int((~is_there).sum())


def _with_identity(snapshot: Snapshot, contract: SourceContract, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the marks of each row, and whether its record has a later version or this very content already.

    Which is the later one the source says by updated_at; where it does not, that is which was delivered later. A row that calls
    its record deleted holds nothing that could enter.
    """
    stored = snapshot.read(PROTECTED_RECORDS.name, ["source_system", *_KNOWN])
    # When the source said it: a version that other rules made of it later says nothing that came later.
    delivered = snapshot.read(DELIVERIES.name, ["delivery_id", "delivered_at"])
    current = newest(stored.filter(pl.col("source_system") == contract.source_system), ["record_id"])
    known = current.join(delivered, on="delivery_id", how="left").select(
        "record_id",
        "delivered_at",
        known_version="version",
        known_digest="content_digest",
        known_at="updated_at",
        was_deleted="is_deleted",
    )
    joined = rows.join(known, on="record_id", how="left", maintain_order="left")
    is_known = (pl.col("content_digest") == pl.col("known_digest")) & ~pl.col("was_deleted")
    is_told = (pl.col("updated_at") != pl.col("known_at")).fill_null(value=False)
    came_later = pl.col("delivered_at") > pl.col("quarantined_at")
    is_late = pl.when(is_told).then(pl.col("updated_at") < pl.col("known_at")).otherwise(came_later)
    marked = joined.with_columns(
        is_held=(~pl.col("was_deleted")).fill_null(value=False),
        version=(pl.col("known_version").fill_null(0) + 1).cast(pl.Int32),
        is_superseded=(is_known | is_late | pl.col("is_deleted")).fill_null(value=False),
    )
    return marked.with_columns(broken=_broken(contract)).select(_IDENTIFIED)


def _suppressed(desk: Desk, contract: SourceContract, id_key: bytes, rows: pl.DataFrame) -> pl.Series:
    """Return of each row whether its record was erased and its contract keeps such records out."""
    held = rows.filter("is_held")["record_id"]
    suppression = Suppression(id_key, desk.erased, held, contract.refuses_erased)
    return suppression.returning(rows["record_id"]) & suppression.is_refusing


def _broken(contract: SourceContract) -> pl.Expr:
    """Return the rules that a row alone cannot be judged by and that it breaks.

    A key in two rows with other content: both are refused, unless one of them is released alone, which decides for it. Another
    value that must be unique: refused as long as the contract says so, for what the source holds now only a delivery tells.
    """
    key = contract.key_column
    of_key = {limit: rule_of(contract, key, limit).name for limit in ("required", "unique")}
    others = [
        rule.name
        for rule in rules_of(contract)
        if rule.quality is None and rule.dimension == "uniqueness" and rule.column != key.name
    ]
    reasons = pl.col("reasons")
    is_contested = reasons.list.contains(of_key["unique"])
    is_conflicting = is_contested & (pl.col("content_digest").n_unique().over("record_id", is_contested) > 1)
    return pl.concat_list(
        pl.when(pl.col("record_id").is_null()).then(pl.lit([of_key["required"]])).otherwise(pl.lit([], pl.List(pl.String))),
        pl.when(pl.col("record_id").is_not_null() & is_conflicting)
        .then(pl.lit([of_key["unique"]]))
        .otherwise(pl.lit([], pl.List(pl.String))),
        reasons.list.set_intersection(pl.lit(others, pl.List(pl.String))),
    )


def _judged(contract: SourceContract, region: str, raw: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the reasons for which they are refused now; null where they are accepted."""
    pending = Pending(raw, _marks(rows))
    _, screened = examine(contract, region, pending)
    refused = refused_rows(pending, screened).select("row", reasons_now="reasons")
    return rows.with_row_index("row").join(refused, on="row", how="left", maintain_order="left").drop("row")


def _marks(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("record_id", "content_digest", "version", "broken", is_quarantined=pl.lit(value=False))


def _with_fate(rows: pl.DataFrame) -> pl.DataFrame:
    """Decide; of several acceptable rows of one record the newest enters, or the last that came where one does not tell."""
    is_free = ~pl.col("is_suppressed") & ~pl.col("is_superseded") & pl.col("reasons_now").is_null()
    moments = pl.col("updated_at").filter(is_free)
    is_newest = moments.is_null().any().over("record_id") | (pl.col("updated_at") == moments.max().over("record_id"))
    is_last = pl.col("place") == pl.col("place").filter(is_free & is_newest).max().over("record_id")
    fate = (
        pl.when("is_suppressed")
        .then(pl.lit(_Fate.SUPPRESSED.value))
        .when("is_superseded")
        .then(pl.lit(_Fate.SUPERSEDED.value))
        .when(~is_free)
        .then(pl.lit(_Fate.REFUSED.value))
        .when(is_last)
        .then(pl.lit(_Fate.RELEASED.value))
        .otherwise(pl.lit(_Fate.SUPERSEDED.value))
    )
    return rows.with_row_index("place").with_columns(fate=fate, reasons=pl.coalesce("reasons_now", "reasons"))


def _admit(desk: Desk, airlock: Airlock, decided: _Decided) -> list[Admission]:
    is_released = decided.rows["fate"] == _Fate.RELEASED.value
    raw = decided.raw.filter(is_released)
    rows = decided.rows.filter(is_released).with_columns(broken=pl.lit(None, pl.List(pl.String)))

    def batches() -> Iterator[Pending]:
        for start in range(0, raw.height, BATCH_ROWS):
            yield Pending(raw.slice(start, BATCH_ROWS), _marks(rows.slice(start, BATCH_ROWS)))

    admitted = work_through(admit, airlock, batches(), rows=raw.height, workers=desk.workers)
    return [each._replace(protected=with_known_times(each.protected, rows)) for each in admitted]


def _is_same(chosen: pl.DataFrame, staying: pl.DataFrame) -> bool:
    """Return whether every row stays for the reasons it had."""
    return chosen.sort("quarantine_id")["reasons"].equals(staying.sort("quarantine_id")["reasons"])


def _summarise(contract: SourceContract, delivery_id: str, decided: _Decided, admissions: list[Admission]) -> Delivery:
    released = decided.rows.filter(pl.col("fate") == _Fate.RELEASED.value)
    new = int((released["version"] == 1).sum())
    refused = int((decided.rows["fate"] == _Fate.REFUSED.value).sum())
    suppressed = int((decided.rows["fate"] == _Fate.SUPPRESSED.value).sum())
    return Delivery(
        contract.source_system,
        delivery_id,
        row_count=decided.rows.height,
        new_count=new,
        changed_count=released.height - new,
        unchanged_count=decided.rows.height - released.height - refused - suppressed,
        warned_count=sum(admission.tally.warned for admission in admissions),
        refused_count=refused,
        suppressed_count=suppressed,
    )


def _remaining(snapshot: Snapshot, gone: pl.Series, staying: pl.DataFrame) -> pl.DataFrame:
    """Return the table without the rows that are gone, and with the reasons of now for those that stay."""
    stored = snapshot.read(QUARANTINED_RECORDS.name).filter(~pl.col("quarantine_id").is_in(gone.implode()))
    return with_reasons_of_now(stored, staying.select("quarantine_id", reasons_now="reasons"))
