"""Languages by code, tag and name."""

import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custview_pipeline.standardisation.codes.languages import read_language
from custview_pipeline.standardisation.reading import Reading


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("eng", "en"),
        ("English", "en"),
        ("英语", "en"),
        ("英文", "en"),
        ("en-GB", "en"),
        ("en_US.UTF-8", "en"),
        ("zh-CN", "zh"),
        ("zh-Hans-CN", "zh"),
        ("zho", "zh"),
        ("chi", "zh"),
        ("cmn", "zh"),
        ("Chinese (Simplified)", "zh"),
        ("Mandarin", "zh"),
        ("中文", "zh"),
        ("中文(简体)", "zh"),
        ("普通话", "zh"),
        ("zh-yue", "yue"),
        ("粤语", "yue"),
        ("Cantonese", "yue"),
        ("ger", "de"),
        ("Deutsch", "de"),
        ("Français", "fr"),
        ("FRENCH", "fr"),
        ("Español", "es"),
        ("Portuguese (Brazil)", "pt"),
        ("日本語", "ja"),
        ("日文", "ja"),
        ("한국어", "ko"),
        ("韩语", "ko"),
        ("русский", "ru"),
        ("Greek", "el"),
        ("iw", "he"),
        ("Filipino", "fil"),
        ("haw", "haw"),
    ],
)
def test_a_language_is_its_primary_subtag_however_it_is_written(text, code):
    (reading,) = read_language(text)

    assert (reading.value, reading.comparable, reading.rule) == (code, code, None)


@pytest.mark.parametrize("text", ["mul", "qqq", "12", "EN / FR", "Elvish of the woods", "i-default", "E"])
def test_what_is_no_language_is_kept(text):
    (reading,) = read_language(text)

    assert (reading.value, reading.feature, reading.rule) == (text, None, "not_a_language")


@pytest.mark.parametrize("text", ["und", "ZXX", "mis"])
def test_a_code_for_no_language_told_gives_no_value(text):
    assert read_language(text)[0] == Reading(None, rule="placeholder")


def test_every_language_of_two_letters_is_known_by_its_codes_and_its_english_name():
    for language in pycountry.languages:
        if code := getattr(language, "alpha_2", None):
            assert {read_language(text)[0].value for text in (code, language.alpha_3, language.name)} == {code}


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=12), st.from_regex(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,4}){0,2}", fullmatch=True)))
def test_reading_a_language_again_changes_nothing(text):
    (first,) = read_language(text)
    assert first.value is None or read_language(first.value) == (first,)
