"""Tokens made under different rules never meet, so they are not matched."""

import pytest

from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.link import link
from custview_pipeline.kernel.errors import MixedGenerations
from custview_pipeline.kernel.ports import Unwatched
from custview_pipeline.protection.wrapped_keys import Purpose
from custview_pipeline_tests.flows import sealed_lake
from custview_pipeline_tests.flows.conftest import ADA
from custview_pipeline_tests.flows.sealed_lake import Record, take_in


def test_records_of_two_rule_sets_are_refused_by_the_name_of_the_smaller_source(empty_house, keyring, monkeypatch):
    crm = [Record(number, ADA, {}) for number in (1, 2)]
    take_in(empty_house.lake, keyring, *crm)
    older = sealed_lake.tokens
    monkeypatch.setattr(
        sealed_lake, "tokens", lambda *args: older(*args).with_columns(generation=older(*args)["generation"] + "x")
    )
    take_in(empty_house.lake, keyring, Record(3, ADA, {}, source_system="web"))

    with empty_house.lake.writer() as writer, pytest.raises(MixedGenerations, match="records of web") as refusal:
        link(writer, Rulebook(), keyring.current(Purpose.ID)[1], run_id="run-1", progress=Unwatched())

    assert "\n" not in str(refusal.value)
    assert empty_house.lake.snapshot().table_version("crosswalk") is None
