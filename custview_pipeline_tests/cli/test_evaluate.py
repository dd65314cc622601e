"""``custview evaluate``: scores against a truth, on the terminal, as JSON, as a curve; what is no truth is exit code 2."""

import json

import polars as pl
import pytest

from custview_pipeline.cli import threshold_plot
from custview_pipeline.cli.threshold_plot import write_plot
from custview_pipeline.kernel.errors import ProjectInvalid

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """Return the truth of the world: 30 persons, of whom the shop knows 20; its last one is said to be another than it is."""
    crm = [("crm", f"crm-{number:05d}", f"canary {number}") for number in range(30)]
    shop = [("shop", f"shop-{number:05d}", f"canary {number}") for number in range(10, 29)]
    rows = [*crm, *shop, ("shop", "shop-00029", "canary 0"), ("shop", "shop-99999", "canary 99")]
    path = tmp_path_factory.mktemp("truth") / "truth.csv"
    pl.DataFrame(rows, schema=["source_system", "source_key", "entity"], orient="row").write_csv(path)
    return path


def evaluate(world, truth, *arguments):
    return world.run("evaluate", "--truth", truth, "--project", world.directory, *arguments)


def test_scores_are_told_by_record_pair_and_source_with_the_worst(world, truth):
    outcome = evaluate(world, truth)
    assert outcome.code == 0, outcome
    lines = outcome.out.splitlines()
    assert lines[0] == "truth: 51 records of 31 entities; here: 31 customers, the largest with 2 of these records"
    assert lines[1] == "only in the truth: 1 record (shop 1)"
    assert next(line for line in lines if line.startswith("all ")).split() == [
        "all", "51", "31", "31", "0.95000", "0.95000", "0.95000", "0.98039", "0.98039", "0.98039",
    ]  # fmt: skip
    assert next(line for line in lines if line.startswith("crm, shop")).split()[2:] == [
        "20", "20", "19", "0.95000", "0.95000", "0.95000",
    ]  # fmt: skip
    assert any("crm:crm-00029" in line and "shop:shop-00029" in line for line in lines)
    assert any("crm:crm-00000" in line and "shop:shop-00029" in line for line in lines)
    assert "canary" not in outcome.out + outcome.err


def test_json_has_the_same(world, truth):
    outcome = evaluate(world, truth, "--json", "--worst", "1")
    said = json.loads(outcome.out)
    assert (said["overall"]["joined_pairs"], said["overall"]["b3_f1"]) == (20, pytest.approx(50 / 51))
    assert said["missing"] == {"shop": 1}
    assert [merge["wrong_pairs"] for merge in said["worst_merges"]] == [1]
    assert [split["wrong_pairs"] for split in said["worst_splits"]] == [1]
    assert "canary" not in outcome.out


def test_the_curve_is_written_and_drawn_and_nothing_is_stored(world, truth, tmp_path):
    before = world.manifest()
    outcome = evaluate(world, truth, "--curve", tmp_path / "curve.csv", "--plot", tmp_path / "curve.png", "--step", "2")
    assert outcome.code == 0, outcome
    curve = pl.read_csv(tmp_path / "curve.csv")
    assert curve["threshold"].to_list() == [float(bits) for bits in range(-4, 21, 2)]
    assert curve["precision"].is_between(0, 1).all()
    assert curve["cluster_count"].is_sorted()
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)
    assert world.manifest() == before


def test_at_the_threshold_in_use_the_curve_has_the_scores_of_the_lake(world, truth, tmp_path):
    path = tmp_path / "curve.csv"
    said = json.loads(evaluate(world, truth, "--json").out)["overall"]
    assert evaluate(world, truth, "--curve", path, "--lowest", "0.5", "--highest", "0.5").code == 0
    (row,) = pl.read_csv(path).to_dicts()
    assert {name: row[name] for name in ("precision", "recall", "b3_f1")} == pytest.approx(
        {name: said[name] for name in ("precision", "recall", "b3_f1")}
    )


@pytest.mark.parametrize(
    "arguments",
    [("--step", "0"), ("--step", "-1"), ("--lowest", "5", "--highest", "4"), ("--step", "0.01"), ("--step", "nan")],
    ids=" ".join,
)
def test_thresholds_that_make_no_curve_are_exit_code_2(world, truth, arguments):
    outcome = evaluate(world, truth, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert "should make 1 to 200 thresholds" in outcome.err


def test_other_column_names_are_options(world, truth, tmp_path):
    other = tmp_path / "other.csv"
    pl.read_csv(truth).rename({"source_system": "system", "source_key": "key", "entity": "line"}).write_csv(other)
    outcome = evaluate(world, other, "--json")
    assert outcome.code == 2
    assert "--source-column" in outcome.err
    names = ("--source-column", "system", "--key-column", "key", "--entity-column", "line")
    assert evaluate(world, other, "--json", *names).out == evaluate(world, truth, "--json").out
    twice = evaluate(world, other, "--key-column", "line", "--entity-column", "line")
    assert (twice.code, "should name three columns" in twice.err) == (2, True)


def test_a_truth_that_is_none_is_exit_code_2_and_quotes_nothing(world, tmp_path):
    file = tmp_path / "truth.csv"
    file.write_text("source_system,source_key,entity\ncrm,crm-00001,canary\ncrm,crm-00001,other\n", encoding="utf-8")
    outcome = evaluate(world, file)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"error {file}:3: the record of line 2 is in another entity here\n"


def test_without_matplotlib_the_extra_is_named_before_any_work(world, truth, tmp_path, monkeypatch):
    monkeypatch.setattr(threshold_plot, "find_spec", lambda _: None)
    outcome = evaluate(world, truth, "--plot", tmp_path / "curve.png")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error --plot needs matplotlib: pip install 'custview-pipeline[plots]'\n"


def test_a_plot_replaces_no_folder_and_needs_one_to_be_in(tmp_path):
    names = ("precision", "recall", "f1", "b3_precision", "b3_recall", "b3_f1")
    scores = pl.DataFrame({"threshold": [0.0, 1.0], **{name: [0.4, 0.6] for name in names}})
    for path in (tmp_path, tmp_path / "none" / "curve.png"):
        with pytest.raises(ProjectInvalid, match="cannot be written"):
            write_plot(scores, path, shipped=0.5)
    write_plot(scores, tmp_path / "curve.png", shipped=9.0)
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)
