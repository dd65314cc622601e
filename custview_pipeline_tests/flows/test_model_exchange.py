"""Tests of ``custview_pipeline.flows.model_exchange``: match models as a file."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.flows.model_exchange import models_as_json, read_models
from custview_pipeline.flows.models import StoredModel
from custview_pipeline.kernel.errors import ProjectInvalid
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.model import MatchModel
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline_tests.factories import LATER
from custview_pipeline_tests.matching.counted_patterns import learned


def stored(model: MatchModel) -> StoredModel:
    return StoredModel(model, "0123456789ab", "run-7", LATER, LATER)


PERSON = stored(replace(learned(), calibration=1 / 3, decision_count=25))
FIRM = stored(packaged_model(EntityType.ENTERPRISE, COMPARISONS[EntityType.ENTERPRISE]))


def test_what_was_exported_comes_back_as_the_same_versions():
    person, firm = read_models(models_as_json([PERSON, FIRM]), file="models.json")

    assert person.model == replace(PERSON.model, is_imported=True)
    assert (person.model.version, firm.model.version) == (PERSON.model.version, FIRM.model.version)
    assert (person.base, person.trained_by_run, person.trained_at) == ("0123456789ab", "run-7", LATER)


def test_the_file_says_nothing_but_shares_of_outcomes():
    text = models_as_json([PERSON])

    assert set(json.loads(text)["models"][0]["comparisons"][0]["outcomes"]["same"]) == {"match", "household", "unrelated"}
    assert "token" not in text


def changed(change):
    content = json.loads(models_as_json([PERSON]))
    change(content, content["models"][0])
    return json.dumps(content, indent=1)


def moved(model):
    given = model["comparisons"][0]["outcomes"]
    given["same"]["match"], given["differs"]["match"] = given["differs"]["match"], given["same"]["match"]


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (lambda file, _: file.update(colour="red"), None, "unknown key 'colour'"),
        (lambda file, _: file.update(format=2), 2, "'format': should be 1"),
        (lambda file, _: file.update(models=[]), 3, "it holds no model"),
        (lambda _, model: model.update(comparisons=[]), None, "it compares nothing"),
        (lambda file, model: file.update(models=[model, model]), 3, "two models of one entity type"),
        (lambda _, model: model.pop("shares"), 4, "the key 'models.0.shares' is missing"),
        (lambda _, model: model["shares"].update(match="x"), 8, "'models.0.shares.match': should be a valid number"),
        (lambda _, model: model["shares"].update(match=0.5), 7, "the numbers should add up to 1, not 1.49"),
        (lambda _, model: model["shares"].update(match=0), 8, "'models.0.shares.match': should be greater than 0"),
        (lambda _, model: model.update(entity_type="robot"), 5, "'models.0.entity_type': should be 'person' or 'enterprise'"),
        (
            lambda _, model: model["comparisons"][2].update(name="birth_dat"),
            None,
            "no comparison of person records; did you mean 'birth_date'",
        ),
        (lambda _, model: model["comparisons"].reverse(), None, "in the order given_name, family_name, birth_date"),
        (lambda _, model: model["comparisons"].append(model["comparisons"][0]), None, "should stand once each"),
        (
            lambda _, model: model["comparisons"][0]["outcomes"].pop("nickname"),
            None,
            "'given_name' should have the outcomes same, nickname",
        ),
        (
            lambda _, model: model["comparisons"][0]["outcomes"]["same"].update(match=0.001),
            None,
            "the numbers of match should add up to 1",
        ),
        (lambda _, model: model["shares"].update(match=1e-300), 7, "'models.0.shares': each should be at least 1e-09"),
        (lambda _, model: model.update(calibration=12.5), 12, "'models.0.calibration': should be less than or equal to 12"),
        (lambda _, model: model.update(calibration=-1e308), 12, "should be greater than or equal to -12"),
        (lambda _, model: model.update(record_count=2**63), 14, "should be less than or equal to 9223372036854775807"),
        (lambda _, model: model.update(decision_count=-1), 13, "should be greater than or equal to 0"),
        (lambda _, model: model.update(base="\x1b[2J"), 15, "'models.0.base': String should match pattern"),
        (lambda _, model: model.update(trained_by_run="a" * 65), 16, "should have at most 64 characters"),
        (lambda _, model: model.update(trained_by_run="run\n"), 16, "'models.0.trained_by_run': String should match pattern"),
        (lambda _, model: model.update(trained_at="9999-12-31T23:59:59-05:00"), 17, "should be a moment of the years 1 to 9999"),
        (
            lambda _, model: model.update(trained_at="2026-01-01T00:00:00"),
            17,
            "'models.0.trained_at': Input should have timezone info",
        ),
        (lambda _, model: moved(model), 6, "changed by hand: leave the key 'version' out"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_told_with_its_line(change, line, said):
    with pytest.raises(ProjectInvalid) as error:
        read_models(changed(change), file="models.json")

    assert said in str(error.value)
    assert str(error.value).startswith("models.json:" if line is None else f"models.json:{line}: ")


def test_the_moment_of_learning_is_kept_in_utc():
    (read,) = read_models(changed(lambda _, model: model.update(trained_at="2026-03-01T01:30:00+02:00")), file="models.json")
    assert (read.trained_at, read.trained_at.tzinfo) == (datetime(2026, 2, 28, 23, 30, tzinfo=UTC), UTC)


def test_a_model_of_a_large_list_with_an_outcome_that_hardly_occurs_comes_back():
    rare = tuple(tuple(1e-12 if place == 1 else share for place, share in enumerate(row)) for row in PERSON.model.match)
    whole = tuple((*row[:-1], row[-1] + 1 - sum(row)) for row in rare)
    (read,) = read_models(models_as_json([stored(replace(PERSON.model, match=whole))]), file="models.json")
    assert read.model.match == whole


def test_a_file_that_was_changed_by_hand_is_a_version_of_its_own_where_it_claims_none():
    def change(_file, model):
        moved(model)
        del model["version"]

    (read,) = read_models(changed(change), file="models.json")
    assert read.model.version != PERSON.model.version


@pytest.mark.parametrize("text", ["", "[]", "{", "models: 3"])
def test_what_is_no_file_of_models_is_refused(text):
    with pytest.raises(ProjectInvalid):
        read_models(text, file="models.json")
