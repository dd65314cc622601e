"""How output fits a terminal, and goes whole into a pipe."""

import io

import polars as pl
import pytest
from rich.console import Console

from custview_pipeline.cli import pages, terminal
from custview_pipeline.cli.progress import LiveProgress
from custview_pipeline.flows.portrait import Portrait
from custview_pipeline.kernel.identifiers import Cuid

VALUES = pl.DataFrame(
    {
        "attribute": ["address", "industry_code", "email"],
        "value": ["1*** E*** C*** S*** D*** T*** 7***", "531210", None],
        "source_system": ["billing", "web_shop", "crm"],
        "trust_score": [0.9, 0.8, 0.5],
        "source_count": [2, 1, 1],
        "is_contested": [True, False, False],
        "reason": ["most_trusted", "only_candidate", "tie_smaller_record_id"],
    }
)
RECORDS = pl.DataFrame({"source_system": ["crm"], "source_key": ["[bold]7"], "updated_at": [None]})
PORTRAIT = Portrait(Cuid("CU00000000000000009"), "enterprise", VALUES, RECORDS)


def shown(monkeypatch, *, width, is_terminal):
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=is_terminal, color_system=None, highlight=False)
    monkeypatch.setattr(pages, "results", lambda: terminal._unbroken(console))  # noqa: SLF001 -- the width is what is tested
    pages.print_portrait(PORTRAIT)
    return stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(monkeypatch, width):
    lines = shown(monkeypatch, width=width, is_terminal=True).splitlines()
    assert max(map(len, lines)) <= width


def test_a_narrow_terminal_breaks_values_and_reasons_and_neither_attributes_nor_sources(monkeypatch):
    out = shown(monkeypatch, width=60, is_terminal=True)
    assert "…" not in out
    assert all(word in out for word in ("industry_code", "web_shop", "(no key)", "0.90"))


def test_a_pipe_gets_each_value_on_one_line(monkeypatch):
    out = shown(monkeypatch, width=40, is_terminal=False)
    assert "address        1*** E*** C*** S*** D*** T*** 7***  billing    0.90  most trusted, 2 sources agree, contested" in out


def test_keys_that_look_like_markup_are_printed_as_they_are(monkeypatch):
    assert "[bold]7" in shown(monkeypatch, width=80, is_terminal=True)


def test_what_looks_like_an_emoji_is_printed_as_it_is(capsys):
    terminal.results().print('{"name": ":smile:"}', markup=False)
    terminal.messages().print("reason :smile:")
    assert tuple(capsys.readouterr()) == ('{"name": ":smile:"}\n', "reason :smile:\n")


def test_progress_in_a_pipe_is_a_line_for_each_stage_that_ended():
    stream = io.StringIO()
    with LiveProgress(Console(file=stream, width=100)) as progress:
        progress.step("crm delivery", "rows read", 10)
        progress.step("crm delivery", "rows read", 1_234)
        progress.step("crm protected", "rows sealed", 5)
    assert [line.split("s  ")[1] for line in stream.getvalue().splitlines()] == [
        "crm delivery: 1,234 rows read",
        "crm protected: 5 rows sealed",
    ]


def test_progress_on_a_terminal_is_live():
    stream = io.StringIO()
    with LiveProgress(Console(file=stream, width=100, force_terminal=True)) as progress:
        progress.step("crm delivery", "rows read", 1_234)
    assert "1,234 rows read" in stream.getvalue()
    assert " s  crm delivery" not in stream.getvalue()


def test_messages_outlast_a_stream_that_is_turned_away(capfd):
    import os
    import sys

    console, close = terminal.lasting_messages()
    kept = os.dup(sys.stderr.fileno())
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 -- a descriptor is wanted
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
        console.print("still here")
        os.dup2(kept, sys.stderr.fileno())
    os.close(kept)
    close()
    assert "still here" in capfd.readouterr().err
