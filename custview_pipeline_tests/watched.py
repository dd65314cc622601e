"""A watch over a command while it runs: command lines and environments of its processes, and files that live shortly."""

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Final

import psutil

_LOOK_SECONDS: Final = 0.02


class Watcher(threading.Thread):
    """Looks at a running command again and again until it ends; ``start`` it, and ``join`` it before reading what it saw.

    Args:
        command: The command.
        folders: Where to look for files.

    Attributes:
        processes: Command line and environment of every process that the command started, by its id.
        files: Contents of the files met, the newest look at each.
        errors: What went wrong in the watching; empty where nothing did.
    """

    def __init__(self, command: subprocess.Popen[str], *folders: Path) -> None:
        super().__init__(daemon=True)
        self._command, self._folders = command, folders
        self.processes: dict[int, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.errors: list[BaseException] = []

    def run(self) -> None:
        """Look until the command ends."""
        try:
            while self._command.poll() is None:
                self._look_at_processes()
                self._look_at_files()
                time.sleep(_LOOK_SECONDS)
        except BaseException as error:  # noqa: BLE001 -- a thread's error must reach the test
            self.errors.append(error)

    def _look_at_processes(self) -> None:
        try:
            command = psutil.Process(self._command.pid)
            own, children = command.cmdline(), command.children(recursive=True)
        except psutil.NoSuchProcess:
            return
        for child in children:
            try:
                if child.cmdline() == own:
                    continue  # forked a moment ago: what is seen of it is what the command itself was started with
                said = "\0".join([*child.cmdline(), *(f"{name}={value}" for name, value in child.environ().items())])
            except (psutil.Error, OSError):
                continue
            if said:
                self.processes[child.pid] = said.encode("utf-8", "surrogateescape")

    def _look_at_files(self) -> None:
        # Not `rglob`: before Python 3.12 it fails where a folder that it is about to enter is removed.
        for path in (Path(inside, name) for folder in self._folders for inside, _, names in os.walk(folder) for name in names):
            try:
                content = path.read_bytes() if path.is_file() else b""
            except OSError:
                continue
            if content:
                self.files[str(path)] = content
