"""The verdict on a delivery, as taking it in would give it, and nothing stored: no lake, no keys but those of a moment."""

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.examine import (
    WORKED_ON,
    Before,
    Pending,
    count_reasons,
    examine,
    judge_delivery,
    most_frequent_first,
    pending_rows,
    read_delivery,
    refused_rows,
)
from custview_pipeline.flows.survey import Delivered
from custview_pipeline.flows.workers import work_through
from custview_pipeline.ingestion.changes import KNOWN, SURVEY, RowStatus
from custview_pipeline.kernel.ports import Progress, Source
from custview_pipeline.kernel.redaction import silenced
from custview_pipeline.protection.derivation import KEY_BYTES
from custview_pipeline.validation.tally import Tally
from custview_pipeline.validation.verdicts import Verdict

_STAGE: Final = "validation"


@dataclass(frozen=True, slots=True)
class Trial:
    """What would become of a delivery to a lake that knows nothing of its source.

    Attributes:
        row_count: Rows read.
        accepted_count: Rows that would be stored; ``warned_count`` of them with a warning.
        refused_count: Rows that would be set aside.
        repeated_count: Copies of a row of the same delivery, which count once.
        reasons: Refused rows by rule, the most frequent first.
        verdicts: How every rule came out.
        refusal: Why the gate would refuse the delivery; None where it would pass.
    """

    source_system: str
    row_count: int
    accepted_count: int
    warned_count: int
    refused_count: int
    repeated_count: int
    reasons: dict[str, int]
    verdicts: tuple[Verdict, ...]
    refusal: str | None

    @property
    def is_good(self) -> bool:
        """Return whether the gate would let it pass and no rule of severity error is broken."""
        return self.refusal is None and all(verdict.passed for verdict in self.verdicts if verdict.rule.severity == "error")


class _Setting(NamedTuple):
    contract: SourceContract
    region: str


class _Judged(NamedTuple):
    tally: Tally
    reasons: Counter[str]


def judge(contract: SourceContract, source: Source, region: str, *, workers: int, progress: Progress) -> Trial:
    """Judge what a source holds now.

    Args:
        contract: Its contract.
        source: Its files or tables.
        region: Default country.
        workers: Processes to use at most.
        progress: Who is told.

    Raises:
        SourceUnreadable: The source is not as its contract says.
        Redacted: A library failed; the message quotes nothing.
    """
    with source.reading():
        return _judge(contract, source, region, workers=workers, progress=progress)


def _judge(contract: SourceContract, source: Source, region: str, *, workers: int, progress: Progress) -> Trial:
    id_key = secrets.token_bytes(KEY_BYTES)  # forgotten with this call
    reading = read_delivery(Delivered(contract, source, region), id_key, progress, Before(KNOWN.to_frame()))
    batches = pending_rows(contract, source, reading, SURVEY.to_frame())
    judged, done = [_Judged(Tally(), Counter())], 0
    rows = reading.changes.count(*WORKED_ON)
    for each in work_through(_judge_batch, _Setting(contract, region), batches, rows=rows, workers=workers):
        judged.append(each)
        done += each.tally.rows
        progress.step(f"{contract.source_system} {_STAGE}", "rows standardised and validated", done)
    tally = Tally.total(each.tally for each in judged)
    reasons = most_frequent_first(sum((each.reasons for each in judged), Counter[str]()))
    judgement = judge_delivery(contract, reading, tally, reasons, refused_count=tally.refused)
    return Trial(
        source_system=contract.source_system,
        row_count=reading.changes.rows.height,
        accepted_count=tally.rows - tally.refused,
        warned_count=tally.warned,
        refused_count=tally.refused,
        repeated_count=reading.changes.count(RowStatus.REPEATED),
        reasons=dict(reasons),
        verdicts=judgement.verdicts,
        refusal=judgement.refusal,
    )


def _judge_batch(setting: _Setting, pending: Pending) -> _Judged:
    with silenced(f"{setting.contract.source_system}: standardising and validating"):
        _, screened = examine(setting.contract, setting.region, pending)
        return _Judged(screened.tally, count_reasons(refused_rows(pending, screened)))
