"""What a delivery holds and how it is judged: all that taking it in and only trying it have in common."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import polars as pl

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.standardised_record import ISSUES, StandardisedBatch
from custview_pipeline.flows.suppress import NO_MARKS, Suppression
from custview_pipeline.flows.survey import BATCH_ROWS, Delivered, Survey, headers_of, survey
from custview_pipeline.ingestion.changes import Changes, RowStatus, find_changes
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import Progress, Source
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.standardisation.standardise import standardise
from custview_pipeline.validation.gate import reason_to_refuse
from custview_pipeline.validation.rules import reasons_for, rule_of, rules_of
from custview_pipeline.validation.screen import Screened, screen
from custview_pipeline.validation.tally import Tally
from custview_pipeline.validation.verdicts import Verdict, verdicts

WORKED_ON: Final = (RowStatus.NEW, RowStatus.CHANGED, RowStatus.CONFLICTING, RowStatus.KEYLESS)
_LIMITS_OF_KEY: Final = {RowStatus.KEYLESS: "required", RowStatus.CONFLICTING: "unique"}
_TOLD_REASONS: Final = 3


class Before(NamedTuple):
    """What is known of a source before a delivery.

    Attributes:
        records: ``KNOWN``, the current version of each record of the source.
        erased: Suppression marks of all records that were ever erased.
    """

    records: pl.DataFrame
    erased: pl.Series = NO_MARKS


class Reading(NamedTuple):
    """What the first pass over a delivery found.

    Attributes:
        surveyed: What every row is known by.
        changes: What is new, changed, unchanged or gone.
        known_count: Records of the source that are held and not deleted.
    """

    surveyed: Survey
    changes: Changes
    known_count: int

    @property
    def deletions(self) -> Mapping[str, int]:
        """Return deleted_count, absent_count and known_count, by which a delivery is held until a person believes it."""
        deleted, absent = self.changes.deleted_count, self.changes.absent_count
        return {"deleted_count": deleted, "absent_count": absent, "known_count": self.known_count}


class Pending(NamedTuple):
    """Rows that are to be standardised and judged.

    Attributes:
        raw: The contract's columns, all String.
        marks: record_id (null where the key is missing), content_digest, version, broken (names of the rules that the first pass
            found the row to break, or null), is_quarantined (the same row is in quarantine already, or comes before this one).
    """

    raw: pl.DataFrame
    marks: pl.DataFrame


class Examined(NamedTuple):
    """A batch, standardised and judged; readable, so it lives in memory only."""

    batch: StandardisedBatch
    screened: Screened


class Judgement(NamedTuple):
    """How a whole delivery is judged.

    Attributes:
        verdicts: How every rule came out.
        refusal: Why the gate refuses it, in one line; None where it may pass.
    """

    verdicts: tuple[Verdict, ...]
    refusal: str | None


def read_delivery(delivered: Delivered, id_key: bytes, progress: Progress, before: Before, *, is_redone: bool = False) -> Reading:
    """Read a delivery once and compare it with what is known of its source.

    Args:
        delivered: The delivery.
        id_key: The purpose key ``id``.
        progress: Who is told.
        before: What is known.
        is_redone: Whether rows with the same content are worked on again.

    Raises:
        SourceUnreadable: The source is not as its contract says.
    """
    contract = delivered.contract
    with silenced(f"{contract.source_system}: reading the delivery"):
        alive = before.records.filter(~pl.col("is_deleted"))
        suppression = Suppression(id_key, before.erased, alive["record_id"], contract.refuses_erased)
        surveyed = survey(delivered, suppression, progress)
        changes = find_changes(
            surveyed.rows,
            before.records,
            is_snapshot=delivered.source.is_snapshot,
            is_redone=is_redone,
            returning=surveyed.returning,
        )
        return Reading(surveyed, changes, alive.height)


def pending_rows(contract: SourceContract, source: Source, reading: Reading, quarantined: pl.DataFrame) -> Iterator[Pending]:
    """Read the delivery again and yield the rows that need work, with their marks; few rows of many batches come together.

    Args:
        contract: Its contract.
        source: Its files or tables.
        reading: What the first pass found.
        quarantined: record_id, content_digest of the rows of this source that are in quarantine.

    Raises:
        SourceUnreadable: The source is not as it was in the first pass.
    """
    marked, start = _marks(contract, reading, quarantined), 0
    waiting: list[Pending] = []
    for batch in source.batches(headers_of(contract), rows=BATCH_ROWS):
        end = start + batch.frame.height
        if end > reading.changes.rows.height:
            raise SourceUnreadable(f"{contract.source_system}: {batch.file} grew while it was read")
        first, last = (int(marked["position"].search_sorted(edge)) for edge in (start, end))
        marks, start = marked.slice(first, last - first), end
        if marks.height:
            places = marks["position"] - (end - batch.frame.height)
            waiting.append(Pending(batch.frame[places], marks.drop("position")))
        if sum(pending.raw.height for pending in waiting) >= BATCH_ROWS:
            yield _together(waiting)
            waiting = []
    if waiting:
        yield _together(waiting)


def examine(contract: SourceContract, region: str, pending: Pending) -> Examined:
    """Standardise and judge one batch.

    Args:
        contract: The contract of the source.
        region: Default country of the project.
        pending: The rows.
    """
    batch = standardise(pending.raw, contract, region=region)
    return Examined(batch, screen(pending.raw, batch, contract, extra_reasons=_as_reasons(pending.marks, contract)))


def refused_rows(pending: Pending, screened: Screened) -> pl.DataFrame:
    """Return the refused rows of a batch in order: row, their marks, and reasons (names of the rules, sorted)."""
    rule = pl.format("{}__{}__{}", "dimension", "attribute", "rule")
    broken = screened.reasons.filter(pl.col("severity") == "error").group_by("row").agg(reasons=rule.unique().sort())
    marked = pending.marks.with_row_index("row").filter(~screened.is_accepted)
    return marked.join(broken, on="row", how="left", maintain_order="left")


def judge_delivery(
    contract: SourceContract, reading: Reading, tally: Tally, reasons: Counter[str], *, refused_count: int
) -> Judgement:
    """Judge a delivery whose batches were all examined.

    Args:
        contract: Its contract.
        reading: What the first pass found.
        tally: The counts of all batches.
        reasons: Refused rows by rule, the most frequent first.
        refused_count: Rows refused.
    """
    is_deleted = reading.surveyed.rows["is_deleted"]
    row_count = reading.changes.rows.height - reading.changes.count(RowStatus.SUPPRESSED) - int(is_deleted.sum())
    judged = verdicts(tally, contract, row_count=row_count, counted=reading.surveyed.counted)
    why = reason_to_refuse(
        judged,
        contract,
        refused_count=refused_count,
        row_count=row_count,
    )
    return Judgement(judged, why and _with_places(why, contract, judged, reasons))


def count_reasons(refused: pl.DataFrame) -> Counter[str]:
    """Return how many rows broke each rule that refuses, the most frequent first.

    Args:
        refused: Its column ``reasons`` is read.
    """
    return most_frequent_first(Counter(refused["reasons"].explode().drop_nulls().to_list()))


def most_frequent_first(counts: Counter[str]) -> Counter[str]:
    """Return the same counts, the largest first, those alike by name."""
    return Counter(dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))))


def _together(waiting: list[Pending]) -> Pending:
    return Pending(pl.concat([each.raw for each in waiting]), pl.concat([each.marks for each in waiting]))


def _marks(contract: SourceContract, reading: Reading, quarantined: pl.DataFrame) -> pl.DataFrame:
    """Return the marks of every row of the delivery that needs work, with its position."""
    same = ["record_id", "content_digest"]
    known = quarantined.select(same).unique().with_columns(is_known=pl.lit(value=True))
    wanted = (
        reading.changes.rows.with_row_index("position")
        .filter(pl.col("status").is_in([str(status) for status in WORKED_ON]))
        .join(known, on=same, how="left", maintain_order="left", nulls_equal=True)
    )
    broken = _broken_rules(contract, wanted, reading.surveyed.repeated)
    is_quarantined = pl.col("is_known").fill_null(value=False) | ~pl.struct(same).is_first_distinct()
    return wanted.join(broken, on="position", how="left", maintain_order="left").select(
        "position", *same, "version", "broken", is_quarantined=is_quarantined
    )


def _broken_rules(contract: SourceContract, rows: pl.DataFrame, repeated: pl.DataFrame) -> pl.DataFrame:
    """Return, for each row that the first pass found to be refused, position and broken: the names of the rules it breaks."""
    of_key = {status.value: rule_of(contract, contract.key_column, limit).name for status, limit in _LIMITS_OF_KEY.items()}
    rule = pl.col("status").replace_strict(of_key, default=None, return_dtype=pl.String)
    by_key = rows.select("position", rule=rule).drop_nulls("rule")
    return pl.concat([by_key, repeated]).group_by("position").agg(broken=pl.col("rule").sort())


def _as_reasons(marks: pl.DataFrame, contract: SourceContract) -> pl.DataFrame:
    """Return the rules that the first pass found broken as reasons of the screen."""
    broken = marks.select("broken").with_row_index("row").explode("broken").drop_nulls("broken")
    rules = {rule.name: rule for rule in rules_of(contract)}
    rows = broken.partition_by("broken", as_dict=True)
    return pl.concat([ISSUES.to_frame(), *(reasons_for(rules[str(name)], found["row"]) for (name,), found in rows.items())])


def _with_places(why: str, contract: SourceContract, judged: tuple[Verdict, ...], reasons: Counter[str]) -> str:
    """Return why the gate stays shut, with files, contract and fields to look at."""
    columns = {verdict.rule.name: verdict.rule.column for verdict in judged}
    broken = [f"{columns.get(rule) or 'rows'} by {rule} ({count})" for rule, count in list(reasons.items())[:_TOLD_REASONS]]
    refused = f"; refused: {', '.join(broken)}" if broken else ""
    return f"{why}; see {contract.path_pattern} and {contract.file}{refused}"
