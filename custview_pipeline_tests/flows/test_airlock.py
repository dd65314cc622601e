"""Tests of ``custview_pipeline.flows.airlock``: what a contract calls personal is stored sealed only."""

from dataclasses import replace

import polars as pl
import pytest

from custview_pipeline.contracts.match_index import VALUE_PARTS, Generation
from custview_pipeline.flows.airlock import Airlock, admit
from custview_pipeline.flows.examine import Pending
from custview_pipeline.kernel.errors import WrongKey
from custview_pipeline.standardisation.standardise import rule_set_version
from custview_pipeline_tests.factories import NOW, marks_of, source_contract

ROW = {
    "source_key": "k1",
    "legal_name": "Winterbourne Clocks Ltd",
    "entity_type": "enterprise",
    "country": "GB",
    "lei": "5493001KJTIIGC8Y1R12",
    "industry_code": "26.52",
    "consent": "yes",
}
OPEN = {"country": "GB", "lei": "5493001KJTIIGC8Y1R12", "industry_code": "26.52", "consent": "granted"}


def contract_with(*personal, **more):
    """Return a contract that calls these columns personal."""
    contract = source_contract("crm", *list(ROW)[1:], **more)
    return replace(contract, columns=tuple(replace(column, is_personal=column.name in personal) for column in contract.columns))


def admitted(contract, keys, raw=ROW, token_versions=None):
    marks = marks_of(1)
    generations = tuple(generation_under(version) for version in token_versions or [keys.token_version])
    airlock = Airlock(contract, "US", keys, "d1", NOW, generations)
    admission = admit(airlock, Pending(pl.DataFrame(raw, dict.fromkeys(raw, pl.String)), marks))
    assert admission.quarantined.is_empty()
    return admission


def generation_under(token_version):
    return Generation(rule_set_version(), token_version).name


def claims_of(admission):
    (rows,) = admission.indexed.values()
    return rows.claims


def open_values(admission):
    return dict(claims_of(admission).drop_nulls("open_value").select("attribute", "open_value").rows())


def test_open_attributes_that_no_contract_calls_personal_are_stored_open(keyring):
    admission = admitted(contract_with(), keyring.airlock_keys())

    assert open_values(admission) == OPEN
    assert admission.protected["country"].to_list() == ["GB"]


@pytest.mark.parametrize("attribute", OPEN)
def test_an_open_attribute_that_the_contract_calls_personal_stays_sealed(keyring, attribute):
    admission = admitted(contract_with(attribute), keyring.airlock_keys())

    assert open_values(admission) == {name: value for name, value in OPEN.items() if name != attribute}
    assert claims_of(admission).filter(attribute=attribute).select("is_valid", "length").rows() == [(True, len(OPEN[attribute]))]
    assert admission.protected["country"].to_list() == [None if attribute == "country" else "GB"]


def test_one_personal_column_of_several_seals_the_attribute(keyring):
    contract = contract_with("country")
    (personal,) = contract.carrying("country")
    several = replace(contract, columns=(replace(personal, name="land", is_personal=False), *contract.columns))

    admission = admitted(several, keyring.airlock_keys(), {"land": "GB", **ROW})

    assert "country" not in open_values(admission)
    assert admission.protected["country"].to_list() == [None]


def test_the_token_of_a_personal_key_outlives_the_token_key(keyring):
    keys = keyring.airlock_keys()
    rotated = replace(keys, token_keys={2: bytes(32)}, token_version=2)

    first, second = (admitted(contract_with("source_key"), each).protected["source_key"][0] for each in (keys, rotated))

    assert first == second != "k1"
    assert int(first)


def test_rows_of_two_generations_differ_in_their_tokens_alone(keyring):
    keys = replace(keyring.airlock_keys(), token_keys={1: bytes(32), 2: bytes(range(32))})

    first, second = admitted(contract_with(), keys, token_versions=(1, 2)).indexed.values()

    said = [name for name in first.claims.columns if name != "token"]
    assert first.claims.select(said).equals(second.claims.select(said))
    assert not set(first.claims["token"]) & set(second.claims["token"])
    assert first.tokens["enterprise_name"][0] != second.tokens["enterprise_name"][0]
    for part in VALUE_PARTS:
        assert not set(first.neighbourhoods[part]["token"]) & set(second.neighbourhoods[part]["token"])
    same = ["record_id", "version", "is_enterprise"]
    assert first.tokens.select(same).equals(second.tokens.select(same))


def test_no_row_is_made_under_a_token_key_that_is_not_there(keyring):
    with pytest.raises(WrongKey, match="no version 7 of the token key"):
        admitted(contract_with(), keyring.airlock_keys(), token_versions=(1, 7))
