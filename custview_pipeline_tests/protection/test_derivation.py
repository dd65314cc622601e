"""Tests of ``custview_pipeline.protection.derivation``."""

from hypothesis import assume, given
from hypothesis import strategies as st

from custview_pipeline.protection.derivation import derive_key, length_prefixed

parts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=4)


@given(parts, parts)
def test_different_parts_never_give_the_same_bytes(left, right):
    assume(left != right)

    assert length_prefixed(*left) != length_prefixed(*right)


def test_a_derived_key_depends_on_master_label_and_context():
    master = bytes(range(32))
    keys = [derive_key(master, "a"), derive_key(bytes(32), "a"), derive_key(master, "b"), derive_key(master, "a", "x")]

    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {32}
    assert derive_key(master, "a", "x", 1) == derive_key(master, "a", "x", 1)
