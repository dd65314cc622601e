"""Tests of ``custview_pipeline.protection.tokens``."""

import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import assume, given
from hypothesis import strategies as st

from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.tokens import Tokeniser

KEY = bytes(range(32))
SCRIPTS = ["Ada Király ", "e\u0301o\u0308", "李雷\U00020000", "محمد علي", "\U0001f468\u200d\U0001f469", "\x00\x7f"]
words = st.text("ab1;=", max_size=3)
uses = st.fixed_dictionaries({"field": words, "rule_version": words, "version": st.integers(1, 0xFFFF)})
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]))


def tokens(values, *, field="name", rule_version="1", version=1, key=KEY, dtype=pl.String):
    return Tokeniser(key, version).tokens(field, pl.Series("given", values, dtype=dtype), rule_version=rule_version)


def scalar(value):
    mac = CMAC(algorithms.AES256(derive_key(KEY, "token", "name", "1", 1)))
    mac.update(value.encode())
    return int.from_bytes(mac.finalize()[:8], "little", signed=True)


@given(st.lists(texts))
def test_a_token_is_the_first_half_of_the_macs_of_the_value(values):
    assert tokens(values).to_list() == [None if value is None else scalar(value) for value in values]


@pytest.mark.parametrize("script", SCRIPTS)
def test_values_of_any_script_and_length_alone_in_lists_and_beside_nulls(script):
    values = [None if count % 9 == 8 else (script * 200)[:count] for count in range(201)]
    expected = [None if value is None else scalar(value) for value in values]
    lists = [None, [], *(values[at : at + at % 4] for at in range(0, 201, 4))]
    expected_lists = [None, [], *(expected[at : at + at % 4] for at in range(0, 201, 4))]

    assert tokens(values).to_list() == expected
    assert tokens(lists, dtype=pl.List(pl.String)).to_list() == expected_lists
    assert tokens(values[3:150])[100:].to_list() == tokens(pl.Series(values)[103:150]).to_list() == expected[103:150]


@given(st.lists(st.none() | st.lists(texts, max_size=3)))
def test_lists_keep_their_shape(values):
    found = tokens(values, dtype=pl.List(pl.String))

    assert found.dtype == pl.List(pl.Int64)
    assert found.to_list() == [None if each is None else tokens(each).to_list() for each in values]


def test_equal_values_have_equal_tokens_and_others_do_not():
    first, second, third = tokens(["ada", "ada", "adah"])

    assert first == second != third


@pytest.mark.parametrize(
    "other",
    [{"field": "street"}, {"rule_version": "2"}, {"version": 2}, {"key": bytes(32)}],
    ids=["field", "rules", "key version", "key"],
)
def test_tokens_and_neighbourhood_keys_of_different_uses_never_meet(other):
    values = ["", "ada", "ada king", "李雷"]
    use = {"field": "name", "rule_version": "1", "version": 1, "key": KEY} | other
    mac = Tokeniser(use["key"], use["version"]).neighbourhood_mac(use["field"], rule_version=use["rule_version"])
    same = Tokeniser(KEY, 1).neighbourhood_mac("name", rule_version="1")

    assert not set(tokens(values)) & set(tokens(values, **other))
    assert not any(mac.of_bytes(value.encode()) == same.of_bytes(value.encode()) for value in values)


@given(uses, uses)
def test_no_two_uses_have_one_key(first, second):
    assume(first != second)

    assert tokens(["ada"], **first)[0] != tokens(["ada"], **second)[0]


def test_names_and_versions_cannot_be_shifted_into_one_another():
    shifted = [("name1", "1", 1), ("name", "11", 1), ("name", "1", 11), ("", "name11", 1), ("name", "", 111)]
    found = {tokens(["ada"], field=field, rule_version=rules, version=version)[0] for field, rules, version in shifted}

    assert len(found) == len(shifted)


def test_a_claim_about_an_attribute_and_a_feature_of_that_name_never_meet():
    assert tokens(["ada"], field="claim/email")[0] != tokens(["ada"], field="email")[0]


def test_neighbourhoods_have_a_key_of_their_own():
    mac = Tokeniser(KEY, 1).neighbourhood_mac("name", rule_version="1")

    assert int.from_bytes(mac.of_bytes(b"ada")[:8], "little", signed=True) != scalar("ada")


def test_features_become_tokens_under_the_same_names():
    row = {"row": 0, "is_enterprise": False, "given": "ada", "middle": "ada", "name_words": ["ada", "king"], "phones": []}
    features = pl.DataFrame([row], schema=FEATURE_TEXTS)
    found = Tokeniser(KEY, 1).tokenise_features(features, rule_version="1")

    assert found.columns == features.columns
    assert found["is_enterprise"].to_list() == [False]
    assert found["given"].to_list() == found["middle"].to_list() == [scalar("ada")]
    assert found["name_words"].to_list() == [[scalar("ada"), scalar("king")]]
    assert found["phones"].to_list() == [[]]
    assert found["email"].to_list() == [None]
    assert not any(dtype in (pl.String, pl.List(pl.String)) for dtype in found.dtypes)
    assert {name for name, dtype in found.schema.items() if dtype == pl.List(pl.Int64)} == {
        name for name, feature in FEATURES.items() if feature.is_list
    }


def test_a_missing_part_of_a_further_address_is_no_token():
    row = {"row": 0, "is_enterprise": False, "further_streets": ["elm", None], "further_units": [None, None], "emails": []}
    found = Tokeniser(KEY, 1).tokenise_features(pl.DataFrame([row], schema=FEATURE_TEXTS), rule_version="1")

    assert found["further_streets"].to_list() == [[tokens(["elm"], field="street")[0], None]]
    assert found["further_units"].to_list() == [[None, None]]
    assert found["emails"].to_list() == [[]]


def test_features_without_rows_have_their_types():
    found = Tokeniser(KEY, 1).tokenise_features(FEATURE_TEXTS.to_frame(), rule_version="1")

    assert found.schema["given"] == pl.Int64
    assert found.schema["phones"] == pl.List(pl.Int64)
