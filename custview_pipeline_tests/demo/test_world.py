"""The demo as a whole: the same bytes for the same seed, the size asked for, a truth for every key."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from custview_pipeline.contracts.project import name_for
from custview_pipeline.demo.world import DemoSummary, generate
from custview_pipeline.kernel.errors import ProjectInvalid

KEYS = {"crm": "id", "web_shop": "customer_no", "billing": "account_id", "support": "Ticket Contact Ref"}
IN_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from custview_pipeline.demo.world import generate
generate(Path(sys.argv[1]), records=900, seed=7)
"""


def digests(directory: Path) -> dict[str, str]:
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_and_size_give_the_same_bytes_in_any_process_with_any_number_of_threads(tmp_path):
    generate(tmp_path / "here" / "demo", records=900, seed=7)
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(tmp_path / "there" / "demo")]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": "31", "POLARS_MAX_THREADS": "1"})
    assert digests(tmp_path / "here") == digests(tmp_path / "there")


def test_a_second_demo_replaces_the_first_in_place(tmp_path):
    generate(tmp_path / "old" / "demo", records=300, seed=1)
    generate(tmp_path / "old" / "demo", records=300, seed=2)
    generate(tmp_path / "fresh" / "demo", records=300, seed=2)
    assert digests(tmp_path / "old") == digests(tmp_path / "fresh")


def test_another_seed_gives_another_world(tmp_path):
    generate(tmp_path / "one" / "demo", records=300, seed=1)
    generate(tmp_path / "two" / "demo", records=300, seed=2)
    one, two = digests(tmp_path / "one" / "demo"), digests(tmp_path / "two" / "demo")
    assert one.keys() == two.keys()
    changed = {name for name in one if one[name] != two[name]}
    assert changed == {name for name in one if name.startswith(("data/", "truth"))}


@pytest.mark.parametrize("records", [50, 333, 5000, 20_000])
def test_a_world_has_as_many_records_as_asked_for(tmp_path, records):
    summary = generate(tmp_path, records=records, seed=3)
    assert summary.records == sum(summary.by_source.values())
    assert abs(summary.records - records) <= 0.02 * records
    assert summary.directory == tmp_path


def test_a_customer_has_about_two_records(demo: DemoSummary):
    assert 2.0 < demo.records / demo.customers < 2.4


def test_each_source_holds_its_share(demo: DemoSummary, files):
    assert {name: rows.height for name, rows in files.items()} == demo.by_source
    assert all(count > 0.1 * demo.records for count in demo.by_source.values())


@pytest.mark.parametrize("source", KEYS)
def test_the_truth_covers_every_row_that_has_a_key_and_no_other(files, truth, source):
    keys = files[source][KEYS[source]].drop_nulls()
    assert keys.is_unique().all()
    assert sorted(keys) == sorted(truth.filter(pl.col("source_system") == source)["source_key"])


def test_some_rows_have_no_key_and_so_no_truth(demo: DemoSummary, truth):
    without_key = demo.records - truth.height
    assert 0 < without_key < 0.005 * demo.records


def test_the_truth_has_no_other_columns_and_no_gaps(truth):
    assert truth.columns == ["source_system", "source_key", "entity", "household"]
    assert truth.null_count().sum_horizontal().item() == 0


def test_an_entity_has_one_household(truth):
    assert truth.group_by("entity").agg(pl.col("household").n_unique())["household"].max() == 1


def test_some_customers_share_a_household_and_some_come_twice_in_one_source(truth):
    families = truth.group_by("household").agg(pl.col("entity").n_unique()).filter(pl.col("entity") > 1)
    twice = truth.group_by("source_system", "entity").len().filter(pl.col("len") > 1)
    assert families.height > 200
    assert 0.005 < twice.height / truth.height < 0.03


def test_the_truth_lies_beside_the_data(demo: DemoSummary):
    assert (demo.directory / "truth.csv").is_file()
    assert not list((demo.directory / "data").rglob("truth*"))


def test_the_project_is_called_by_its_directory_and_has_default_rules(demo: DemoSummary):
    project = yaml.safe_load((demo.directory / "custview.yaml").read_text(encoding="utf-8"))
    assert project["name"] == name_for(demo.directory)
    assert project["region"] == "US"
    assert project["lake"] == ".custview/lake"
    assert not (demo.directory / "rulebook.yaml").exists()


def test_a_project_that_is_not_a_demo_is_left_alone(tmp_path):
    (tmp_path / "custview.yaml").write_text("name: ours\n", encoding="utf-8")
    with pytest.raises(ProjectInvalid, match="not a demo"):
        generate(tmp_path, records=100)
    assert [path.name for path in tmp_path.iterdir()] == ["custview.yaml"]


def test_a_file_is_no_place_for_a_demo(tmp_path):
    (tmp_path / "file").write_text("text", encoding="utf-8")
    with pytest.raises(ProjectInvalid, match="this is a file"):
        generate(tmp_path / "file", records=100)


def test_a_demo_of_a_handful_of_records_is_refused(tmp_path):
    with pytest.raises(ProjectInvalid, match="at least 50"):
        generate(tmp_path, records=49)
    assert not list(tmp_path.iterdir())
