"""Which process works on a run, noted in the run's tags, and whether it is still there.

Dagster does not know: after a kill its database says STARTED for ever, and everything queues behind that run.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import psutil

HOST_TAG: Final = "custview/host"
PROCESS_TAG: Final = "custview/pid"
BEGAN_TAG: Final = "custview/process_began"
_BEGAN_TOLERANCE: Final = 2.0  # seconds; numbers of processes come back, in a restarted container at once, but not this fast


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of some host.

    Attributes:
        host: Name of the host.
        pid: Its number there.
        began: Seconds from the start of the machine to its own; the wall clock may be set meanwhile, this stays.
    """

    host: str
    pid: int
    began: float

    @classmethod
    def here(cls, pid: int | None = None) -> Self:
        """Return this process, or another one of this host.

        Raises:
            psutil.NoSuchProcess: There is none of this number.
        """
        process = psutil.Process(pid)
        return cls(socket.gethostname(), process.pid, round(_began(process), 2))

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> Self | None:
        """Return the process that tags name; None where they name none."""
        try:
            return cls(tags[HOST_TAG], int(tags[PROCESS_TAG]), float(tags[BEGAN_TAG]))
        except (KeyError, ValueError):
            return None

    @property
    def tags(self) -> dict[str, str]:
        """Return what ``of`` reads."""
        return {HOST_TAG: self.host, PROCESS_TAG: str(self.pid), BEGAN_TAG: str(self.began)}

    @property
    def is_of_this_host(self) -> bool:
        """Return whether it can be looked at from here."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Return whether it is still there; only its own host can tell."""
        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and abs(_began(process) - self.began) < _BEGAN_TOLERANCE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:  # it is there, and nobody may look at it
            return True


def _began(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()
