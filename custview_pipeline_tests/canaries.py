"""A small world in which every personal value is marked, the commands run on it, and the search for the marks everywhere."""

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl
import pytest
import sqlalchemy

from custview_pipeline.adapters.key_files import KeyDirectory
from custview_pipeline.adapters.key_providers import key_provider
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import SHARD_COUNT, Purpose
from custview_pipeline_tests.planted import Finds, Search
from custview_pipeline_tests.watched import Watcher
from custview_pipeline_tests.worlds import COLUMNS, Outcome, Row, SourceSpec, World, finish, make_world, people

SOURCES: Final = (
    SourceSpec("crm", max_refused_share=0.9),
    SourceSpec("desk", key_classification="pii", max_refused_share=0.9),
    SourceSpec("ledger", "parquet", max_refused_share=0.9),
    SourceSpec("shop", "jsonl", max_refused_share=0.9),
)
KEY_IN_ENVIRONMENT: Final = {
    "CUSTVIEW_KEY_PROVIDER": "environment",
    "CUSTVIEW_ROOT_KEY": "YW4gaW52ZW50ZWQgcm9vdCBrZXkgb2YgMzIgYnl0ZXM=",
}
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 -- where it exists, it is searched
_SYLLABLES: Final = [a + b for a, b in itertools.product("bdfgklmnprstvz", "aeiou")]
_RARE_HAN: Final = "龘靐齉爩麤龗灪吁"


class Planter:
    """Makes values that occur nowhere else, each one different, and keeps them all."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self.texts: list[str] = []

    def _keep(self, text: str) -> str:
        self.texts.append(text)
        return text

    def word(self) -> str:
        """Return a word such as a name has."""
        high, low = divmod(next(self._numbers), len(_SYLLABLES))
        return self._keep(f"Canary{_SYLLABLES[high]}{_SYLLABLES[low]}")

    def person(self) -> Row:
        """Return the personal values of a person, all well formed."""
        number = next(self._numbers)
        native = "".join(_RARE_HAN[(number * step) % len(_RARE_HAN)] for step in (1, 3, 5))
        return {
            "kind": "person",
            "name": f"{self.word()} {self.word()}",
            "mail": f"{self.word()}@{self.word()}.com",
            "mobile": self._keep(f"(212) 555-0{number % 1000:03d}"),
            "street": f"{number} {self.word()} Street, {self.word()}, IL 62704",
            "land": "US",
            "born": self._keep(f"{1931 + number % 60}-{1 + number % 12:02d}-{1 + number % 28:02d}"),
            "birthplace": self.word(),
            "native": self._keep(native),
            "job": self.word(),
            "works_at": f"{self.word()} Brothers",
            "ssn": self._keep(f"536-{10 + number % 90:02d}-{1000 + number}"),
            "branch": "541511",
            "parent": "crm-00001",
            "lei": None,
            "site": f"https://www.{self.word()}.com/{self.word()}",
            "sex": "f",
            "letters": "yes",
            "modified": "2026-05-01T10:00:00Z",
            "notes": f"call {self.word()} at home",
        }

    def garbage(self) -> Row:
        """Return a row that has somebody's name in every column, the open ones too."""
        return {name: f"{self.word()} {self.word()}" for name in COLUMNS if name != "ref"}

    def enterprise(self) -> Row:
        """Return the values of an enterprise."""
        named = {"kind": "enterprise", "name": f"{self.word()} Holdings Ltd", "sex": None, "born": None, "native": None}
        return self.person() | named


class Planted(NamedTuple):
    """The rows of one source.

    Attributes:
        rows: All of them.
        accepted, refused: How many of the planted ones the contract takes, and does not.
    """

    rows: list[Row]
    accepted: int
    refused: int


def plant(planter: Planter, source: SourceSpec, *, filling: int = 6) -> Planted:
    """Return rows with values planted in good rows and in rows refused for each reason there is."""

    def key(number: int) -> str:
        return f"{planter.word()}-{number}" if source.key_classification == "pii" else f"{source.name}-9{number:04d}"

    good = [planter.person(), planter.enterprise(), planter.garbage(), planter.garbage() | {"kind": "enterprise"}]
    nameless, endless, twice = planter.person() | {"name": None}, planter.person(), key(50)
    endless |= {"name": " ".join([str(endless["name"])] * 10)}
    refused = [nameless | {"ref": key(51)}, endless | {"ref": key(52)}, planter.person() | {"ref": None}]
    conflicting = [planter.person() | {"ref": twice}, planter.garbage() | {"ref": twice}]
    rows = [row | {"ref": key(number)} for number, row in enumerate(good)] + refused + conflicting
    return Planted(people(filling, of=source.name) + rows, len(good), len(refused) + len(conflicting))


def damage(world: World, planter: Planter) -> None:
    """Make every source unreadable in a way of its own, with values planted where an error might quote them."""
    row = planter.person()
    crm = world.file("crm").read_text(encoding="utf-8")
    world.file("crm").write_text(crm.replace("name", planter.word(), 1), encoding="utf-8")
    world.file("desk").write_bytes(world.file("desk").read_bytes() + f"{planter.word()},{planter.word()} \xe9,".encode("latin-1"))
    pl.DataFrame([row], schema=dict.fromkeys(COLUMNS, pl.String)).write_parquet(world.file("ledger"), compression="uncompressed")
    world.file("ledger").write_bytes(world.file("ledger").read_bytes()[:-30])
    with world.file("shop").open("a", encoding="utf-8") as file:
        file.write(f'{{"ref": "shop-1", "name": "{planter.word()}", "mail": {planter.word()}')


class Story(NamedTuple):
    """What was planted, what was done with it, and everything that was said meanwhile."""

    world: World
    planter: Planter
    planted: dict[str, Planted]
    outcomes: dict[str, Outcome]
    watchers: list[Watcher]
    keyring: Keyring

    @property
    def search(self) -> Search:
        """Return the search for all that was planted."""
        return Search.for_texts([*self.planter.texts, "Canary"])


def watched(world: World, *command: str | Path, **environment: str) -> tuple[Outcome, Watcher]:
    process = world.start(*command, **environment)
    watcher = Watcher(process, world.root / "tmp", world.root / "work", *([SHARED_MEMORY] if SHARED_MEMORY.is_dir() else []))
    watcher.start()
    outcome = finish(process)
    watcher.join()
    assert watcher.errors == []
    return outcome, watcher


def open_keyring(world: World, **environment: str) -> Keyring:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return Keyring.open(key_provider(world.keys), KeyDirectory(world.keys))


def _look_at_customers(world: World, **environment: str) -> Iterator[tuple[str, Outcome]]:
    """Export every table, masked, and show every customer that has a planted record."""
    exports, project = world.root / "exports", ("--project", world.directory)
    for what in ("crosswalk", "edges", "golden", "quality"):
        for form in ("csv", "parquet", "json"):
            path = exports / f"{what}.{form}"
            yield f"export {what} {form}", world.run("export", what, "--format", form, "--output", path, *project, **environment)
    yield "changes", world.run("changes", "--format", "jsonl", *project, **environment)
    rows = csv.DictReader(io.StringIO((exports / "crosswalk.csv").read_text(encoding="utf-8")))
    planted = {row["cuid"] for row in rows if "-9" in row["source_key"] or row["source_system"] == "desk"}
    for cuid in sorted(planted):
        yield f"show {cuid}", world.run("show", cuid, *project, **environment)
        yield f"show {cuid} then", world.run("show", cuid, "--as-of", "2199-12-31", *project, **environment)
        yield f"receipt {cuid}", world.run("receipt", cuid, "name", "--json", *project, **environment)
        yield f"diff {cuid}", world.run("diff", cuid, "2001-01-01", "2199-12-31", "--json", *project, **environment)
    yield "show a name", world.run("show", "Canary", *project, **environment)


def _look_at_refused_rows(world: World, **environment: str) -> Iterator[tuple[str, Outcome]]:
    """List every refused row, show each, masked, and try to release them all under the contracts that refused them."""
    project = ("--project", world.directory)
    listed = world.run("quarantine", "list", "--limit", "1000", *project, **environment)
    yield "quarantine list", listed
    for number in re.findall(r"^([0-9a-f]{16}) ", listed.out, re.MULTILINE):
        yield f"quarantine show {number}", world.run("quarantine", "show", number, *project, **environment)
    yield "quarantine show a name", world.run("quarantine", "show", "Canary", *project, **environment)
    yield "quarantine release", world.run("quarantine", "release", *project, **environment)


def _look_at_questions(world: World, **environment: str) -> Iterator[tuple[str, Outcome]]:
    """List what waits for a steward, and show some items of each kind, masked and blind."""
    project = ("--project", world.directory)
    listed = world.run("review", "list", "--limit", "1000", *project, **environment)
    yield "review list", listed
    for letter in "MCV":
        for item in re.findall(rf"^({letter}\w{{10}}) ", listed.out, re.MULTILINE)[:3]:
            yield f"review show {item}", world.run("review", "show", item, *project, **environment)
            yield f"review show blind {item}", world.run("review", "show", item, "--blind", *project, **environment)
    yield "review show a name", world.run("review", "show", "Canary", *project, **environment)


def _try_files(world: World, state: str, **environment: str) -> Iterator[tuple[str, Outcome]]:
    """Judge every source's file without taking it in, and draft a contract from it."""
    for source in world.sources:
        judged = ("validate", world.file(source), "--contract", world.contract_file(source))
        yield f"validate {state} {source}", world.run(*judged, **environment)
        yield f"validate {state} {source} json", world.run(*judged, "--json", **environment)
        if (state, source) != ("damaged", "crm"):  # there a name stands in the header, and a header is what a contract names
            drafted = world.root / "drafts" / f"{state}_{source}"
            yield f"init {state} {source}", world.run("init", drafted, "--from", world.file(source), **environment)


def tell(root: Path, *, filling: int = 6, **environment: str) -> Story:
    """Run the main job on planted rows and look at what it made; then on damaged sources; then with a library that fails."""
    world, planter = make_world(root, *SOURCES), Planter()
    planted = {source.name: plant(planter, source, filling=filling if source.name == "crm" else 6) for source in SOURCES}
    for name, (rows, *_) in planted.items():
        world.deliver(name, rows)
    run = ("-m", "custview_pipeline", "run", "--project", world.directory)
    outcomes, watchers = {}, []
    outcomes["good"], watcher = watched(world, *run, **environment)
    watchers.append(watcher)
    outcomes.update(_look_at_customers(world, **environment))
    outcomes.update(_look_at_refused_rows(world, **environment))
    outcomes.update(_look_at_questions(world, **environment))
    outcomes.update(_try_files(world, "good", **environment))
    damage(world, planter)
    outcomes.update(_try_files(world, "damaged", **environment))
    outcomes["damaged"], watcher = watched(world, *run, **environment)
    watchers.append(watcher)
    for name, (rows, *_) in planted.items():
        world.deliver(name, [*rows, planter.person() | {"ref": f"{name}-99999"}])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("custview_pipeline.flows.examine.screen", _fail_with_a_value)
        outcomes["library"] = world.refresh(**environment)
    return Story(world, planter, planted, outcomes, watchers, open_keyring(world, **environment))


def _fail_with_a_value(raw: pl.DataFrame, *_: object, **__: object) -> None:
    """Fail as libraries do: with the values in the message, in a cause and in a context."""
    names = raw["name"].to_list()
    try:
        {}[str(names)]
    except KeyError as error:
        raise ValueError(f"cannot convert {names}") from error


def search_everything(story: Story, search: Search) -> dict[str, Finds]:
    """Search every place that a run may write to, say something in, or hand something to; return the finds by place."""
    world = story.world
    pieces = [(f"said: {name}", f"{said.out}{said.err}".encode()) for name, said in story.outcomes.items()]
    for watcher in story.watchers:
        pieces += [(f"process {number}", said) for number, said in watcher.processes.items()]
        pieces += [(f"short-lived file {name}", content) for name, content in watcher.files.items()]
    return search.in_folder(world.root, story.keyring, leaving_out=[world.directory / "data"]) | search.in_pieces(pieces)


def secrets_of(keyring: Keyring, root: bytes) -> Search:
    """Return the search for every key of a keyring."""
    purposes = {purpose: keyring.current(purpose)[1] for purpose in Purpose}
    shards = {f"shard {number}": keyring.shard_keys().newest(number)[1] for number in range(SHARD_COUNT)}
    return Search.for_secrets({"root": root, **purposes, **shards})


def root_key(world: World, **environment: str) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return key_provider(world.keys).root_keys()[0]


def text_cells(url: str) -> Iterator[str]:
    """Yield every row of every table of a PostgreSQL database as text."""
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        tables = connection.execute(sqlalchemy.text("SELECT schemaname, tablename FROM pg_tables")).all()
        for schema, table in tables:
            for (text,) in connection.execute(sqlalchemy.text(f'SELECT t::text FROM "{schema}"."{table}" t')):
                yield text or ""
    engine.dispose()
