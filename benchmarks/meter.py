"""What work costs: CPU seconds, wall seconds and peak memory of named stages, and of work in a process of its own.

Nothing here needs the package, so that a benchmark of another tool in an environment of its own is measured the same way.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple, TypeVar

import psutil

T = TypeVar("T")
GIB = 2**30
_EVERY = 0.1  # seconds between two looks at the memory


class Taken(NamedTuple):
    """What a stage took.

    Attributes:
        cpu: Seconds of all threads and of child processes that ended in it.
        wall: Seconds.
        peak: GiB resident in the process and its children, sampled.
    """

    cpu: float
    wall: float
    peak: float


class Meter:
    """CPU seconds, wall seconds and peak memory of named stages."""

    def __init__(self) -> None:
        self.stages: dict[str, Taken] = {}
        self._peak = 0.0
        self._process = psutil.Process()
        threading.Thread(target=self._watch, daemon=True).start()

    def measure(self, stage: str, work: Callable[[], T]) -> T:
        """Run ``work`` and add what it took to the stage; a stage within another counts for both."""
        around, self._peak, cpu, wall = self._peak, self._resident(), _cpu(), time.perf_counter()
        result = work()
        before = self.stages.get(stage, Taken(0.0, 0.0, 0.0))
        peak = max(self._peak, self._resident())
        self.stages[stage] = Taken(before.cpu + _cpu() - cpu, before.wall + time.perf_counter() - wall, max(before.peak, peak))
        self._peak = max(around, peak)
        return result

    def _resident(self) -> float:
        resident = 0
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                resident += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return resident / GIB

    def _watch(self) -> None:
        while True:
            self._peak = max(self._peak, self._resident())
            time.sleep(_EVERY)


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def in_own_process(work: Callable[..., T], *arguments: Any) -> T:
    """Run a function of a module in a fresh process, so that what others left in memory counts for nothing."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()
