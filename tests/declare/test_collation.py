"""Sort keys order texts as people expect in an index."""

import random

import pytest

from quire.declare import collation
from quire.declare.collation import LENGTH, sort_key

INDEX = [
    "=HYPERLINK(1)", "(in brackets)", "007", "9 tips", "10 tips", "100% wool", "Äpfel im Schlafrock",
    "apple", "Apple 2", "apple 10", "apple pie", "back slash", "back\\slash", "Banana bread",
    "cherry tart", "ÉCLAIR", "eclairs", "egg", "Łódź", "lumen", "Øre", "Straße", "strasser",
    "under_score", "Zebra", "ζῷον", "яблоко", "ไทย", "がぎ", "今日",
]  # fmt: skip


def test_sort_keys_order_an_index_of_many_scripts():
    shuffled = random.Random(1).sample(INDEX, len(INDEX))
    assert sorted(shuffled, key=sort_key) == INDEX


@pytest.mark.parametrize(
    ("one", "other"),
    [("apple", "APPLE"), ("Café", "Cafe\u0301"), ("ﬁne", "FINE"), ("straße", "STRASSE"),
     ("İ", "i"), ("ｶﾞ", "ガ"), ("a\tb", "a\tb")],
)  # fmt: skip
def test_texts_that_differ_only_in_form_have_one_key(one, other):
    assert sort_key(one) == sort_key(other)


def test_sort_key_has_a_maximum_length():
    assert len(sort_key("1" * 500)) == len(sort_key("\ufdfa" * 500)) == LENGTH


def test_ascii_folding_equals_general_folding():
    characters = random.Random(1)
    for length in (0, 1, 2, 3, 10, 60) * 50:
        text = "".join(characters.choices("ab Z09 .-\t\n\0\x1f\x7f!^`+$_", k=length))
        assert collation._fold_ascii(text) == collation._fold(text), text
