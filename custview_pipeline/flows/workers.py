"""Works through the batches of a delivery, or of the vault: in this process, or in several where there are many rows."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

from custview_pipeline.flows import parcels  # noqa: F401 -- how frames go to workers and back
from custview_pipeline.kernel.errors import Redacted
from custview_pipeline.kernel.settings import rows_for_workers, secrets_withheld, single_threaded_children
from custview_pipeline.kernel.silent_process import drop_standard_error, silence_process

_BATCHES_IN_FLIGHT: Final = 2  # per worker; bounds memory

Setting = TypeVar("Setting")
Batch = TypeVar("Batch")
Outcome = TypeVar("Outcome")

_kept: dict[int, ProcessPoolExecutor] | None = None  # by size; None where nobody keeps any


@contextmanager
def kept_workers() -> Iterator[None]:
    """Keep the processes that ``work_through`` starts meanwhile for its next calls, and end them when this ends.

    Starting one costs two CPU seconds, and each large source of a run would start its own. Between two calls they hold no keys
    and no rows, but the memory that these took: end this before the stages that follow.
    """
    global _kept  # noqa: PLW0603 -- processes are the whole process's, whoever starts them
    if _kept is not None:
        yield
        return
    _kept = {}
    try:
        yield
    finally:
        pools, _kept = _kept, None
        for pool in pools.values():
            pool.shutdown()


def work_through(
    task: Callable[[Setting, Batch], Outcome], setting: Setting, batches: Iterable[Batch], *, rows: int, workers: int
) -> Iterator[Outcome]:
    """Yield what each batch became, in order.

    Args:
        task: What is done with a batch: a function of a module, for workers know it by its name.
        setting: What the task needs besides; it goes to the workers with each batch, through a pipe.
        batches: The rows.
        rows: How many they are together.
        workers: Processes to use at most.

    Raises:
        Redacted: A worker failed or was killed.
    """
    if workers == 1 or rows < rows_for_workers():
        yield from (task(setting, batch) for batch in batches)
        return
    with secrets_withheld(), single_threaded_children(), _pool(workers) as pool:
        waiting: deque[Future[Outcome]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_do, task, setting, batch))
                if len(waiting) >= workers * _BATCHES_IN_FLIGHT:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            _let_go_of_queue(pool)
            raise Redacted("a worker of the airlock was killed, perhaps for want of memory") from None
        finally:
            for future in waiting:
                future.cancel()  # nobody asks for them any more


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Lend the pool of this size that is kept, or one that ends with this; none is kept where anything went wrong."""
    kept = {} if _kept is None else _kept
    pool = kept.pop(workers, None) or ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )
    is_well = False
    try:
        yield pool
        is_well = True
    finally:
        if is_well and _kept is not None and workers not in _kept:
            _kept[workers] = pool
        else:
            pool.shutdown()


def _let_go_of_queue(pool: ProcessPoolExecutor) -> None:
    """Close the queue of a pool whose workers are dead, at the end that they read.

    Before 3.11.6 Python waits for ever for the batch that is on its way to them (github.com/python/cpython/issues/94777). Later
    versions close it themselves, in another thread, which fails where it is closed at the same moment.
    """
    queue: Any = getattr(pool, "_call_queue", None)
    if queue is not None and sys.version_info < (3, 11, 6):
        with suppress(OSError):
            queue._reader.close()  # noqa: SLF001 -- there is no public way


def _begin() -> None:
    """Prepare a new worker."""
    silence_process()
    drop_standard_error()  # what a worker has to say goes back through its pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is for the run, which then ends its workers
    threading.Thread(target=_end_with_run, daemon=True).start()


def _end_with_run() -> None:
    """End this worker when its run is gone: a run that is killed tells nobody, and its workers would wait on, keys in memory."""
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _do(task: Callable[[Setting, Batch], Outcome], setting: Setting, batch: Batch) -> Outcome:
    return task(setting, batch)
