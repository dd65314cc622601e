"""Labels of United States addresses: those of usaddress, one by one and many at once."""

import polars as pl
import pytest
import usaddress
from hypothesis import given
from hypothesis import strategies as st

from custview_pipeline.standardisation.addresses.us_addresses import label_tokens
from custview_pipeline.standardisation.addresses.us_labels import label_lines, load_model
from custview_pipeline.standardisation.text import word_set
from custview_pipeline_tests.standardisation.addresses.labelled import read_labelled

_TOKENS = st.sampled_from(
    sorted(
        word_set(
            """12 1050 700 N. South Main Oak 5th St Ave. Apt Suite #4B # & PO Box 77 Springfield, IL NY 62704 62704-1234
            62704-1230,     (rear) RR and ½ c/o St., Étage A-1 45-10 N6W23001 1/2 12-3456
            00501 11111-1111 99801; &amp; &#38; USA 3000. O'Brien ) ( ,
    corner of Hwy"""
        )
    )
)
_LINES = st.lists(_TOKENS, min_size=1, max_size=12).map(" ".join)
_WILD = st.text(st.sampled_from("0123456789 NSabceirtv.,;#&()-/'\"½é\n"), max_size=40)


def label_many(lines):
    found = label_lines(pl.DataFrame({"code": pl.Series(range(len(lines)), dtype=pl.UInt32), "line": lines}))
    labels = load_model().labels
    return {
        code: [(token, labels[label]) for token, label in zip(tokens, numbers, strict=True)]
        for code, tokens, numbers in found.group_by("code").agg("token", "label").iter_rows()
    }


@given(st.one_of(_LINES, _WILD))
def test_one_line_is_labelled_as_usaddress_does(line):
    assert label_tokens(line) == usaddress.parse(line)


@given(st.lists(st.one_of(_LINES, _WILD), min_size=1, max_size=30))
def test_many_lines_are_labelled_as_usaddress_does(lines):
    for code, labelled in label_many(lines).items():
        assert labelled == usaddress.parse(lines[code])


def test_a_line_is_labelled_alike_alone_and_in_company():
    lines = [
        f"{number} {word} St{end} {place} {number * 7919 % 99999:05}"
        for number in (1, 40, 1200)
        for word in ("Oak", "5th", "N", "South Fork")
        for end in ("", ".", ",", ", Apt 4,")
        for place in ("Reno NV", "New York, NY", "X")
    ]
    together = label_many(lines)
    assert together == {code: label_many([line])[0] for code, line in enumerate(lines)}


def test_the_labelled_addresses_are_labelled_at_least_as_well_as_through_the_library():
    labelled = read_labelled()
    ours = sum([label for _, label in label_tokens(line)] == labels for line, labels in labelled)
    library = sum([label for _, label in usaddress.parse(line)] == labels for line, labels in labelled)
    assert len(labelled) > 900
    assert ours >= library > 0.9 * len(labelled)


def test_the_addresses_that_the_library_must_label_rightly_are_labelled_rightly():
    for line, labels in read_labelled("simple_address_patterns.xml"):
        assert [label for _, label in label_tokens(line)] == labels


def test_nearly_all_labelled_addresses_are_labelled_together_and_just_as_the_library_does():
    lines = [line for line, _ in read_labelled()]
    together = label_many(lines)
    assert len(together) > 0.97 * len(lines)
    assert all(labelled == usaddress.parse(lines[code]) for code, labelled in together.items())


@pytest.mark.parametrize("line", ["", " , ", "12 Étage St, Reno NV", "½", " ".join(["12"] * 40)])
def test_what_is_not_plain_or_too_long_is_left_to_the_library(line):
    assert label_many([line]) == {}
    assert label_tokens(line) == usaddress.parse(line)


def test_a_model_of_another_format_is_refused(monkeypatch, tmp_path):
    (tmp_path / "model").write_bytes(b"lCRF" + bytes(60))
    monkeypatch.setattr(usaddress, "MODEL_FILE", str(tmp_path / "model"))
    with pytest.raises(ValueError, match="another format"):
        load_model.__wrapped__()
