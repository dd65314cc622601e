"""``custview export``: four tables, three formats; golden records masked unless a reason is given."""

import polars as pl
import pytest

from custview_pipeline_tests.permissions import access_log
from custview_pipeline_tests.worlds import SourceSpec, make_world

HEADERS = {
    "crosswalk": ["source_system", "source_key", "cuid"],
    "edges": [
        "left_source_system", "left_source_key", "right_source_system", "right_source_key", "match_probability", "decision",
        "explanation",
    ],
}  # fmt: skip
READERS = {"csv": pl.read_csv, "parquet": pl.read_parquet, "json": pl.read_ndjson}
EMAIL = "paula.abernathy10@example.org"


def exported(world, tmp_path, what, file_format, *more):
    path = tmp_path / f"{what}.{file_format}"
    outcome = world.run("export", what, "--project", world.directory, "--format", file_format, "-o", path, *more)
    assert outcome.code == 0, outcome
    assert outcome.out == ""
    frame = READERS[file_format](path)
    assert outcome.err == f"wrote {frame.height:,} rows to {path}\n"
    return frame


@pytest.mark.parametrize("file_format", READERS)
@pytest.mark.parametrize("what", ["crosswalk", "edges", "golden", "quality"])
def test_each_table_is_written_in_each_format(world, tmp_path, what, file_format):
    frame = exported(world, tmp_path, what, file_format)
    assert frame.height
    assert frame.columns == HEADERS.get(what, frame.columns)
    assert [path.name for path in tmp_path.iterdir()] == [f"{what}.{file_format}"]


def test_the_crosswalk_has_each_current_record_once(world, tmp_path):
    frame = exported(world, tmp_path, "crosswalk", "csv")
    assert frame.height == frame.unique(["source_system", "source_key"]).height == 50
    assert frame["cuid"].n_unique() == 30
    assert frame.equals(frame.sort("source_system", "source_key"))


def test_edges_tell_a_probability_and_a_decision(world, tmp_path):
    frame = exported(world, tmp_path, "edges", "csv")
    assert frame["match_probability"].is_between(0, 1).all()
    assert set(frame["decision"]) <= {"MATCH", "POSSIBLE_MATCH", "NO_MATCH"}


def test_edges_say_in_words_what_each_comparison_is_worth_and_no_value(world, tmp_path):
    frame = exported(world, tmp_path, "edges", "csv")
    assert frame["explanation"].str.contains(r"^starting odds [+-]\d+\.\d, .*same e-mail address [+]\d").all()
    assert not frame["explanation"].str.contains("(?i)abernathy|maple|example").any()


def test_golden_records_are_masked(world, tmp_path, cuid):
    (row,) = exported(world, tmp_path, "golden", "csv").filter(pl.col("cuid") == cuid).iter_rows(named=True)
    assert row["email"] != EMAIL
    assert "***" in row["email"]
    assert (row["country"], row["consent"]) == ("US", "granted")


def test_golden_records_are_whole_where_the_role_sees_them_so_with_a_reason_which_is_logged(world, tmp_path, cuid):
    frame = exported(world, tmp_path, "golden", "parquet", "--reveal", "--as", "ada", "--reason", "campaign 7")
    (row,) = frame.filter(pl.col("cuid") == cuid).iter_rows(named=True)
    assert row["email"] == EMAIL
    assert row["birth_date"].endswith("-**-**")
    entry = access_log(world)[-1]
    assert (entry["who"], entry["what"], entry["reason"]) == ("ada", "export golden", "campaign 7")


def test_a_role_that_may_not_export_writes_no_file(world, tmp_path):
    path = tmp_path / "golden.csv"
    said = ("--reveal", "--as", "bob", "--purpose", "complaint", "--reason", "campaign 8")
    outcome = world.run("export", "golden", "--project", world.directory, "-o", path, *said)
    assert outcome.code == 1
    assert "it takes roles.support.may_export: true in " in outcome.err
    assert not path.exists()
    entry = access_log(world)[-1]
    assert (entry["who"], entry["outcome"], entry["roles"], entry["purpose"]) == ("bob", "denied", ["support"], "complaint")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["golden", "--reveal"], 2, "error revealing needs --reason TEXT"),
        (["crosswalk", "--reveal", "--reason", "x"], 2, "error --reveal is for golden records; crosswalk holds no sealed value"),
        (["customers"], 2, "Invalid value"),
        (["crosswalk", "--format", "xlsx"], 2, "Invalid value"),
    ],
)
def test_wrong_use_is_exit_code_2_and_writes_nothing(world, tmp_path, arguments, code, said):
    path = tmp_path / "out"
    outcome = world.run("export", *arguments, "--project", world.directory, "-o", path)
    assert outcome.code == code
    assert said in outcome.err
    assert not path.exists()


def test_a_folder_that_is_not_there_is_named(world, tmp_path):
    path = tmp_path / "absent" / "crosswalk.csv"
    outcome = world.run("export", "crosswalk", "--project", world.directory, "-o", path)
    assert outcome.code == 2
    assert str(path) in outcome.err


@pytest.mark.parametrize("command", [("export", "crosswalk", "-o", "x.csv"), ("show", "CU00000000000000000")])
def test_where_no_run_has_stored_anything_the_command_says_so_and_makes_nothing(tmp_path, command):
    world = make_world(tmp_path, SourceSpec("crm"))

    outcome = world.run(*command, "--project", world.directory)

    assert outcome.code == (1 if command[0] == "export" else 2)
    assert outcome.err.count("\n") == 1
    assert not (world.directory / ".custview").exists()


def test_a_read_command_outside_a_project_makes_no_demo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    world = make_world(tmp_path / "world", SourceSpec("crm"))

    outcome = world.run("export", "crosswalk", "-o", tmp_path / "x.csv")

    assert outcome.code == 2
    assert not (tmp_path / ".custview").exists()
