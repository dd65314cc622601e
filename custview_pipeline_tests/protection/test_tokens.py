"""Tests of ``custview_pipeline.protection.tokens``."""

import polars as pl
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.protection.derivation import derive_key
from custview_pipeline.protection.tokens import Tokeniser

KEY = bytes(range(32))
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
def test_tokens_of_different_uses_never_meet(other):
    assert tokens(["ada"])[0] != tokens(["ada"], **other)[0]


def test_names_and_rule_versions_cannot_be_shifted_into_one_another():
    assert tokens(["ada"], field="name1", rule_version="1")[0] != tokens(["ada"], field="name", rule_version="11")[0]


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


def test_features_without_rows_have_their_types():
    found = Tokeniser(KEY, 1).tokenise_features(FEATURE_TEXTS.to_frame(), rule_version="1")

    assert found.schema["given"] == pl.Int64
    assert found.schema["phones"] == pl.List(pl.Int64)


def test_the_repr_shows_no_key():
    assert repr(Tokeniser(KEY, 4)) == "Tokeniser(token_version=4)"
