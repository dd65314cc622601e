"""Works through the batches of a delivery, or of the vault: in this process, or in several where there are many rows."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from custview_pipeline.kernel.errors import Redacted
from custview_pipeline.kernel.settings import rows_for_workers, secrets_withheld, single_threaded_children
from custview_pipeline.kernel.silent_process import drop_standard_error, silence_process

_BATCHES_IN_FLIGHT: Final = 2  # per worker; bounds memory

Setting = TypeVar("Setting")
Batch = TypeVar("Batch")
Outcome = TypeVar("Outcome")

_work: Callable[[Any], Any]  # of a worker process, made once of what came through its pipe


def work_through(
    task: Callable[[Setting, Batch], Outcome], setting: Setting, batches: Iterable[Batch], *, rows: int, workers: int
) -> Iterator[Outcome]:
    """Yield what each batch became, in order.

    Args:
        task: What is done with a batch: a function of a module, for workers know it by its name.
        setting: What the task needs besides; it goes to each worker once, through a pipe.
        batches: The rows.
        rows: How many they are together.
        workers: Processes to use at most.

    Raises:
        Redacted: A worker failed or was killed.
    """
    if workers == 1 or rows < rows_for_workers():
        yield from (task(setting, batch) for batch in batches)
        return
    context = multiprocessing.get_context("spawn")
    with (
        secrets_withheld(),
        single_threaded_children(),
        ProcessPoolExecutor(workers, mp_context=context, initializer=_receive, initargs=(task, setting)) as pool,
    ):
        waiting: deque[Future[Outcome]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_do, batch))
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


def _let_go_of_queue(pool: ProcessPoolExecutor) -> None:
    """Close the queue of a pool whose workers are dead, at the end that they read.

    Before 3.11.6 Python waits for ever for the batch that is on its way to them (github.com/python/cpython/issues/94777); later
    versions close it themselves.
    """
    queue: Any = getattr(pool, "_call_queue", None)
    if queue is not None:
        with suppress(OSError, TypeError):  # later versions may close it at the same moment, in another thread
            queue._reader.close()  # noqa: SLF001 -- there is no public way


def _receive(task: Callable[[Any, Any], Any], setting: Any) -> None:
    """Keep what the pipe brought, in a new worker."""
    global _work  # noqa: PLW0603 -- the pool gives an initialiser no other way to hand state to its tasks
    silence_process()
    drop_standard_error()  # what a worker has to say goes back through its pipe
    _work = partial(task, setting)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is for the run, which then ends its workers
    threading.Thread(target=_end_with_run, daemon=True).start()


def _end_with_run() -> None:
    """End this worker when its run is gone: a run that is killed tells nobody, and its workers would wait on, keys in memory."""
    run = multiprocessing.parent_process()
    if run is not None:
        run.join()
        os._exit(1)


def _do(batch: Any) -> Any:
    return _work(batch)
