"""Tests of ``custview_pipeline.kernel.identifiers``."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from custview_pipeline.kernel.errors import UnknownCustomer
from custview_pipeline.kernel.identifiers import (
    CHECK_ALPHABET,
    CROCKFORD_ALPHABET,
    check_character,
    group_cuid,
    is_cuid,
    parse_cuid,
)

payloads = st.text(CROCKFORD_ALPHABET, min_size=16, max_size=16)


def cuid_of(payload):
    return f"CU{payload}{check_character(payload)}"


@given(st.text(CHECK_ALPHABET, min_size=1))
def test_the_check_character_is_that_of_iso_7064(payload):
    assert check_character(payload) == mod_37_36.calc_check_digit(payload)


@given(payloads)
def test_a_grouped_cuid_reads_back(payload):
    cuid = cuid_of(payload)

    assert is_cuid(cuid)
    assert parse_cuid(group_cuid(cuid)) == cuid


@given(payloads)
def test_case_spaces_and_letters_that_look_like_digits_do_not_matter(payload):
    cuid = cuid_of(payload)
    typed = cuid.replace("0", "o").replace("1", "l").lower()

    assert parse_cuid(f" {typed[:5]}-{typed[5:]} ") == cuid


@given(payloads, st.integers(0, 15), st.sampled_from(CROCKFORD_ALPHABET))
def test_one_wrong_character_is_noticed(payload, place, letter):
    wrong = payload[:place] + letter + payload[place + 1 :]
    # Where the true check character looks like the wrong one, both spellings are read alike, and the payload decides.
    alike = str.maketrans("OIL", "011")
    if wrong == payload or check_character(wrong).translate(alike) == check_character(payload).translate(alike):
        return

    with pytest.raises(UnknownCustomer, match="check character"):
        parse_cuid(f"CU{wrong}{check_character(payload)}")


@pytest.mark.parametrize("text", ["", "CU", "Ada Lovelace", "CU" + "U" * 17, "CX" + "0" * 17, "CU" + "0" * 16])
def test_what_is_no_cuid_is_refused_without_being_repeated(text):
    with pytest.raises(UnknownCustomer) as refusal:
        parse_cuid(text)

    assert not is_cuid(text)
    assert len(text) < 3 or text not in str(refusal.value)


def test_a_grouped_cuid_is_easy_to_read():
    cuid = cuid_of("4F2K9Q7M1XYZ0ABC")

    assert group_cuid(cuid) == f"CU 4F2K-9Q7M-1XYZ-0ABC-{cuid[-1]}"
