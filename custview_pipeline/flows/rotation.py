"""Rotates a key while the pipeline runs: at once, as the command asks, or a portion a night.

A rotation adds a version of the key, has everything made anew under it turn by turn, and retires the former version. What is
left to be done is seen from what is stored, so a rotation that was killed anywhere goes on where it stood.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from custview_pipeline.contracts.match_index import Generation
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.flows.current import current_records
from custview_pipeline.flows.rebuild import assert_described
from custview_pipeline.flows.reencrypt import index_turn, vault_turn
from custview_pipeline.flows.renew_index import token_turn
from custview_pipeline.flows.renewal import RECORDS_A_TURN, Renewal, Turn
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.kernel.ports import LakeWriter, Progress, Snapshot, Unwatched
from custview_pipeline.kernel.settings import worker_count
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose

_PAUSE_SECONDS: Final = 0.2  # between two turns; whoever waits for the lake looks every 0.05 seconds

_TURNS: Final[Mapping[Purpose, Callable[[LakeWriter, Renewal, int], Turn]]] = {
    Purpose.TOKEN: token_turn,
    Purpose.VAULT: vault_turn,
    Purpose.INDEX: index_turn,
}


class Lake(Protocol):
    """A lake that can be held for writing again and again."""

    def writer(self) -> AbstractContextManager[LakeWriter]:
        """Hold the lake; whoever gets it sees the keys as they are now."""
        ...


@dataclass(frozen=True, slots=True)
class RotationReport:
    """What rotating a key did.

    Attributes:
        purpose: The key.
        from_version, to_version: The former version, and the one that everything is made under from now on.
        records: Record versions and refused rows sealed anew, or records that another generation of the index was given.
        segments: Segments of the match index written anew.
        is_complete: Whether nothing is left under a former version, which then is gone.
        held_up: Why it cannot go on, in one line; None where it can.
    """

    purpose: Purpose
    from_version: int
    to_version: int
    records: int = 0
    segments: int = 0
    is_complete: bool = False
    held_up: str | None = None


def rotate(  # noqa: PLR0913 -- one call for the command, which has each of these in hand
    lake: Lake,
    keyring: Keyring,
    contracts: Sequence[SourceContract],
    region: str,
    purpose: Purpose,
    *,
    run_id: str,
    progress: Progress,
    records_a_turn: int = RECORDS_A_TURN,
) -> RotationReport:
    """Rotate the key ``vault``, ``token`` or ``index``, to the end; one that was begun before is brought to its end.

    The lake is given back after each turn, so that runs and erasures get theirs. Until the end both versions are readable.

    Args:
        lake: The lake; not held by this process.
        keyring: Its keys.
        contracts: The contracts as they are written now.
        region: Default country of the project.
        purpose: Which key.
        run_id: The run.
        progress: Who is told, while the lake is free.
        records_a_turn: For how many records the lake is held at a time, about.

    Raises:
        ProjectInvalid: This key rotates in another way, or no contract describes a source any more.
        LakeBusy: Another run kept the lake for too long.
    """
    if purpose not in _TURNS:
        raise ProjectInvalid(f"the {purpose} key protects nothing that has to be made anew")
    renewal = Renewal(keyring, contracts, region, worker_count(), run_id, progress)
    with lake.writer() as writer:
        if purpose is Purpose.TOKEN:
            assert_described(current_records(writer.snapshot())["source_system"], contracts)
        if not is_under_way(keyring, purpose):
            keyring.add(purpose, beyond=_highest_named(writer.snapshot(), purpose))
        report = _begun(keyring, purpose)
    while True:
        with lake.writer() as writer:
            report = _after(report, _TURNS[purpose](writer, renewal, records_a_turn))
        if report.is_complete:
            return report
        done = (report.segments, "segments written anew") if report.segments else (report.records, "records made anew")
        progress.step(f"{purpose} key", done[1], done[0])
        time.sleep(_PAUSE_SECONDS)


def continue_rotations(
    writer: LakeWriter,
    keyring: Keyring,
    contracts: Sequence[SourceContract],
    region: str,
    *,
    run_id: str,
    budget: int = RECORDS_A_TURN,
) -> tuple[RotationReport, ...]:
    """Go on with the rotations that are under way, for a bounded number of records; it begins none.

    Args:
        writer: The lake, held for writing.
        keyring: Its keys.
        contracts: The contracts as they are written now.
        region: Default country of the project.
        run_id: The run.
        budget: How many records to make anew, about; of the index key one turn is taken.

    Returns:
        A report of each rotation that is under way.
    """
    renewal = Renewal(keyring, contracts, region, worker_count(), run_id, Unwatched())
    reports: list[RotationReport] = []
    for purpose in _TURNS:
        if is_under_way(keyring, purpose):
            reports.append(_continued(writer, renewal, purpose, budget - sum(report.records for report in reports)))
    return tuple(reports)


def is_under_way(keyring: Keyring, purpose: Purpose) -> bool:
    """Return whether a key has a version that is not used yet, or one that something may still be under."""
    return any(key.state is not KeyState.CURRENT for key in keyring.versions(purpose))


def _highest_named(snapshot: Snapshot, purpose: Purpose) -> int:
    """Return the highest version of a key that the lake names; of the vault key, which only rows name, 0."""
    named = {
        Purpose.TOKEN: {Generation.named(name).token_version for name in snapshot.index_generations() if name is not None},
        Purpose.INDEX: snapshot.index_key_versions(),
    }
    return max(named.get(purpose, ()), default=0)


def _continued(writer: LakeWriter, renewal: Renewal, purpose: Purpose, budget: int) -> RotationReport:
    report = _begun(renewal.keyring, purpose)
    try:
        while report.records < budget and not report.is_complete and not report.segments:
            report = _after(report, _TURNS[purpose](writer, renewal, budget - report.records))
    except ProjectInvalid as error:  # a source without a contract is no reason to fail a run that does not need it
        return replace(report, held_up=str(error))
    return report


def _begun(keyring: Keyring, purpose: Purpose) -> RotationReport:
    """Return a report of nothing done yet."""
    *former, newest = sorted(key.version for key in keyring.versions(purpose))
    return RotationReport(purpose, max(former), newest)


def _after(report: RotationReport, turn: Turn) -> RotationReport:
    return replace(
        report,
        records=report.records + turn.records,
        segments=report.segments + turn.segments,
        is_complete=turn.is_complete,
    )
