"""Small invented projects with sources in every format, and the command run on them as a user runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl
import yaml
from typer.testing import CliRunner

from custview_pipeline.cli.app import app

Row = dict[str, str | None]

# header: attribute, and what else the contract says of the column
COLUMNS: Final[dict[str, dict[str, Any]]] = {
    "ref": {"attribute": "source_key", "required": True, "primaryKey": True, "classification": "internal"},
    "kind": {"attribute": "entity_type"},
    "name": {"attribute": "full_name", "required": True, "logicalTypeOptions": {"maxLength": 80}},
    "mail": {"attribute": "email"},
    "mobile": {"attribute": "phone"},
    "street": {"attribute": "address"},
    "land": {"attribute": "country"},
    "born": {"attribute": "birth_date", "logicalType": "date", "logicalTypeOptions": {"format": "yyyy-MM-dd"}},
    "birthplace": {"attribute": "birth_place"},
    "native": {"attribute": "native_name"},
    "job": {"attribute": "occupation"},
    "works_at": {"attribute": "employer"},
    "ssn": {"attribute": "national_id", "scheme": "us.ssn"},
    "branch": {"attribute": "industry_code"},
    "parent": {"attribute": "parent_key"},
    "lei": {"attribute": "lei"},
    "site": {"attribute": "website"},
    "sex": {"attribute": "gender"},
    "letters": {"attribute": "consent"},
    "modified": {"attribute": "updated_at", "logicalType": "timestamp"},
    "notes": {},
}
_GIVEN: Final = ("Maria", "Thomas", "Ingrid", "Walter", "Helen", "Oscar", "Louise", "Victor", "Nora", "Edgar", "Paula", "Simon")
_FAMILY: Final = ("Abernathy", "Bluestone", "Carraway", "Dunmore", "Eastwick", "Fairburn", "Galloway", "Hathersage", "Inglewood")


@dataclass(frozen=True)
class SourceSpec:
    """One source of a world: its name and what its contract says."""

    name: str
    file_format: str = "csv"
    key_classification: str = "internal"
    max_refused_share: float = 0.1
    columns: Mapping[str, dict[str, Any]] = field(default_factory=lambda: COLUMNS)

    @property
    def file(self) -> str:
        """Return the path of its one file, relative to the project."""
        return f"data/{self.name}/rows.{self.file_format}"

    def contract(self) -> dict[str, Any]:
        """Return its contract as ODCS has it."""
        return {
            "apiVersion": "v3.2.0",
            "kind": "DataContract",
            "id": self.name,
            "version": "1.0.0",
            "status": "active",
            "name": self.name,
            "servers": [
                {
                    "server": "production",
                    "type": "local",
                    "path": f"data/{self.name}/*.{self.file_format}",
                    "format": self.file_format,
                }
            ],
            "schema": [{"name": "rows", "logicalType": "object", "properties": [self._property(name) for name in self.columns]}],
            "customProperties": [{"property": "max_refused_share", "value": self.max_refused_share}],
        }

    def _property(self, name: str) -> dict[str, Any]:
        said = dict(self.columns[name])
        custom = [{"property": key, "value": said.pop(key)} for key in ("attribute", "scheme") if key in said]
        if custom and custom[0]["value"] == "source_key":
            said["classification"] = self.key_classification
        return {"name": name, "logicalType": "string", **said, **({"customProperties": custom} if custom else {})}


def people(count: int, *, of: str, first: int = 0) -> list[Row]:
    """Return the rows of a source about the persons ``first`` to ``first + count``; another source has the same persons."""
    return [_person(number, of) for number in range(first, first + count)]


def _person(number: int, source: str) -> Row:
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number // len(_GIVEN) % len(_FAMILY)]
    blank: Row = dict.fromkeys(COLUMNS)
    return blank | {
        "ref": f"{source}-{number:05d}",
        "kind": "person",
        "name": f"{given} {family}",
        "mail": f"{given}.{family}{number}@example.org".lower(),
        "mobile": f"(212) 555-{number % 10_000:04d}",
        "street": f"{100 + number} Maple Street, Springfield, IL 62704",
        "land": "US",
        "born": f"{1930 + number % 70}-{1 + number % 12:02d}-{1 + number % 28:02d}",
        "letters": "yes",
        "modified": "2026-05-01T10:00:00Z",
    }


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class World:
    """A project directory, with its keys outside of it, and places of its own for whatever a run may write.

    Attributes:
        root: Holds everything: ``project``, ``keys``, ``home``, ``tmp``, ``exports``.
        sources: Its sources by name.
    """

    root: Path
    sources: Mapping[str, SourceSpec]

    @property
    def directory(self) -> Path:
        """Return the project directory."""
        return self.root / "project"

    @property
    def lake(self) -> Path:
        """Return the directory of the lake."""
        return self.directory / ".custview" / "lake"

    @property
    def keys(self) -> Path:
        """Return the key directory."""
        return self.root / "keys"

    @property
    def environment(self) -> dict[str, str | None]:
        """Return what the command must find in its environment; None takes a variable away."""
        private = {"CUSTVIEW_KEYS": "keys", "HOME": "home", "TMPDIR": "tmp", "XDG_CONFIG_HOME": "home"}
        places = {variable: str(self.root / folder) for variable, folder in private.items()}
        absent = (
            "CUSTVIEW_PROJECT",
            "CUSTVIEW_POSTGRES_URL",
            "CUSTVIEW_KEY_PROVIDER",
            "CUSTVIEW_ROOT_KEY",
            "CUSTVIEW_WORKERS",
            "CUSTVIEW_ROWS_FOR_WORKERS",
            "CUSTVIEW_ALERT_EMAIL",
            "CUSTVIEW_SMTP_URL",
            "CUSTVIEW_ALERT_WEBHOOK",
        )
        return {**dict.fromkeys(absent), **places}

    def file(self, source: str) -> Path:
        """Return the path of a source's file."""
        return self.directory / self.sources[source].file

    def contract_file(self, source: str) -> Path:
        """Return the path of a source's contract."""
        return self.directory / "contracts" / f"{source}.odcs.yaml"

    def deliver(self, source: str, rows: Iterable[Row]) -> None:
        """Put rows where the source's contract expects them."""
        spec = self.sources[source]
        path = self.file(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        _WRITERS[spec.file_format](list(rows), list(spec.columns), path)

    def run(self, *arguments: str | Path, **environment: str) -> Outcome:
        """Run ``custview`` in this process."""
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={**self.environment, **environment})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    def refresh(self, **environment: str) -> Outcome:
        """Run the main job in this process."""
        return self.run("run", "--project", self.directory, **environment)

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen[str]:
        """Start a Python command line (``-m custview_pipeline run ...``) in a process and a working directory of its own."""
        wanted = {**os.environ, **self.environment, **environment}
        place = self.root / "work"
        place.mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=place,
            env={name: value for name, value in wanted.items() if value is not None and not name.startswith("PYTEST")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def export(self, what: str, name: str = "") -> bytes:
        """Export a table as CSV and return the file's content."""
        path = self.root / "exports" / f"{name or what}.csv"
        outcome = self.run("export", what, "--project", self.directory, "--output", path)
        assert outcome.code == 0, outcome
        return path.read_bytes()

    def manifest(self) -> dict[str, Any]:
        """Return what the lake's manifest says."""
        return json.loads((self.lake / "manifest.json").read_text(encoding="utf-8"))


def make_world(root: Path, *specs: SourceSpec) -> World:
    """Write a project with these sources; nothing is delivered yet."""
    world = World(root, {spec.name: spec for spec in specs})
    for folder in ("home", "tmp", "exports", "project/contracts"):
        (root / folder).mkdir(parents=True)
    (world.directory / "custview.yaml").write_text("name: small-world\n", encoding="utf-8")
    for spec in specs:
        world.contract_file(spec.name).write_text(yaml.safe_dump(spec.contract(), sort_keys=False), encoding="utf-8")
    return world


def finish(process: subprocess.Popen[str], *, seconds: float = 240.0) -> Outcome:
    """Wait for a started command."""
    out, err = process.communicate(timeout=seconds)
    return Outcome(process.returncode, out, err)


def _write_csv(rows: list[Row], columns: list[str], path: Path) -> None:
    pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)).write_csv(path)


def _write_json_lines(rows: list[Row], columns: list[str], path: Path) -> None:
    lines = (json.dumps({name: row[name] for name in columns}, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write_parquet(rows: list[Row], columns: list[str], path: Path) -> None:
    pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String)).write_parquet(path)


_WRITERS: Final[dict[str, Callable[[list[Row], list[str], Path], None]]] = {
    "csv": _write_csv,
    "jsonl": _write_json_lines,
    "parquet": _write_parquet,
}
