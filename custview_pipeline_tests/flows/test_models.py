"""Tests of ``custview_pipeline.flows.models``: which models a lake has, and which is in use."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.matching_tables import MATCH_MODEL
from custview_pipeline.flows.models import active_models, find_model, is_usable, new_rows, put_to_use, stored_models
from custview_pipeline.kernel.errors import UnknownModel
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline_tests.factories import LATER

PERSON, ENTERPRISE = EntityType.PERSON, EntityType.ENTERPRISE
ONE, TWO, THREE = (LATER + timedelta(hours=hours) for hours in range(3))


def model(entity_type=PERSON, *, calibration=0.0, records=1000):
    """Return a model; those of another calibration have another version."""
    packaged = packaged_model(entity_type, COMPARISONS[entity_type])
    return replace(packaged, calibration=calibration, record_count=records)


FIRST, SECOND, FIRM = model(), model(calibration=1.0), model(ENTERPRISE)


@pytest.fixture
def lake(empty_house):
    with empty_house.lake.writer() as writer:
        yield writer


def learn(lake, *models, now, is_kept_only=False):
    with lake.commit("run-1") as commit:
        before = active_models(lake.snapshot())
        commit.append(MATCH_MODEL.name, new_rows(models, before, run_id="run-1", now=now, is_kept_only=is_kept_only))


def versions(lake):
    return {entity_type: model.version for entity_type, model in active_models(lake.snapshot()).items()}


def test_a_lake_in_which_nothing_was_learned_has_no_model(lake):
    assert (stored_models(lake.snapshot()), active_models(lake.snapshot())) == ((), {})


def test_the_newest_model_of_each_entity_type_is_in_use(lake):
    learn(lake, FIRST, FIRM, now=ONE)
    learn(lake, SECOND, now=TWO)

    assert versions(lake) == {PERSON: SECOND.version, ENTERPRISE: FIRM.version}
    assert active_models(lake.snapshot())[PERSON] == SECOND
    assert [stored.model.version for stored in stored_models(lake.snapshot())][-1] == SECOND.version


def test_a_model_knows_which_one_it_took_over_from(lake):
    learn(lake, FIRST, now=ONE)
    learn(lake, SECOND, FIRM, now=TWO)

    bases = {stored.model.version: stored.base for stored in stored_models(lake.snapshot())}
    assert bases == {FIRST.version: None, SECOND.version: FIRST.version, FIRM.version: None}


def test_a_model_that_is_only_kept_is_stored_and_not_in_use(lake):
    learn(lake, FIRST, now=ONE)
    learn(lake, SECOND, now=TWO, is_kept_only=True)

    assert versions(lake) == {PERSON: FIRST.version}
    assert find_model(lake.snapshot(), SECOND.version).activated_at is None


def test_an_earlier_model_can_be_put_to_use_again_and_keeps_its_history(lake):
    learn(lake, FIRST, now=ONE)
    learn(lake, SECOND, now=TWO)
    put_to_use(lake, [find_model(lake.snapshot(), FIRST.version)], run_id="run-2", now=THREE)

    assert versions(lake) == {PERSON: FIRST.version}
    again = find_model(lake.snapshot(), FIRST.version)
    assert (again.model, again.trained_at, again.activated_at, again.trained_by_run) == (FIRST, ONE, THREE, "run-1")
    assert len(stored_models(lake.snapshot())) == 2


def test_a_model_is_found_by_how_its_version_begins(lake):
    learn(lake, FIRST, SECOND, now=ONE)

    assert find_model(lake.snapshot(), f" {FIRST.version[:8].upper()} ").model == FIRST


@pytest.mark.parametrize(
    ("version", "message"),
    [("0000", "no model has this version"), ("-", "no model has this version"), ("", "no model has this version")],
)
def test_a_version_that_is_none_is_told(lake, version, message):
    learn(lake, FIRST, now=ONE)

    with pytest.raises(UnknownModel, match=message):
        find_model(lake.snapshot(), version)


def test_a_beginning_that_several_versions_have_is_told(lake):
    many = [model(calibration=number / 8) for number in range(20)]  # of seventeen two begin with the same digit
    learn(lake, *many, now=ONE)
    firsts = [each.version[0] for each in many]
    common = max(firsts, key=firsts.count)

    with pytest.raises(UnknownModel, match="the versions of several models begin so"):
        find_model(lake.snapshot(), common)


def test_a_model_of_another_version_of_the_package_is_left_out(lake):
    learn(lake, FIRM, now=ONE)
    strange = new_rows([FIRST], {}, run_id="run-1", now=TWO).with_columns(
        comparison=pl.col("comparison").replace("birth_date", "shoe_size")
    )
    with lake.commit("run-1") as commit:
        commit.append(MATCH_MODEL.name, strange)

    assert versions(lake) == {ENTERPRISE: FIRM.version}


EVERY = COMPARISONS[PERSON]


@pytest.mark.parametrize(
    ("stored", "compared", "records", "is_fit"),
    [
        (model(), EVERY, 1000, True),
        (model(), EVERY, 1, True),
        (model(), EVERY, 1999, True),
        (model(), EVERY, 2000, False),
        (model(records=0), EVERY, 2, False),
        (model(), EVERY[1:], 1000, False),
        (replace(packaged_model(PERSON, EVERY[1:]), record_count=1000), EVERY, 1000, False),
        (replace(model(), is_imported=True), EVERY, 1_000_000, True),
        (replace(model(), is_imported=True), EVERY[1:], 1_000_000, False),
        (replace(packaged_model(PERSON, EVERY[1:]), is_imported=True), EVERY, 1000, False),
        (replace(packaged_model(PERSON, EVERY[1:]), is_imported=True), EVERY[1:], 1000, True),
    ],
)
def test_a_model_serves_until_the_records_have_doubled_or_other_things_are_compared(stored, compared, records, is_fit):
    assert is_usable(stored, compared, records) is is_fit
