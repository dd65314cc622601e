"""The search finds what is planted in each kind of place; else it would prove nothing where it finds nothing."""

import base64
import gzip
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl
import pytest

from custview_pipeline.adapters.encrypted_parquet import write_encrypted
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline_tests.planted import Search
from custview_pipeline_tests.watched import Watcher
from custview_pipeline_tests.worlds import finish, make_world

NAME, PHONE, BORN, NATIVE = "Wilhelmina Quenneville", "(212) 555-0187", "1931-07-19", "龘靐"
SEARCH: Final = Search.for_texts([NAME, PHONE, BORN, NATIVE])


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (NAME.encode(), NAME),
        (NAME.upper().encode(), NAME),
        (b"\x00\xffquenneville\xfe", NAME),
        (b"wilhelmina_q", NAME),
        (NAME.encode("utf-16"), NAME),
        (NAME.encode("utf-16-be"), NAME),
        (NAME.encode("utf-32-le"), NAME),
        (NAME.encode().hex().encode(), NAME),
        (b"Quenneville".hex().upper().encode(), NAME),
        *((base64.b64encode(b"x" * shift + NAME.encode() + b"yz"), NAME) for shift in range(4)),
        (base64.urlsafe_b64encode(b"?>?" + b"WILHELMINA" + b"?>?"), NAME),
        (base64.b64encode(NAME.encode("utf-16-le")), NAME),
        (b'{"mobile": "2125550187"}', PHONE),
        (b"+1 (212) 555-0187", PHONE),
        (f"1,{BORN}".encode(), BORN),
        (NATIVE.encode(), NATIVE),
        (NATIVE.encode("gb18030"), NATIVE),
        (NATIVE.encode("utf-16-be"), NATIVE),
        (json.dumps({"native": NATIVE}).encode(), NATIVE),
        (gzip.compress(NAME.encode(), mtime=0), NAME),  # pytest names the case by its bytes, so they must not hold the time
    ],
)
def test_a_value_in_a_file_is_found_however_it_is_written(tmp_path, content, value):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(content)
    (tmp_path / "other").write_bytes(b"Wilhelm and Quenn, 2125550186, 1931-07-18")
    assert SEARCH.in_folder(tmp_path) == {"below/file": {value}}


def test_a_value_in_the_name_of_a_file_is_found(tmp_path):
    (tmp_path / "quenneville.csv").touch()
    assert SEARCH.in_folder(tmp_path) == {"quenneville.csv": {NAME}}


def _cell(value: object, dtype: pl.DataType | type[pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame({"cell": pl.Series([value] * 3, dtype=dtype)})


FRAMES: Final = {
    "text": (_cell(NAME, pl.String), NAME),
    "bytes": (_cell(NAME.encode(), pl.Binary), NAME),
    "category": (_cell(NAME, pl.Categorical), NAME),
    "list": (_cell(["x", NAME], pl.List(pl.String)), NAME),
    "struct": (_cell({"value": NAME, "slot": 1}, pl.Struct({"value": pl.String, "slot": pl.Int16})), NAME),
    "structs": (_cell([{"value": PHONE}], pl.List(pl.Struct({"value": pl.String}))), PHONE),
    "map": (_cell({"comment": NAME}, pl.Map(pl.String, pl.String)), NAME),
    "number": (_cell(2125550187, pl.Int64), PHONE),
    "date": (_cell(date(1931, 7, 19), pl.Date), BORN),
    "moment": (_cell(date(1931, 7, 19), pl.Date).cast(pl.Datetime("us", "UTC")), BORN),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_value_in_a_compressed_table_is_found(tmp_path, kind):
    frame, value = FRAMES[kind]
    frame.write_parquet(tmp_path / "table.parquet", compression="zstd")
    assert SEARCH.in_folder(tmp_path) == {"table.parquet": {value}}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_value_in_a_table_under_a_column_that_is_otherwise_empty_is_found(tmp_path, kind):
    frame, value = FRAMES[kind]
    blank = frame.clear(40_000).with_columns(other=pl.lit("nothing"))
    pl.concat([blank, frame.with_columns(other=pl.lit("nothing"))]).write_parquet(tmp_path / "table.parquet")
    assert SEARCH.in_folder(tmp_path) == {"table.parquet": {value}}


def test_a_value_in_an_encrypted_segment_is_found_with_its_key_and_hidden_without(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    keyring = Keyring.open(FileKeyProvider(tmp_path / "keys"), KeyDirectory(tmp_path / "keys"))
    (tmp_path / "index").mkdir()
    write_encrypted(FRAMES["text"][0], tmp_path / "index" / "segment.parquet", keyring)
    assert SEARCH.in_folder(tmp_path / "index") == {}
    assert SEARCH.in_folder(tmp_path / "index", keyring) == {"segment.parquet": {NAME}}


@pytest.mark.parametrize(("cell", "value"), [(NAME, NAME), (NAME.encode("utf-16"), NAME), (2125550187, PHONE)])
def test_a_value_in_a_database_is_found(tmp_path, cell, value):
    with closing(sqlite3.connect(tmp_path / "runs.db")) as database, database:
        database.execute("CREATE TABLE events (id INTEGER, body)")
        database.execute("INSERT INTO events VALUES (1, ?)", [cell])
    assert SEARCH.in_folder(tmp_path) == {"runs.db": {value}}


SECRET: Final = bytes(range(32))


@pytest.mark.parametrize(
    "write",
    [bytes, lambda secret: secret.hex().encode(), base64.b64encode, lambda secret: base64.urlsafe_b64encode(b"x" + secret)],
)
def test_a_key_is_found_raw_in_hexadecimal_and_in_base64(write: Callable[[bytes], bytes]):
    search = Search.for_secrets({"vault": SECRET})
    assert search.in_bytes(b"key=" + write(SECRET)) == {"vault"}
    assert search.in_bytes(b"key=" + write(SECRET[::-1])) == set()


_PARENT: Final = """
import os, pathlib, subprocess, sys, tempfile, time
with tempfile.NamedTemporaryFile() as file:
    file.write(b"{name}"); file.flush()
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.6)", "{born}"], env={{**os.environ, "PHONE": "{phone}"}})
print("said", "{native}")
"""


def test_a_value_in_a_child_process_or_a_file_that_lives_shortly_is_found(tmp_path: Path):
    world = make_world(tmp_path / "world")
    process = world.start("-c", _PARENT.format(name=NAME, born=BORN, phone=PHONE, native=NATIVE))
    watcher = Watcher(process, world.root / "tmp")
    watcher.start()
    said = finish(process)
    watcher.join()
    assert sys.executable.encode() in b"".join(watcher.processes.values())
    assert SEARCH.in_bytes(b"\n".join(watcher.processes.values())) == {BORN, PHONE}
    assert SEARCH.in_bytes(b"\n".join(watcher.files.values())) == {NAME}
    assert SEARCH.in_text(said.out) == {NATIVE}
    assert SEARCH.in_folder(world.root) == {}


def test_a_folder_that_is_removed_while_it_is_looked_through_stops_no_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "brief").mkdir()
    (tmp_path / "long").write_text(NAME, encoding="utf-8")
    look = os.scandir

    def remove_then_look(path: str) -> Iterator[os.DirEntry[str]]:
        if Path(path) == tmp_path / "brief" and Path(path).exists():
            Path(path).rmdir()
        return look(path)

    monkeypatch.setattr(os, "scandir", remove_then_look)
    watcher = Watcher(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.5)"], text=True), tmp_path)
    watcher.start()
    watcher.join()
    assert not (tmp_path / "brief").exists()
    assert watcher.errors == []
    assert SEARCH.in_bytes(b"".join(watcher.files.values())) == {NAME}
