"""Normalised text: invisible characters are removed unless scripts or emoji need them."""

import unicodedata

import pytest

from quire.declare.unicode_text import case_fold, normalize, strip_invisible

FAMILY, SCOTLAND = "\U0001f468\u200d\U0001f469", "\U0001f3f4\U000e0067\U000e0062\U000e007f"


@pytest.mark.parametrize(
    "text",
    [
        "a\u200bb", "ab\u202e", "a\u00adb", "a\ufeffb", "a\u2060b", "a\ufe0fb", "a\u200db", "a\u034fb",
        "\u200dab", "ab\u200f", "a\u200b\u200db", "a\u3164b", "a\U000e0061b", "a\U0001d173b", "a\u2066b\u2069",
    ],
    ids=ascii,
)  # fmt: skip
def test_invisible_characters_are_removed(text):
    assert strip_invisible(text) == "ab"


@pytest.mark.parametrize(
    "text",
    [
        FAMILY, SCOTLAND, "1\ufe0f\u20e3", "\u2764\ufe0f", "\u00a9\ufe0f", "\u0645\u06cc\u200c\u062e",
        "\u0915\u094d\u200d\u0937", "\u8fbb\U000e0100", "\u05e9 C++\u200f", "plain", "",
    ],
    ids=ascii,
)  # fmt: skip
def test_characters_needed_by_scripts_and_emoji_stay(text):
    assert strip_invisible(text) == text


def test_every_text_within_a_value_is_normalized():
    value = {"a": ["e\u0301", {"b": "o\u0308"}], "c": 1, "d": None}
    assert normalize(value) == {"a": ["\u00e9", {"b": "\u00f6"}], "c": 1, "d": None}


@pytest.mark.parametrize(
    ("one", "other"),
    [("C", "c"), ("\u00c9t\u00e9", "e\u0301te\u0301"), ("Stra\u00dfe", "STRASSE"), ("\u03a3", "\u03c2"), ("a\u200bb", "AB")],
    ids=ascii,
)  # fmt: skip
def test_names_that_differ_by_case_have_one_key(one, other):
    assert case_fold(one) == case_fold(other)
    assert unicodedata.is_normalized("NFC", case_fold(one))


def test_case_folded_key_is_at_most_three_times_as_long():
    assert len(case_fold("\ufb03" * 100)) == 300
