"""When a delivery has to wait for a person; what refuses one is tested with the tally."""

import pytest

from custview_pipeline.validation.gate import reason_to_hold
from custview_pipeline_tests.validation.batches import a_contract


@pytest.mark.parametrize(
    ("deleted", "absent", "known", "share", "held"),
    [
        (0, 0, 0, 0.2, False),
        (4, 4, 5, 0.2, False),
        (9, 9, 10, 0.2, False),
        (10, 10, 11, 0.2, True),
        (10, 10, 50, 0.2, False),
        (11, 11, 50, 0.2, True),
        (11, 0, 50, 0.2, True),
        (11, 11, 50, 0.5, False),
        (10, 10, 1000, 0.0, True),
        (1, 1, 1, 0.2, True),
        (5, 5, 5, 1.0, True),
        (1, 0, 1, 0.2, False),
        (99, 99, 100, 1.0, False),
    ],
)
def test_a_delivery_that_would_delete_a_large_share_of_what_is_known_is_held(deleted, absent, known, share, held):
    contract = a_contract(max_deleted_share=share)
    reason = reason_to_hold(contract, deleted_count=deleted, absent_count=absent, known_count=known)
    assert (reason is not None) is held


def test_the_reason_tells_how_many_of_how_many():
    told = reason_to_hold(a_contract(max_deleted_share=0.05), deleted_count=312, absent_count=300, known_count=1000)
    assert told == ("shop: 312 of 1000 known records (31.2%) would be deleted, more than the 5.0% that the contract allows")
    told = reason_to_hold(a_contract(), deleted_count=3, absent_count=3, known_count=3)
    assert told == "shop: all 3 known records would be deleted, for the snapshot holds none of them"
