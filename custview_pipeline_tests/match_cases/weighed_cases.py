"""What the matcher says of the labelled pairs: decision, weight and words, by the packaged prior model."""

from typing import Final

import polars as pl

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.contracts.match_features import FEATURES
from custview_pipeline.contracts.rulebook import Rulebook
from custview_pipeline.flows.match_state import settings_of
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.evidence import weigh
from custview_pipeline.matching.found import MATCH, NO_MATCH, POSSIBLE_MATCH
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline.matching.setup import Frozen
from custview_pipeline_tests.factories import TOKENISER, neighbours_of, tokens
from custview_pipeline_tests.match_cases.labelled_cases import FOLDER, record_ids

LIST_SIZE: Final = 100_000
"""Records of the customer list that the pairs are thought to be part of: it decides the starting odds and what is rare."""

_ANSWERS: Final = {MATCH: "match", POSSIBLE_MATCH: "possible", NO_MATCH: "no_match"}
_HALF_BITS: Final = 2


def weighed(cases: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Return one row a case: case_id, decision (match, possible, no_match), weight (half bits), rule, words.

    The words are those of each comparison that has something to say, in the order of the comparisons; null where none has.

    Args:
        cases: What ``read_cases`` returns.
        texts: The features of their records, as ``standardised`` makes them.
    """
    ids = record_ids(cases)
    frequencies = common_values()
    known = {kind: Frozen(packaged_model(kind, COMPARISONS[kind], LIST_SIZE), frequencies) for kind in EntityType}
    found = weigh(tokens(texts), neighbours_of(texts), ids.select("left_id", "right_id"), settings_of(Rulebook()), known)
    said = found.comparisons.group_by("left_id", maintain_order=True)
    words = said.agg(words=pl.col("meaning").str.join("; "))
    answers = ids.join(found.pairs, on="left_id", validate="1:1").join(words, on="left_id", how="left")
    return answers.sort("left_id").select(
        "case_id",
        pl.col("decision").replace_strict(_ANSWERS),
        (pl.col("weight") * _HALF_BITS).round().cast(pl.Int64) / _HALF_BITS,
        "rule",
        "words",
    )


def common_values() -> Frequencies:
    """Return the shares of ``common_values.csv`` as a model version freezes them; any other value is rare."""
    values = pl.read_csv(FOLDER / "common_values.csv")
    counted = [
        part.select("feature", token=_tokens(feature, part["value"]), share="share")
        for (feature,), part in values.partition_by("feature", as_dict=True, maintain_order=True).items()
    ]
    records = pl.DataFrame({"feature": ["records"], "token": [0], "share": [float(LIST_SIZE)]})
    return Frequencies.from_frame(pl.concat([records, *counted]))


def _tokens(feature: str, values: pl.Series) -> pl.Series:
    field = FEATURES[feature].token_field
    assert field is not None
    return TOKENISER.tokens(field, values, rule_version="1")
