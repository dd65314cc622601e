"""Fields that go together: what says the same twice counts once."""

import numpy as np
import pytest

from custview_pipeline.contracts.attributes import EntityType
from custview_pipeline.matching.comparisons import COMPARISONS
from custview_pipeline.matching.frequencies import Frequencies
from custview_pipeline.matching.neighbours import find_neighbours
from custview_pipeline.matching.pairs import Compared, Pairs
from custview_pipeline.matching.priors import packaged_model
from custview_pipeline.matching.records import Records
from custview_pipeline_tests.factories import features, neighbours_of, person, tokens

PERSON = COMPARISONS[EntityType.PERSON]
ADA = {"given": "ada", "family": "winterbourne"}
NONE = np.empty(0, np.int64)


def compared(one, other):
    """Return the level of each comparison of two people, silent ones left out, and their weight in a packaged model."""
    texts = features(person(**one), person(**other))
    records = Records.of(tokens(texts), EntityType.PERSON)
    pair = Pairs(
        Compared(records, find_neighbours(neighbours_of(texts), NONE), Frequencies.of(records)), np.array([0]), np.array([1])
    )
    levels = [int(comparison.compare(pair)[0]) for comparison in PERSON]
    pattern = sum(level << (4 * place) for place, level in enumerate(levels))
    weight = packaged_model(EntityType.PERSON, PERSON).weights(np.array([pattern]))[0]
    return {each.name: level for each, level in zip(PERSON, levels, strict=True) if level}, float(weight)


HOME = {"house_number": "12", "street": "alder"}


@pytest.mark.parametrize(
    ("alone", "besides", "silent"),
    [
        pytest.param({**ADA, **HOME, "postal_code": "20001"}, {"city": "springfield"}, None, id="city beside postal code"),
        pytest.param({**ADA, **HOME, "city": "springfield"}, {"postal_code": "20001"}, None, id="postal code beside city"),
        pytest.param(ADA, {"gender": "female"}, "gender", id="gender beside given name"),
        pytest.param(
            ADA, {"email": "ada.winterbourne@example.org", "is_email_from_name": True}, "email", id="e-mail from the name"
        ),
    ],
)
def test_what_follows_from_another_field_adds_nothing_where_both_agree(alone, besides, silent):
    other = {**alone, **besides}
    if silent == "email":  # the same local part at another mailbox: it is made of the name on both sides
        other |= {"email": "ada.winterbourne@example.com"}

    levels, weight = compared({**alone, **besides}, other)

    assert (levels, weight) == compared(alone, alone)


def test_where_given_names_differ_the_gender_speaks():
    levels, _ = compared({**ADA, "gender": "female"}, {"given": "otto", "family": "winterbourne", "gender": "male"})

    assert levels["gender"] == 2


def test_a_postal_code_alone_is_worth_less_than_the_whole_address():
    _, code = compared({**ADA, "postal_code": "20001"}, {**ADA, "postal_code": "20001"})
    _, whole = compared({**ADA, **HOME, "postal_code": "20001"}, {**ADA, **HOME, "postal_code": "20001"})

    assert whole > code
