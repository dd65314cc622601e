"""Tests of ``custview_pipeline.flows.evaluate``: a truth is found or refused by its line; scores are those of the known tool."""

import importlib.util
import json
from pathlib import Path

import polars as pl
import pytest

import custview_pipeline
from custview_pipeline.flows.evaluate import TRUTH_COLUMNS, evaluate, find_truth, threshold_curve
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.flows.sealed_lake import remove

SCORE_TOOL = Path(custview_pipeline.__file__).parents[2] / "shared" / "tools" / "score.py"
PEOPLE = (("crm", "k1", "ada"), ("web", "k2", "ada"), ("crm", "k3", "otto"))
STRANGERS = tuple(("crm", f"k{number}", f"stranger {number}") for number in (60, 61, 62))


def rows(*named):
    """Build what a truth file gives; its first row is in line 2."""
    frame = pl.DataFrame(list(named), schema=dict.fromkeys(TRUTH_COLUMNS, pl.String), orient="row")
    return frame.with_columns(line=pl.int_range(2, pl.len() + 2, dtype=pl.Int64))


def found(house, *named):
    snapshot = house.lake.snapshot()
    return find_truth(snapshot, house.keyring.current(Purpose.ID)[1], rows(*named), file="truth.csv")


def test_a_truth_is_found_by_its_keys_and_what_is_on_one_side_only_is_counted(finished):
    house, _ = finished
    truth = found(house, *PEOPLE, ("web", "nobody", "otto"))
    assert truth.missing == {"web": 1}
    assert truth.unknown == {"crm": 3}
    assert truth.records["record_id"].head(3).to_list() == [1, 2, 3]
    assert truth.records["key"].to_list() == ["crm:k1", "web:k2", "crm:k3", None]


def test_keys_are_read_as_deliveries_are_with_white_space_around_them(finished):
    house, _ = finished
    assert found(house, ("crm", " k1 ".strip(), "a"), *PEOPLE[1:]).missing == {}


def test_scores_are_by_type_and_source_and_the_worst_are_named(finished):
    house, _ = finished
    wrong = [
        ("crm", "k1", "ada"),
        ("web", "k2", "another"),
        ("crm", "k3", "otto"),
        ("crm", "k60", "otto"),
        ("crm", "gone", "otto"),
    ]
    result = evaluate(found(house, *wrong), worst=5)
    assert (result.overall.record_count, result.overall.entity_count) == (5, 3)
    assert (result.overall.shared_pairs, result.overall.joined_pairs, result.overall.true_pairs) == (0, 1, 3)
    assert {name: scores.record_count for name, scores in result.by_entity_type.items()} == {"person": 4}
    pairs = result.by_source_pair.select("left_source", "right_source", "joined_pairs", "true_pairs").rows()
    assert pairs == [("crm", "crm", 0, 3), ("crm", "web", 1, 0), ("web", "web", 0, 0)]
    (merge,) = result.merges.to_dicts()
    assert (merge["record_count"], merge["part_count"], merge["wrong_pairs"]) == (2, 2, 1)
    assert {merge["left"], merge["right"]} == {"crm:k1", "web:k2"}
    (split,) = result.splits.to_dicts()
    assert (split["record_count"], split["part_count"], split["wrong_pairs"]) == (2, 2, 1)
    assert {split["left"], split["right"]} == {"crm:k3", "crm:k60"}
    assert split["left_cuid"] != split["right_cuid"]
    assert result.largest.row(0) == (merge["cuid"], 2, 2)


def test_what_is_named_is_no_entity_of_the_truth(finished):
    house, _ = finished
    result = evaluate(
        found(house, ("crm", "k1", "secret one"), ("web", "k2", "secret two"), ("crm", "k3", "secret one")), worst=5
    )
    assert "secret" not in json.dumps([result.merges.to_dicts(), result.splits.to_dicts(), result.largest.to_dicts()])


@pytest.mark.skipif(not SCORE_TOOL.exists(), reason="the tool that scores crosswalks is not beside this checkout")
@pytest.mark.parametrize(
    "truth",
    [
        (*PEOPLE, *STRANGERS),
        PEOPLE,
        (("crm", "k1", "a"), ("web", "k2", "b"), ("crm", "k3", "a"), ("crm", "k60", "a")),
        (*PEOPLE, ("web", "nobody", "otto"), ("crm", "nobody", "ada")),
    ],
    ids=["right", "not of all records", "wrong", "with records that are not here"],
)
def test_scores_are_those_of_the_tool_that_scores_crosswalks(finished, truth):
    house, _ = finished
    spec = importlib.util.spec_from_file_location("score", SCORE_TOOL)
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    from custview_pipeline.flows.export import export_crosswalk

    said = tool.score(export_crosswalk(house.lake.snapshot()), rows(*truth).drop("line"))
    result = evaluate(found(house, *truth), worst=1)
    own = result.overall
    names = ("precision", "recall", "f1", "b3_precision", "b3_recall", "b3_f1")
    assert {name: round(getattr(own, name), 5) for name in names} == {name: said[name] for name in names}
    assert (own.record_count, own.entity_count, own.cluster_count, own.largest_cluster) == (
        said["records"], said["entities"], said["clusters"], said["largest_cluster"],
    )  # fmt: skip
    assert (sum(result.missing.values()), sum(result.unknown.values())) == (said["missing"], said["unknown"])


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ((), "truth.csv: has no row below the header"),
        (((*PEOPLE[0][:2], None), *PEOPLE[1:]), "truth.csv:2: an empty cell where a name should be"),
        (
            (PEOPLE[0], (None, "k2", "ada"), ("crm", None, "x")),
            "truth.csv:3: an empty cell where a name should be, and so in 1 more line",
        ),
        ((*PEOPLE, ("crm", "k1", "otto")), "truth.csv:5: the record of line 2 is in another entity here"),
        ((*PEOPLE, PEOPLE[1], PEOPLE[1]), "truth.csv:5: the record of line 3 is named again, and so in 1 more line"),
        (
            (("crm", "no such", "ada"), ("erp", "k1", "ada")),
            "truth.csv: none of its records is a customer's here; the source systems are crm, web",
        ),
    ],
    ids=["no row", "no entity", "no key", "two entities", "named again", "no record known"],
)
def test_a_truth_that_is_none_is_told_by_its_line(finished, named, said):
    house, _ = finished
    with pytest.raises(ProjectInvalid) as caught:
        found(house, *named)
    assert str(caught.value) == said


def test_a_record_that_its_source_has_deleted_since_the_last_matching_is_nobodys(once_run):
    remove(once_run.lake, 2, version=2)
    truth = found(once_run, *PEOPLE)
    assert truth.missing == {"web": 1}
    result = evaluate(truth, worst=5)
    assert {name: scores.record_count for name, scores in result.by_entity_type.items()} == {"person": 2}
    assert result.overall.joined_pairs == 0


def test_before_anything_was_matched_there_is_nothing_to_score(empty_house):
    with pytest.raises(ProjectInvalid, match="the source systems are none yet"):
        found(empty_house, *PEOPLE)


def test_the_curve_scores_the_clusters_of_every_threshold(finished):
    house, _ = finished
    truth = found(house, *PEOPLE, ("crm", "gone", "ada"))
    clusters = {
        -1.0: [(1, 1), (2, 1), (3, 1), (60, 60)],
        0.5: [(1, 1), (2, 1), (3, 3), (60, 60)],
        9.0: [(1, 1), (2, 2), (3, 3), (60, 60)],
    }

    def clusters_at(thresholds):
        schema = {"record_id": pl.Int64, "cluster": pl.Int64}
        return {each: pl.DataFrame(clusters[each], schema=schema, orient="row") for each in thresholds}

    curve = threshold_curve(truth, [-1.0, 0.5, 9.0], clusters_at)
    assert curve["threshold"].to_list() == [-1.0, 0.5, 9.0]
    assert curve["precision"].to_list() == pytest.approx([1 / 3, 1.0, 1.0])
    assert curve["recall"].to_list() == pytest.approx([1 / 3, 1 / 3, 0.0])
    assert curve["cluster_count"].to_list() == [2, 3, 4]
