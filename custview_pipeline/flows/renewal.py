"""What renewing stored rows needs, in turns so short that runs and erasures get theirs in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose

RECORDS_A_TURN: Final = 100_000
RECORDS_A_SEGMENT: Final = 5_000  # what a segment of the index counts as; a delivery of that many rows makes three


@dataclass(frozen=True, slots=True)
class Renewal:
    """What renewing needs.

    Attributes:
        keyring: The keys.
        contracts: The contracts as they are written now.
        region: Default country of the project.
        workers: Processes to use at most.
        run_id: The run.
        progress: Who is told.
    """

    keyring: Keyring
    contracts: Sequence[SourceContract]
    region: str
    workers: int
    run_id: str
    progress: Progress


class Turn(NamedTuple):
    """What one turn did.

    Attributes:
        records: Record versions and refused rows that were renewed, or records that a generation of the index was given.
        segments: Segments of the match index that were written anew.
        is_complete: Whether nothing is left to be done.
    """

    records: int = 0
    segments: int = 0
    is_complete: bool = False


def versions_in(keyring: Keyring, purpose: Purpose, state: KeyState) -> tuple[int, ...]:
    """Return the versions of a key that are in a state, oldest first."""
    return tuple(key.version for key in keyring.versions(purpose) if key.state is state)
