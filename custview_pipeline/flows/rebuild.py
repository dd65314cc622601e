"""Gives a generation of the match index the rows of records that it lacks, made of what the vault holds.

The raw row of a record is opened, read as it was when it was delivered, and standardised by today's rules. Where it still says
what was sealed of it, it stays as it is. Where the rules make something else of it, it gets a new version with today's values:
rows of the index and sealed values always speak of the same. A record that was accepted once is never refused here.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.intake_tables import DELIVERIES, PROTECTED_RECORDS, RECORD_ISSUES
from custview_pipeline.contracts.match_index import IndexPart
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import StandardisedBatch
from custview_pipeline.contracts.steward_source import with_steward
from custview_pipeline.flows.airlock import RECORD_PLACE, VALUE, Airlock, record_issues, seal_records, values_of
from custview_pipeline.flows.examine import Pending
from custview_pipeline.flows.generations import generations_to_write
from custview_pipeline.flows.index_rows import Findable, IndexRows, begin_generations, index_rows, open_attributes, store_index
from custview_pipeline.flows.read_as import as_read
from custview_pipeline.flows.renewal import Renewal
from custview_pipeline.flows.survey import BATCH_ROWS, headers_of
from custview_pipeline.flows.workers import work_through
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import Commit, LakeWriter, Snapshot
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.kernel.versions import newest
from custview_pipeline.protection.vault import Rows, Sealed
from custview_pipeline.standardisation.standardise import standardise

_SAME: Final = ["record_id", "version"]
_OPEN: Final = [name for name in PROTECTED_RECORDS.types if name != "payload_sealed"]
_WARNED: Final = pl.List(pl.String)


class Rebuilding(NamedTuple):
    """What building rows from the vault needs; it goes to each worker through a pipe.

    Attributes:
        airlock: Contract, keys, and the generations that new versions are made for.
        generation: The one that lacks the rows.
    """

    airlock: Airlock
    generation: str


class Held(NamedTuple):
    """Some current records of one source, opened; readable, so they live in memory only.

    Attributes:
        raw: The columns of their source, all String.
        values: The values as they were sealed, List(``VALUE``).
        rows: Open columns of protected_records, and ``warned``: what they are warned of, attribute and rule, sorted.
    """

    raw: pl.DataFrame
    values: pl.Series
    rows: pl.DataFrame


class Rebuilt(NamedTuple):
    """What a batch became; nothing in it is readable.

    Attributes:
        protected, issues, keys: Rows of new versions; see ``airlock.Admission``.
        indexed: Rows of the match index by generation.
    """

    protected: pl.DataFrame
    issues: pl.DataFrame
    keys: pl.DataFrame
    indexed: dict[str, IndexRows]


def give_lacking(lake: LakeWriter, renewal: Renewal, generation: str, *, limit: int) -> int:
    """Give a generation rows of current records that it has none of, in one commit.

    Args:
        lake: The lake, held for writing.
        renewal: Keys and contracts.
        generation: One that the lake names, of today's rules.
        limit: How many records at most.

    Returns:
        How many records were given; 0 where none is lacking, but such as were shredded.

    Raises:
        ProjectInvalid: No contract describes a source any more.
        UnsealFailed: A sealed record was altered or moved.
    """
    snapshot = lake.snapshot()
    with silenced("reading records from the vault"):
        lacking = _lacking(snapshot, generation)
        assert_described(lacking["source_system"], renewal.contracts)
        sealed = _sealed(snapshot, _not_shredded(snapshot, lacking).head(limit))
    if sealed.is_empty():
        return 0
    with silenced("making rows of the match index from the vault"):
        rebuilt = _rebuilt(snapshot, renewal, generation, sealed)
    with silenced("storing what was made from the vault"), lake.commit(renewal.run_id) as commit:
        _store(commit, snapshot, rebuilt)
    return sealed.height


def assert_described(source_systems: pl.Series, contracts: Sequence[SourceContract]) -> None:
    """Refuse to build rows of a source that cannot be read.

    Raises:
        ProjectInvalid: No contract describes one of these sources.
    """
    described = {contract.source_system for contract in with_steward(contracts)}
    if lacking := sorted(set(source_systems.unique()) - described):
        raise ProjectInvalid(
            f"no contract describes {', '.join(lacking)}: its records cannot be made comparable anew; bring the contract back, "
            "or erase the records"
        )


def rebuild(rebuilding: Rebuilding, held: Held) -> Rebuilt:
    """Standardise a batch anew and return what its records are found by, and new versions of those that say something else.

    Raises:
        Redacted: A library failed; the message quotes nothing.
    """
    airlock = rebuilding.airlock
    with silenced(f"{airlock.contract.source_system}: building the match index"):
        batch = _with_known_times(standardise(held.raw, airlock.contract, region=airlock.region), held)
        is_new = ~_is_as_before(batch, held, open_attributes(airlock.contract))
        owners = _owners(held, is_new)
        changed = owners.filter(is_new)
        indexed = _indexed(rebuilding, batch, owners, rebuilding.generation)
        if changed.height:
            others = (name for name in airlock.generations if name != rebuilding.generation)
            indexed |= _indexed(rebuilding, batch, changed, *others)
        protected, keys = _new_versions(airlock, batch, held, owners, is_new)
        issues = record_issues(batch, changed, source_system=airlock.contract.source_system)
        return Rebuilt(protected, issues, keys, indexed)


def _rebuilt(snapshot: Snapshot, renewal: Renewal, generation: str, sealed: pl.DataFrame) -> list[Rebuilt]:
    keys, now = renewal.keyring.airlock_keys(), datetime.now(UTC)
    generations = tuple(dict.fromkeys([generation, *generations_to_write(snapshot, keys)]))
    rebuilt: list[Rebuilt] = []
    for contract, region, alike in _read_alike(snapshot, renewal, sealed):
        airlock = Airlock(contract, region, keys, "", now, generations)  # each record keeps the delivery it came with
        batches = _opened(renewal, contract, alike)
        rebuilt += work_through(rebuild, Rebuilding(airlock, generation), batches, rows=alike.height, workers=renewal.workers)
    return rebuilt


def _store(commit: Commit, snapshot: Snapshot, rebuilt: Sequence[Rebuilt]) -> None:
    """Store new versions, keys before what they open, and then the index."""
    made = [each for each in rebuilt if each.protected.height]
    if made:
        commit.add_keys(pl.concat([each.keys for each in made]))
        commit.append(PROTECTED_RECORDS.name, pl.concat([each.protected for each in made]))
        commit.append(RECORD_ISSUES.name, pl.concat([each.issues for each in made]))
    begin_generations(commit, snapshot, dict.fromkeys(name for each in rebuilt for name in each.indexed))
    store_index(commit, [each.indexed for each in rebuilt])


def _lacking(snapshot: Snapshot, generation: str) -> pl.DataFrame:
    """Return the open columns of the current records that a generation has no tokens of, as they are stored one after another."""
    stored = snapshot.read(PROTECTED_RECORDS.name, _OPEN).with_row_index("place")
    current = newest(stored, ["record_id"]).filter(~pl.col("is_deleted"))
    found = snapshot.read_index(IndexPart.TOKENS, generation=generation).select(_SAME)
    return current.join(found, on=_SAME, how="anti").sort("place").drop("place")


def _not_shredded(snapshot: Snapshot, records: pl.DataFrame) -> pl.DataFrame:
    """Return the records that can be opened, with their key material."""
    material = snapshot.materials(records["record_id"], records["version"])
    return records.with_columns(material=material).drop_nulls("material")


def _sealed(snapshot: Snapshot, records: pl.DataFrame) -> pl.DataFrame:
    """Return the records with their payloads, and what they are warned of."""
    ids = pl.col("record_id").is_in(records["record_id"].implode())
    payloads = snapshot.read(PROTECTED_RECORDS.name, [*_SAME, "payload_sealed"], where=ids)
    issues = snapshot.read(RECORD_ISSUES.name, [*_SAME, "attribute", "rule"], where=ids)
    warned = issues.group_by(_SAME).agg(warned=_warning().sort())
    return records.join(payloads, on=_SAME, how="inner", maintain_order="left").join(
        warned, on=_SAME, how="left", maintain_order="left"
    )


def _read_alike(snapshot: Snapshot, renewal: Renewal, sealed: pl.DataFrame) -> Iterator[tuple[SourceContract, str, pl.DataFrame]]:
    """Yield records that were read alike, with the contract and the default country that they were read by."""
    contracts = {contract.source_system: contract for contract in with_steward(renewal.contracts)}
    told = snapshot.read(DELIVERIES.name, ["delivery_id", "read_as"])
    joined = sealed.join(told, on="delivery_id", how="left", maintain_order="left")
    for (source_system, text), alike in joined.partition_by(
        "source_system", "read_as", as_dict=True, maintain_order=True
    ).items():
        yield (*as_read(contracts[source_system], text), alike)


def _opened(renewal: Renewal, contract: SourceContract, sealed: pl.DataFrame) -> Iterator[Held]:
    """Open records, batch by batch."""
    vault = renewal.keyring.vault()
    payload = pl.Struct({"raw": pl.Struct(dict.fromkeys(headers_of(contract), pl.String)), "values": pl.List(VALUE)})
    for batch in sealed.iter_slices(BATCH_ROWS):
        rows = Rows(batch["record_id"], batch["version"])
        texts = vault.unseal(RECORD_PLACE, rows, Sealed(batch["payload_sealed"], batch["material"])).cast(pl.String)
        decoded = texts.str.json_decode(payload).struct.unnest()
        yield Held(decoded["raw"].struct.unnest(), decoded["values"], batch.drop("payload_sealed", "material"))


def _with_known_times(batch: StandardisedBatch, held: Held) -> StandardisedBatch:
    """Return the batch with the time that is known of each record whose row tells none, as when it was delivered."""
    return batch._replace(records=batch.records.with_columns(pl.coalesce("updated_at", held.rows["updated_at"])))


def _is_as_before(batch: StandardisedBatch, held: Held, are_open: frozenset[str]) -> pl.Series:
    """Return of each record whether a new version would say and be warned of nothing else."""
    records = batch.records.with_columns(country=pl.col("country") if "country" in are_open else pl.lit(None, pl.String))
    same = values_of(batch).eq_missing(held.values) & _warned(batch).eq_missing(held.rows["warned"])
    for name in ("entity_type", "country", "updated_at"):
        same &= records[name].eq_missing(held.rows[name])
    return same


def _warned(batch: StandardisedBatch) -> pl.Series:
    """Return what each row of a batch is warned of, as it is stored: attribute and rule, sorted; null where nothing."""
    warned = batch.issues.unique(["row", "attribute", "rule"]).group_by("row").agg(warned=_warning().sort())
    return batch.records.select("row").join(warned, on="row", how="left", maintain_order="left")["warned"].cast(_WARNED)


def _warning() -> pl.Expr:
    return pl.format("{}/{}", "attribute", "rule")


def _owners(held: Held, is_new: pl.Series) -> pl.DataFrame:
    """Return row, record_id, version and delivery_id of each record; of one that says something else its next version."""
    version = pl.col("version") + is_new.cast(pl.Int32)
    numbered = held.rows.select("record_id", version, "delivery_id").with_row_index("row")
    return numbered.cast({"row": pl.UInt32})


def _indexed(rebuilding: Rebuilding, batch: StandardisedBatch, owners: pl.DataFrame, *generations: str) -> dict[str, IndexRows]:
    airlock = rebuilding.airlock
    wanted = Findable(batch, owners.select("row", *_SAME), open_attributes(airlock.contract))
    return index_rows(wanted, airlock.keys, generations)


def _new_versions(
    airlock: Airlock, batch: StandardisedBatch, held: Held, owners: pl.DataFrame, is_new: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return rows of protected_records and their key material; delivery and content are those of the version before."""
    marks = owners.select(*_SAME).with_columns(held.rows["content_digest"])
    protected, keys = seal_records(airlock, Pending(held.raw, marks), batch, is_new)
    return protected.with_columns(held.rows["delivery_id"].filter(is_new)), keys
