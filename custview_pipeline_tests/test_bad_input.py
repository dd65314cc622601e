"""Input that cannot be used: one clear line, the right exit code, the last good state as it was; mended, it works."""

import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet
import pytest
from dagster import DagsterInstance

from custview_pipeline.adapters.delta_lake import DeltaLake
from custview_pipeline.adapters.key_files import FileKeyProvider, KeyDirectory
from custview_pipeline.adapters.project_directory import load_project
from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.contracts.manifest import FORMAT_VERSION
from custview_pipeline.defs.intake import FINGERPRINT_TAG
from custview_pipeline.flows.deliver import Intake, deliver
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline_tests.worlds import COLUMNS, Outcome, Row, SourceSpec, World, make_world, people

FEW: Final = {name: COLUMNS[name] for name in ("ref", "name", "mail", "mobile", "born", "notes")}
PERSONAL: Final = "Penelope Quarterstaff"


def _spec(name: str, file_format: str = "csv", *, max_refused_share: float = 0.2) -> SourceSpec:
    return SourceSpec(name, file_format, max_refused_share=max_refused_share, columns=FEW)


SPECS: Final = (
    _spec("billing", "parquet"),
    _spec("branches"),
    _spec("crm"),
    _spec("empty"),
    _spec("gone"),
    _spec("legacy"),
    _spec("partners"),
    _spec("shop", "jsonl"),
    _spec("steady"),
)


def _rows(source: str, count: int = 10) -> list[Row]:
    return people(count, of=source)


def _cut_parquet(world: World) -> None:
    content = world.file("billing").read_bytes()
    world.file("billing").write_bytes(content[: len(content) // 2])


def _break_json(world: World) -> None:
    with world.file("shop").open("a", encoding="utf-8") as file:
        file.write(f'{{"ref": "shop-1", "name": "{PERSONAL}')


def _rename_column(world: World) -> None:
    text = world.file("crm").read_text(encoding="utf-8")
    world.file("crm").write_text(text.replace("name", PERSONAL, 1), encoding="utf-8")


def _write_latin_1(world: World) -> None:
    rows = [*_rows("legacy"), _rows("legacy")[0] | {"ref": "legacy-x", "name": f"{PERSONAL} é"}]
    world.deliver("legacy", rows)
    world.file("legacy").write_bytes(world.file("legacy").read_text(encoding="utf-8").encode("latin-1"))


def _make_unusable(world: World) -> None:
    rows = _rows("partners")
    world.deliver("partners", [row | {"name": None, "mail": PERSONAL} if place < 3 else row for place, row in enumerate(rows)])


def _remove_folder(world: World) -> None:
    world.file("branches").unlink()
    world.file("branches").parent.rmdir()


# source: how it is damaged, and what its line must say
DAMAGE: Final[dict[str, tuple[Callable[[World], None], tuple[str, ...]]]] = {
    "billing": (_cut_parquet, ("billing_delivery", "data/billing/rows.parquet", "cut off or damaged")),
    "branches": (_remove_folder, ("branches_delivery", "the folder of data/branches/*.csv does not exist", "branches.odcs.yaml")),
    "crm": (_rename_column, ("crm_delivery", "data/crm/rows.csv", "the header lacks 'name'", "crm.odcs.yaml")),
    "empty": (lambda world: world.file("empty").write_text(""), ("empty_delivery", "data/empty/rows.csv: the file is empty")),
    "gone": (lambda world: world.file("gone").unlink(), ("gone_delivery", "no file matches data/gone/*.csv", "gone.odcs.yaml")),
    "legacy": (_write_latin_1, ("legacy_delivery", "data/legacy/rows.csv: line 12 (byte ", "is not utf-8")),
    "partners": (
        _make_unusable,
        (
            "partners_validation",
            "3 of 10 rows (30.0%) are refused, more than the 20.0% that the contract allows",
            "data/partners/*.csv",
            "contracts/partners.odcs.yaml",
            "name by completeness__full_name__required (3)",
        ),
    ),
    "shop": (_break_json, ("shop_delivery", "data/shop/rows.jsonl: line 11 is not valid JSON")),
}


class _Story:
    """What happened to one project: a good run, one with every source but one damaged, one after all was mended."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._deliver_all()
        self.good = world.refresh()
        assert self.good.code == 0, self.good
        self.manifest = world.manifest()
        self.crosswalk, self.golden = world.export("crosswalk"), world.export("golden")
        for damage, _ in DAMAGE.values():
            damage(world)
        world.deliver("steady", _rows("steady", 11))
        self.bad = world.refresh()
        self.bad_manifest = world.manifest()
        self.bad_crosswalk, self.bad_golden = world.export("crosswalk"), world.export("golden")
        self._deliver_all(11)
        self.mended = world.refresh()
        self.mended_crosswalk = world.export("crosswalk")

    def _deliver_all(self, count: int = 10) -> None:
        for source in self.world.sources:
            self.world.deliver(source, _rows(source, count))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> _Story:
    return _Story(make_world(tmp_path_factory.mktemp("bad_input"), *SPECS))


def _failures(outcome: Outcome) -> list[str]:
    return [line for line in outcome.err.splitlines() if line.startswith(("failed", "error"))]


def test_good_sources_make_a_good_run(story):
    assert story.good.code == 0, story.good
    assert not _failures(story.good)
    assert "run good" in story.good.out


@pytest.mark.parametrize("source", DAMAGE)
def test_a_damaged_source_is_told_of_in_one_line_that_names_file_contract_and_field(story, source):
    lines = [line for line in _failures(story.bad) if source in line]
    assert len(lines) == 1, story.bad.err
    for said in DAMAGE[source][1]:
        assert said in lines[0]


def test_nothing_else_is_told_and_no_value_is(story):
    assert story.bad.code == 1
    assert len(_failures(story.bad)) == len(DAMAGE), story.bad.err
    for word in PERSONAL.split():
        assert word not in story.bad.err + story.bad.out
    assert "run FAILED" in story.bad.out


def test_a_damaged_source_and_all_that_depends_on_it_stay_as_they_were(story):
    before, after = story.manifest, story.bad_manifest
    for table in ("crosswalk", "cuid_history", "match_edges", "golden_records", "golden_lineage", "customer_core"):
        assert after["tables"][table] == before["tables"][table]
    damaged = {f"delivery/{source}" for source in DAMAGE}
    assert {stage: after["consumed"][stage] for stage in damaged} == {stage: before["consumed"][stage] for stage in damaged}
    assert (story.bad_crosswalk, story.bad_golden) == (story.crosswalk, story.golden)


def test_a_good_source_is_taken_in_beside_damaged_ones_but_makes_no_customers_yet(story):
    stage = "delivery/steady"
    assert story.bad_manifest["consumed"][stage] != story.manifest["consumed"][stage]
    assert b"steady-00010" not in story.bad_crosswalk


def test_a_refused_delivery_is_shown_as_refused_and_not_as_taken_in(story):
    line = next(line for line in story.bad.out.splitlines() if line.startswith("partners"))
    assert line.split() == ["partners", "10", "the", "delivery"]


def test_mended_sources_make_a_good_run(story):
    assert story.mended.code == 0, story.mended
    assert len(story.mended_crosswalk.splitlines()) == 1 + 11 * len(SPECS)


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Outcome, bytes]:
    """Return a project of which two sources hold rows that cannot be used, fewer than their contracts allow."""
    world = make_world(tmp_path_factory.mktemp("refused_rows"), _spec("crm"), _spec("shop", "jsonl", max_refused_share=0.5))
    keyless = [{"ref": key, "name": PERSONAL, "mail": None} for key in (None, "", "   ")]
    shop = _rows("shop")
    repeated = [shop[0], shop[0], shop[1] | {"name": PERSONAL}]
    world.deliver("crm", _rows("crm", 20) + [_rows("crm")[2] | row for row in keyless])
    world.deliver("shop", shop + repeated)
    return world, world.refresh(), world.export("crosswalk")


def test_rows_without_a_key_are_refused_and_listed_and_the_run_is_good(refused):
    _, outcome, crosswalk = refused
    assert outcome.code == 0, outcome
    assert "refused in crm: 3 rows by completeness__source_key__required" in outcome.out
    assert crosswalk.count(b"crm,") == 20


def test_copies_of_a_row_count_once_and_conflicting_rows_of_one_key_are_refused(refused):
    _, outcome, crosswalk = refused
    assert "refused in shop: 2 rows by uniqueness__source_key__unique" in outcome.out
    assert crosswalk.count(b"shop-00000") == 1
    assert crosswalk.count(b"shop-00001") == 0
    assert PERSONAL not in outcome.out + outcome.err


@pytest.fixture
def project(refused) -> Iterator[World]:
    """Return a project in a good state, which is in the same state after the test."""
    world, _, crosswalk = refused
    before = world.manifest()
    files = {path: path.read_bytes() for path in world.directory.rglob("*.yaml") if ".custview" not in path.parts}
    yield world
    for path, content in files.items():
        path.write_bytes(content)
    assert world.manifest() == before
    assert world.export("crosswalk") == crosswalk


def _edited(file: str, old: str, new: str) -> Callable[[World], None]:
    def edit(world: World) -> None:
        path = world.directory / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return edit


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_edited("contracts/crm.odcs.yaml", "value: full_name", "value: fullname"), ("contracts/crm.odcs.yaml:", "'fullname'")),
        (_edited("contracts/crm.odcs.yaml", "name: ref", "name: [ref"), ("contracts/crm.odcs.yaml:",)),
        (_edited("contracts/crm.odcs.yaml", "value: source_key", "value: parent_key"), ("contracts/crm.odcs.yaml", "source_key")),
        (_edited("contracts/crm.odcs.yaml", "id: crm", "id: shop"), ("'shop'", "contracts/crm.odcs.yaml")),
        (_edited("custview.yaml", "name: small-world", "name: small-world\nnome: x"), ("custview.yaml:2", "'nome'")),
        (_edited("custview.yaml", "name: small-world", "\tname"), ("custview.yaml:1",)),
        (
            lambda world: (world.directory / "rulebook.yaml").write_text("survivership: {}\n"),
            ("rulebook.yaml:1", "survivership", "survivorship"),
        ),
    ],
)
def test_what_people_wrote_wrong_is_told_with_file_and_line_before_anything_is_read(project, damage, said):
    damage(project)
    outcome = project.refresh()
    (project.directory / "rulebook.yaml").unlink(missing_ok=True)
    _assert_one_line(outcome, 2, *said)


def test_no_project(project, tmp_path):
    _assert_one_line(project.run("run", "--project", tmp_path), 2, "no custview.yaml here", "custview init")
    nowhere = tmp_path / "nowhere"
    _assert_one_line(project.run("run", "--project", nowhere), 2, "there is no such directory", "custview init")


def _assert_one_line(outcome: Outcome, code: int, *said: str) -> None:
    assert outcome.code == code, outcome
    (line,) = outcome.err.splitlines()
    assert line.startswith("error ")
    for words in said:
        assert words in line
    assert not outcome.out


def _open_to_others(keys: Path) -> None:
    (keys / "root.key").chmod(0o644)


def _make_folder_of_key(keys: Path) -> None:
    (keys / "root.key").unlink()
    (keys / "root.key").mkdir()


def _write_garbage(file: str) -> Callable[[Path], None]:
    def write(keys: Path) -> None:
        (keys / file).write_bytes(b"\xff\xfegarbage")

    return write


def _replace_root_key(keys: Path) -> None:
    (keys / "root.key").write_bytes(b"A" * 43 + b"=\n")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_open_to_others, ("root.key: others can read it", "chmod 600")),
        (_make_folder_of_key, ("root.key: cannot be read (Is a directory)",)),
        (_write_garbage("root.key"), ("root.key: not a root key", "key backup")),
        (_write_garbage("keyring.json"), ("keyring.json: not a keyring", "key backup")),
        (_replace_root_key, ("wrapped under another root key",)),
        (lambda keys: (keys / "root.key").unlink(), ("root.key: missing", "key backup")),
        (lambda keys: keys.chmod(0o777), ("others can write to it", "chmod 700")),
    ],
)
@pytest.mark.parametrize("command", ["run", "export"])
def test_unusable_keys_are_told_of_once_and_nothing_is_begun(project, tmp_path, damage, said, command):
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("root.key", "keyring.json"):
        (keys / name).write_bytes((project.keys / name).read_bytes())
        (keys / name).chmod(0o600)
    damage(keys)
    rest = ("crosswalk", "--output", tmp_path / "out.csv") if command == "export" else ()
    outcome = project.run(command, *rest, "--project", project.directory, CUSTVIEW_KEYS=str(keys))
    _assert_one_line(outcome, 1, *said)


def test_keys_in_a_place_that_is_a_file(project, tmp_path):
    (tmp_path / "keys").write_text("")
    outcome = project.refresh(CUSTVIEW_KEYS=str(tmp_path / "keys"))
    _assert_one_line(outcome, 1, "cannot be the key directory")


def test_a_lake_made_under_another_key(project, tmp_path):
    Keyring.open(FileKeyProvider(tmp_path / "other"), KeyDirectory(tmp_path / "other"))
    outcome = project.refresh(CUSTVIEW_KEYS=str(tmp_path / "other"))
    _assert_one_line(outcome, 1, "was made under another key", "CUSTVIEW_KEYS")


def test_a_place_without_keys_is_not_filled_with_others_where_there_is_a_lake(project, tmp_path):
    outcome = project.refresh(CUSTVIEW_KEYS=str(tmp_path / "none"))
    _assert_one_line(outcome, 1, "no keys in", "CUSTVIEW_KEYS")
    assert not (tmp_path / "none").exists()


def test_a_root_key_missing_from_the_environment(project):
    outcome = project.refresh(CUSTVIEW_KEY_PROVIDER="environment")
    _assert_one_line(outcome, 1, "CUSTVIEW_ROOT_KEY: not set")


def test_a_setting_that_is_no_number(project):
    outcome = project.refresh(CUSTVIEW_WORKERS="many")
    _assert_one_line(outcome, 2, "CUSTVIEW_WORKERS")


@pytest.mark.parametrize(
    "written", [{"format_version": FORMAT_VERSION, "sequence": PERSONAL}, {"sequence": PERSONAL}, {"format_version": PERSONAL}]
)
def test_a_damaged_manifest(project, written):
    path = project.lake / "manifest.json"
    content = path.read_bytes()
    path.write_text(json.dumps(written))
    outcome = project.refresh()
    path.write_bytes(content)
    _assert_one_line(outcome, 1, "manifest.json is no manifest of a lake")
    assert PERSONAL not in outcome.err


@pytest.mark.slow
def test_a_database_for_dagster_that_does_not_answer(project):
    url = "postgresql+psycopg2://custview:opensesame@127.0.0.1:9/none"
    outcome = project.refresh(CUSTVIEW_POSTGRES_URL=url)
    _assert_one_line(outcome, 1, "Dagster's storage", "CUSTVIEW_POSTGRES_URL")
    assert "opensesame" not in outcome.err


def test_a_lake_that_another_run_keeps_to_itself(project, monkeypatch):
    class Impatient(DeltaLake):
        def writer(self, *, wait_seconds: float = 0.01, told: Any = None) -> Any:
            return super().writer(wait_seconds=wait_seconds, told=told)

    monkeypatch.setattr("custview_pipeline.defs.resources.DeltaLake", Impatient)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUSTVIEW_KEYS", str(project.keys))
        holder = _open_lake(project)
        with holder.writer():
            outcome = project.refresh()
    assert outcome.code == 1
    lines = _failures(outcome)
    assert len(lines) == len(project.sources)
    assert all("another run has been writing the lake" in line for line in lines)


def _open_lake(world: World) -> DeltaLake:
    from custview_pipeline.adapters.project_keys import open_keyring

    return DeltaLake(world.lake, open_keyring("small-world", world.lake))


def test_a_failure_that_no_stage_told_of_is_named_by_its_type_alone(project, monkeypatch):
    own = DagsterInstance.add_run_tags

    def fail(instance: DagsterInstance, run_id: str, tags: dict[str, str]) -> None:
        if any(name.startswith(FINGERPRINT_TAG) for name in tags):  # what an asset does once its stage is over
            raise ZeroDivisionError(PERSONAL)
        own(instance, run_id, tags)

    monkeypatch.setattr("dagster.DagsterInstance.add_run_tags", fail)
    outcome = project.refresh()
    assert outcome.code == 1
    assert _failures(outcome) == [
        f"failed admit_{source}: failed with ZeroDivisionError; the run in Dagster's UI has the place"
        for source in project.sources
    ]
    assert PERSONAL not in outcome.out + outcome.err


def test_an_error_of_a_library_outside_of_a_stage_is_not_quoted(project, monkeypatch, tmp_path):
    def fail(_: object) -> None:
        raise ValueError(PERSONAL)

    monkeypatch.setattr("custview_pipeline.cli.app.export_crosswalk", fail)
    outcome = project.run("export", "crosswalk", "--project", project.directory, "--output", tmp_path / "out.csv")
    _assert_one_line(outcome, 1, "ValueError")
    assert PERSONAL not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", PERSONAL], "not a CUID"),
        (["export", "everything", "--output", "x.csv"], "everything"),
        (["run", "--quickly"], "--quickly"),
    ],
)
def test_wrong_commands_end_with_2(project, arguments, said):
    outcome = project.run(*arguments)
    assert outcome.code == 2
    assert said in outcome.err


def test_the_installed_command_tells_of_bad_input_as_this_process_does(project):
    project.file("crm").rename(project.root / "aside")
    try:
        process = project.start("-m", "custview_pipeline", "run", "--project", project.directory)
        out, err = process.communicate(timeout=240)
    finally:
        (project.root / "aside").rename(project.file("crm"))
    assert process.returncode == 1, (out, err)
    assert [line for line in err.splitlines() if line.startswith("failed")] == [
        "failed crm_delivery: crm: no file matches data/crm/*.csv; the path stands in contracts/crm.odcs.yaml"
    ]
    assert "Traceback" not in err
    assert os.sep not in out.splitlines()[-1].split("memory")[-1]


def _csv(*rows: str) -> bytes:
    good = [",".join(row[name] or "" for name in FEW) for row in _rows("crm", 3)]
    return "".join(f"{line}\n" for line in (",".join(FEW), *good, *rows)).encode()


def _odd(**cells: str) -> str:
    return ",".join(f'"{cell}"' for cell in {**dict.fromkeys(FEW, ""), "ref": "crm-x", "name": PERSONAL, **cells}.values())


def _jsonl(*rows: str) -> bytes:
    return "".join(f"{line}\n" for line in (*map(json.dumps, _rows("crm", 3)), *rows)).encode()


def _parquet(**columns: Any) -> bytes:
    cells = {name: [row[name] for row in _rows("crm", 3)] for name in FEW}
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({**cells, **columns}), sink)
    return sink.getvalue()


def _wide(columns: int) -> bytes:
    more = [f"c{number}" for number in range(columns)]
    lines = [",".join([*FEW, *more]), *(",".join([f"crm-{row}", "Ada Marlow", *["v"] * (columns + 4)]) for row in range(3))]
    return "\n".join(lines).encode()


ODD_FILES: Final[dict[str, tuple[str, bytes, str]]] = {
    # name: format, content, and what is said of it: an error, or what is accepted
    "two encodings": ("csv", _csv() + f"crm-x,{PERSONAL} é,,,,\n".encode("latin-1"), "line 5 (byte "),
    "a cell of 10 MB": ("csv", _csv(_odd(name=PERSONAL * 500_000)), "line 5 has 10,500,"),
    "a cell of 2 MB": ("csv", _csv(_odd(mail="a" * 2_000_000)), "row 4: 'mail' holds more than 1,000,000 bytes"),
    "a cell of 2 MB in JSON": ("jsonl", _jsonl(json.dumps({"ref": "x", "name": PERSONAL * 100_000})), "row 4: 'name' holds more"),
    "a cell of 2 MB in Parquet": ("parquet", _parquet(name=["a", "b" * 2_000_000, "c"]), "row 2: 'name' holds more than"),
    "a NUL byte": ("csv", _csv(_odd(name=f"{PERSONAL}\x00")), "line 5 holds a NUL byte"),
    "a NUL in JSON": ("jsonl", _jsonl(f'{{"ref": "x", "name": "{PERSONAL}\\u0000"}}'), "row 4: 'name' holds a NUL byte"),
    "right to left": ("csv", _csv(_odd(name="\u202e\u05d0\u05d1\u05d2", ref="\u202e12")), "4 accepted"),
    "emoji": ("csv", _csv(_odd(name="Ada \U0001f600\u200d\U0001f467", mobile="\U0001f4f1")), "4 accepted"),
    "5,000 columns": ("csv", _wide(5000), "3 accepted"),
    "a ragged row": ("csv", _csv(f"crm-x,{PERSONAL}"), "line 5 has 2 fields where the header has 6"),
    "carriage returns": ("csv", _csv().replace(b"\n", b"\r"), "3 accepted"),
    "a byte order mark": ("csv", b"\xef\xbb\xbf" + _csv(), "3 accepted"),
    "UTF-16": ("csv", _csv().decode().encode("utf-16"), "line 1 (byte 1) is not utf-8"),
    "gzip": ("csv", gzip.compress(_csv()), "the file is packed (gzip)"),
    "a workbook called CSV": ("csv", b"PK\x03\x04" + bytes(200), "an Excel workbook"),
    "another delimiter": ("csv", _csv().replace(b",", b";"), "is its delimiter ','"),
    "nothing": ("csv", b"", "the file is empty"),
    "a header": ("csv", _csv().split(b"\n")[0], "0 accepted"),
    "a header twice": ("csv", _csv().replace(b"notes", b"mail", 1), "the header has 'mail' twice"),
    "numbers in JSON": ("jsonl", _jsonl('{"ref": 7, "name": 12.50, "mail": true, "born": [1, {"a": null}]}'), "4 accepted"),
    "half a surrogate": ("jsonl", _jsonl(f'{{"ref": "x", "name": "{PERSONAL} \\ud800"}}'), "line 4: 'name' holds half of"),
    "an array": ("jsonl", json.dumps(_rows("crm", 3)).encode(), "line 1 is not a JSON object"),
    "a number without end": ("jsonl", _jsonl(f'{{"ref": "x", "name": {"9" * 5000}}}'), "line 4 is not valid JSON"),
    "brackets without end": ("jsonl", _jsonl('{"ref": ' + "[" * 5000), "line 4 is not valid JSON"),
    "numbers in Parquet": ("parquet", _parquet(ref=[1, 2, 3], name=[1.5, 2.0, 7.0], mail=[True, False, None]), "3 accepted"),
    "lists in Parquet": ("parquet", _parquet(name=[["a"], [], ["b", None]], mail=[{"a": 1}] * 3), "3 accepted"),
    "dates of no calendar": ("parquet", _parquet(born=pa.array([2**31 - 1, -(2**31), None], pa.date32())), "3 accepted"),
    "moments of no calendar": ("parquet", _parquet(born=pa.array([2**62, -(2**62), None], pa.timestamp("us"))), "3 accepted"),
    "durations": ("parquet", _parquet(born=pa.array([1, 2, None], pa.duration("s"))), "'born' holds durations"),
    "half a Parquet file": ("parquet", _parquet()[:-100], "cut off or damaged"),
}  # fmt: skip


def _odd_world(root: Path, case: str) -> World:
    file_format, content, _ = ODD_FILES[case]
    world = make_world(root, _spec("crm", file_format, max_refused_share=1.0))
    world.file("crm").parent.mkdir(parents=True)
    world.file("crm").write_bytes(content)
    return world


@pytest.mark.parametrize("case", ODD_FILES)
def test_odd_files_work_or_are_told_of_in_one_line_without_a_value(tmp_path, case):
    said, world = ODD_FILES[case][2], _odd_world(tmp_path, case)
    outcome = world.run("validate", world.file("crm"), "--contract", world.contract_file("crm"))
    assert said in (outcome.out if "accepted" in said else outcome.err)
    if "accepted" not in said:
        _assert_one_line(outcome, 1, "error crm: rows.", said)
    assert not any(word in outcome.out + outcome.err for word in (*PERSONAL.split(), "Traceback", "panicked"))


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    keys = tmp_path_factory.mktemp("odd_files") / "keys"
    return Keyring.open(FileKeyProvider(keys), KeyDirectory(keys))


@pytest.mark.parametrize("case", ODD_FILES)
def test_a_delivery_of_an_odd_file_is_stored_or_refused_as_the_trial_says(tmp_path, keyring, case):
    said, world = ODD_FILES[case][2], _odd_world(tmp_path, case)
    (contract,) = load_project(world.directory).contracts
    intake = Intake(contract, SourceFiles(world.directory, contract), "US", keyring.airlock_keys(), 1, "run", Unwatched())
    lake = DeltaLake(world.lake, keyring)
    with lake.writer() as writer:
        if "accepted" in said:
            delivery = deliver(intake, writer)
            assert f"{delivery.row_count - delivery.refused_count} accepted" == said
        else:
            with pytest.raises(SourceUnreadable) as raised:
                deliver(intake, writer)
            assert said in str(raised.value)
            assert not any(word in str(raised.value) for word in PERSONAL.split())
    stored = lake.snapshot().read("protected_records", ["record_id"]).height
    assert stored == (int(said.split()[0]) if "accepted" in said else 0)


@pytest.mark.slow
def test_a_run_over_odd_files_tells_of_each_and_takes_in_the_others(tmp_path):
    odd = {f"s{number}": case for number, case in enumerate(ODD_FILES)}
    world = make_world(tmp_path, *(_spec(source, ODD_FILES[case][0], max_refused_share=1.0) for source, case in odd.items()))
    for source, case in odd.items():
        world.file(source).parent.mkdir(parents=True)
        world.file(source).write_bytes(ODD_FILES[case][1])
    outcome = world.refresh()
    assert outcome.code == 1
    for source, case in odd.items():
        said, lines = ODD_FILES[case][2], [line for line in _failures(outcome) if f" {source}_delivery" in line]
        assert len(lines) == (0 if "accepted" in said else 1), case
        assert all(said in line for line in lines)
    assert not any(word in outcome.out + outcome.err for word in (*PERSONAL.split(), "panicked"))


@pytest.mark.parametrize(
    ("encoding", "name"), [("gb18030", "李雷 龘"), ("latin-1", "José Muñoz"), ("cp1252", "Zoë “Z” Žižek"), ("utf-16", "Ådne")]
)
def test_csv_is_read_in_the_encoding_that_the_contract_says(tmp_path, encoding, name):
    world = make_world(tmp_path, _spec("crm"))
    contract = world.contract_file("crm")
    contract.write_text(contract.read_text() + f"- {{property: encoding, value: {encoding}}}\n", encoding="utf-8")
    world.deliver("crm", [row | {"name": name} for row in _rows("crm", 3)])
    file = world.file("crm")
    file.write_bytes(file.read_text(encoding="utf-8").encode(encoding))
    outcome = world.run("validate", file, "--contract", contract)
    assert (outcome.code, "3 accepted" in outcome.out) == (0, True), outcome
