"""Snippets show the original text, with the words of the query marked in it."""

import pytest

from quire.store.search.snippets import (
    FIRST_LENGTH,
    LENGTH,
    PIECE,
    Highlighter,
    beginnings,
    plain_text,
)


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("TCP/IP", "ip, tcp, *TCP*/IP", "ip, tcp, <mark>TCP/IP</mark>"),
        ("cafe", "Ein Café & cafe\u0301s", "Ein <mark>Café</mark> &amp; <mark>cafe\u0301s</mark>"),
        ("strasse", "Die Straße", "Die <mark>Straße</mark>"),
        ("天気", "今日は天気がいい", "今日は<mark>天気</mark>がいい"),
        ("気", "今日は天気", "今日は天<mark>気</mark>"),
        ("ガイド", "ガイドブック", "<mark>ガイド</mark>ブック"),
        ("Python入門", "Python 入門書", "<mark>Python</mark> <mark>入門</mark>書"),
        ("3.11", "3 of 11: 3.11", "3 of 11: <mark>3.11</mark>"),
        ("glue st", "glues, glue, sticks", "glues, <mark>glue</mark>, <mark>sticks</mark>"),
        ("👍", "ok 👍🏽!", "ok <mark>👍</mark>🏽!"),
        ("b", 'b < c & "b"', '<mark>b</mark> &lt; c &amp; "<mark>b</mark>"'),
        ("nothing", "# Head\n\n> quoted _em_ snake_case [link](https://example.org) | cell",
         "Head quoted em snake_case link cell"),
        ("nothing", "- one\n* two\n  + three\n1. four\n20) five\n> - six\n- [x] seven\n- [ ] eight\n\n---\n-5 - 3.5",
         "one two three four five six seven eight -5 - 3.5"),
        ("nothing", "a | b\n--|:-:\n1.5 | 2\n\nTitle\n=====", "a b 1.5 2 Title"),
        ("-", "signs alone", "signs alone"),
        ("x", "", ""),
    ],
)  # fmt: skip
def test_words_are_marked(query, text, expected):
    assert Highlighter(query).snippet(text) == expected


@pytest.mark.parametrize("before", [0, 200, 1490, 1500, 30_000, 250_000])
def test_snippet_shows_the_part_with_the_word(before):
    text = "other words " * (before // 12) + "a needle " + "and more " * 100
    snippet = Highlighter("needle").snippet(text)
    assert "<mark>needle</mark>" in snippet
    assert snippet.startswith("…") == (before > 0) and snippet.endswith("…")
    assert len(snippet) < LENGTH + len("<mark></mark>……") + 40


@pytest.mark.parametrize("before", [0, 4000, 4090, 33_000, 250_000])
def test_snippet_does_not_depend_on_line_breaks(before):
    after = "a needle " + "and more " * 100
    in_lines, in_one = ("other words, " + end for end in ("\n", " "))
    of_lines = Highlighter("needle").snippet(in_lines * (before // 14) + after)
    of_one = Highlighter("needle").snippet(in_one * (before // 14) + after)
    assert of_lines == of_one and "<mark>needle</mark>" in of_one


def test_short_beginning_of_a_long_text_is_read_first():
    text = "other words\n" * 20_000
    parts = list(beginnings(text))
    assert len(parts[0]) < 2 * FIRST_LENGTH and parts[-1] == text
    assert sum(map(len, parts)) < 1.2 * len(text)
    assert all(text.startswith(part + "\n") for part in parts[:-1])
    assert list(beginnings("short")) == ["short"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("_em_", "em"), ("snake_case", "snake_case"), ("a__b", "ab"), ("__a__ b_", "a b"),
     ("*_`~x~`_*", "x"), ("_é_ü_", "é_ü"), ("a_ _b", "a b"), ("_" * 5, "")],
)  # fmt: skip
def test_underscores_stay_only_within_words(text, expected):
    assert Highlighter("q").snippet(text) == expected


def test_text_without_spaces_is_shortened():
    snippet = Highlighter("終").snippet("天" * 1000 + "終" + "地" * 1000)
    assert "<mark>終</mark>" in snippet and len(snippet) < LENGTH + 60


def test_words_are_marked_across_the_end_of_a_piece():
    for place in range(PIECE - 250, PIECE + 250, 10):
        text = "x " * (place // 2) + "kite " * 10 + "y " * 300
        assert Highlighter("kite").snippet(text).count("<mark>") == 10, place


def test_invisible_markup_is_not_in_a_snippet():
    text = """![A cat](/uploads/abc.png "Tom") on [a mat](../mats) <b class="x">here</b>, 1 < 2 and 3 > 2.
```py
purr = True
```
Well[^1] (an aside)

[^1]: A note.
[mats]: https://example.org/mats
<figure><img src="x.png"></figure>
"""
    assert plain_text(text) == (
        "A cat on a mat here, 1 < 2 and 3 > 2. purr = True Well (an aside) A note."
    )
