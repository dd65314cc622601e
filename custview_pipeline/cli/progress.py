"""What a person sees while the main job runs: each stage with its count and time, on standard error."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from custview_pipeline.cli.terminal import lasting_messages


class LiveProgress:
    """Progress on a terminal: live lines where it is one, a line a stage where it is a file or a pipe.

    Attributes:
        reports: What each stage reported, by stage.
        failures: Why stages failed: (stage, reason).
        seconds: Wall time so far.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console, self._close = (console, _keep_open) if console else lasting_messages()
        columns = (
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[said]}"),
        )
        self._bars = Bars(*columns, TimeElapsedColumn(), console=self._console)
        self._tasks: dict[str, TaskID] = {}
        self._counts: dict[str, str] = {}
        self._began = time.monotonic()
        self.reports: dict[str, object] = {}
        self.failures: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._finish_all()
        if self._console.is_terminal:
            self._bars.stop()
        self._close()

    @property
    def seconds(self) -> float:
        """Return the wall time since the start."""
        return time.monotonic() - self._began

    def step(self, stage: str, what: str, count: int) -> None:
        """Show how far a stage is."""
        said = f"{count:,} {what}"
        if stage not in self._tasks:
            self._finish_all()
            self._tasks[stage] = self._bars.add_task(escape(stage), said=said, total=None)
        self._counts[stage] = said
        self._bars.update(self._tasks[stage], said=said)

    def done(self, stage: str, report: object) -> None:
        """Keep what a stage reports."""
        self.reports[stage] = report
        if getattr(report, "is_unchanged", False):
            self.step(stage, "changes", 0)
        self._finish_all()

    def failed(self, stage: str, reason: str) -> None:
        """Keep why a stage failed."""
        self.failures.append((stage, reason))
        self._finish_all()

    def _finish_all(self) -> None:
        for stage, task in self._tasks.items():
            if not self._bars.tasks[self._bars.task_ids.index(task)].finished:
                self._bars.update(task, total=1, completed=1)
                if not self._console.is_terminal:
                    self._console.print(f"{self.seconds:7.1f} s  {escape(stage)}: {self._counts[stage]}", highlight=False)


def _keep_open() -> None:
    """Leave a console that was given to whoever gave it."""
