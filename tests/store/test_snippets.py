"""Snippets show the original text, with the words of the query marked in it."""

import pytest

from quire.store.snippets import LENGTH, PIECE, Highlighter


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
        ("b", '<b>&"b"</b>', '&lt;<mark>b</mark>&gt;&amp;"<mark>b</mark>"&lt;/<mark>b</mark>&gt;'),
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
def test_the_part_with_the_word_is_shown(before):
    text = "other words " * (before // 12) + "a needle " + "and more " * 100
    snippet = Highlighter("needle").snippet(text)
    assert "<mark>needle</mark>" in snippet
    assert snippet.startswith("…") == (before > 0) and snippet.endswith("…")
    assert len(snippet) < LENGTH + len("<mark></mark>……") + 40


def test_a_text_without_spaces_is_cut_too():
    snippet = Highlighter("終").snippet("天" * 1000 + "終" + "地" * 1000)
    assert "<mark>終</mark>" in snippet and len(snippet) < LENGTH + 60


def test_all_words_are_marked_where_the_first_stands_at_the_end_of_a_piece():
    for place in range(PIECE - 250, PIECE + 250, 10):
        text = "x " * (place // 2) + "kite " * 10 + "y " * 300
        assert Highlighter("kite").snippet(text).count("<mark>") == 10, place
