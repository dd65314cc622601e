"""Tests of ``custview_pipeline.flows.index_rows``: what several batches bring is stored once."""

from types import SimpleNamespace

import polars as pl

from custview_pipeline.contracts.match_index import CLAIMS, TOKENS, VALUE_PARTS, Generation, IndexPart
from custview_pipeline.contracts.standardised_record import FEATURE_TEXTS
from custview_pipeline.flows.index_rows import IndexRows, store_index
from custview_pipeline.protection.neighbourhoods import neighbourhoods
from custview_pipeline.protection.tokens import Tokeniser

GENERATION = Generation("names=1", 1).name
TOKENISER = Tokeniser(bytes(32), 1)


def keys_of(*families):
    features = pl.DataFrame([{"family": family} for family in families], schema=FEATURE_TEXTS)
    return neighbourhoods(features, TOKENISER, rule_version="1")


def batch(*families):
    near = {part: keys_of() for part in VALUE_PARTS} | {IndexPart.NEIGHBOURHOODS: keys_of(*families)}
    return {GENERATION: IndexRows(pl.DataFrame(schema=TOKENS), near, pl.DataFrame(schema=CLAIMS))}


def stored(*batches):
    """Return the neighbourhood keys that a commit is given, in order."""
    parts = {}
    commit = SimpleNamespace(add_index=lambda part, frame, *, generation: parts.update({(generation, part): frame}))
    store_index(commit, batches)
    return parts[GENERATION, IndexPart.NEIGHBOURHOODS].sort("token", "key", "part")


def test_the_keys_of_a_value_that_several_batches_have_are_stored_once():
    found = stored(batch("kramer", "winterbourne"), batch("kramer", "o", "quenneville"), batch(), batch("winterbourne", "kramer"))

    assert found.equals(keys_of("kramer", "o", "quenneville", "winterbourne").sort("token", "key", "part"))


def test_no_values_give_no_keys():
    assert stored(batch(), batch("")).is_empty()
