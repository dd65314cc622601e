"""Carrying out what the ledger of erasures asks for, whole or killed before a chosen step."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from custview_pipeline.adapters import delta_lake, lake_commit
from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.erasure_ledger import ErasureLedger
from custview_pipeline.adapters.lake_commit import Commit
from custview_pipeline.flows.erase import carry_out_pending
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline_tests.interrupted import die_before, open_keys

# See ``interrupted``: children are forked from a server that has run nothing of what it imported.
_METHOD: Final = "forkserver" if sys.platform == "linux" else "spawn"

# Everything that an erasure does, down to the file system.
STEPS: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (Commit, ("forget_keys", "rewrite_index", "remove", "append")),
    (Keyring, ("renew_shards", "destroy_shards")),
    (DeltaLake, ("replace_manifest", "finish")),
    (delta_lake, ("purge_table",)),
    (lake_commit, ("remove_rows", "write_table")),
    (Path, ("replace", "unlink")),
    (os, ("ftruncate", "fsync")),
    (ErasureLedger, ("append",)),
)


def carry_out(lake: Path, keys: Path) -> None:
    """Carry out what the ledger asks for."""
    keyring = open_keys(keys)
    with DeltaLake(lake, keyring).writer() as writer:
        carry_out_pending(writer, keyring, ErasureLedger(keys), run_id="erasure")


def before_each_step(act: Callable[[str], None]) -> Callable[[], None]:
    """Call ``act`` with the name of every step before it is taken; return what undoes that."""
    originals = [(owner, name, getattr(owner, name)) for owner, names in STEPS for name in names]

    def watched(owner: Any, name: str, original: Any) -> Any:
        def watch(*arguments: Any, **named: Any) -> Any:
            act(f"{owner.__name__}.{name}")
            return original(*arguments, **named)

        return watch

    def undo() -> None:
        for owner, name, original in originals:
            setattr(owner, name, original)

    for owner, name, original in originals:
        setattr(owner, name, watched(owner, name, original))
    return undo


def kill_before(lake: Path, keys: Path, step: int) -> None:
    """Carry it out in a process that ends as ``kill -9`` ends it, before the step of that number, counted from 0."""
    context = multiprocessing.get_context(_METHOD)
    if _METHOD == "forkserver":
        context.set_forkserver_preload([__name__])
    process = context.Process(target=_carry_out_doomed, args=(lake, keys, step), daemon=True)
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    process.close()


def _carry_out_doomed(lake: Path, keys: Path, step: int) -> None:
    die_before(step, before_each_step)
    carry_out(lake, keys)
