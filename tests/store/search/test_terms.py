"""Documents and queries are split into the same terms, whatever the database."""

import random

import pytest

from quire.declare.text_segmentation import fold, words
from quire.store.search import terms as search_terms
from quire.store.search.terms import MAX_BYTES, document_terms, has_terms, query_terms

TEXT = """TCP/IP and/or node.js 18 in /usr/local, see https://www.example.org/a_b?c=d, Python 3.11 of
2024-05-06, Café, cafe\u0301 au lait, README.md, ann@example.org, 978-3-16-148410-0,
+49 (0)30/123-456, C:\\Temp, don't, l’été, snake_case, Straße, Übung, ﬁne, İSTANBUL, ısparta, Łódź,
ΟΔΟΣ, Ёлка, ＡＢＣ／ｄ, ½, Donau\u00addampf, m², word¹, 今日は天気がいい、東京タワー, ｶﾞｲﾄﾞ, ภาษาไทยง่าย,
날씨가 좋다, हिन्दी, שָׁלוֹם, Hi👍🏽 ❤️ 🇩🇪 1️⃣"""


@pytest.mark.parametrize(
    "query",
    [
        "TCP/IP", "tcp", "ip", "tcp ip", "and/or", "node.js", "node js", "usr/local", "local",
        "/usr/local", "example.org", "www.example.org", "example", "3.11", "2024-05-06", "2024",
        "05-06", "cafe", "Café", "CAFE\u0301", "caf", "README.md", "readme", "ann@example.org",
        "978-3-16-148410-0", "123-456", "(0)30", "C:\\Temp", "don't", "don’t", "été", "ete", "l'été",
        "snake_case", "snake", "strasse", "STRASSE", "Straße", "ubung", "fine", "istanbul",
        "İstanbul", "isparta", "Isparta", "lodz", "Łódź", "οδοσ", "οδος", "елка", "abc/d", "½",
        "Donaudampf", "m²", "word", "天気", "今日", "気", "い", "東京", "タワー", "天気がいい", "今日 東京", "ガイド",
        "ไทย", "ง่าย", "날씨", "좋", "हिन्दी", "שלום", "👍", "👍🏽", "👍🏿", "❤", "❤️", "🇩🇪", "1️⃣", "hi",
    ],
)  # fmt: skip
def test_terms_in_the_text_are_found(query):
    terms = set(document_terms(TEXT))
    asked = query_terms(query)
    assert asked
    for term, prefix in asked:
        assert term in terms or (prefix and any(one.startswith(term) for one in terms)), term


@pytest.mark.parametrize(
    "query", ["11.3", "TCP.js", "or/and", "天今日", "京東", "2024-06", "example.js", "🇪🇩", "ampf"]
)
def test_terms_not_in_the_text_are_not_found(query):
    terms = set(document_terms(TEXT))
    assert not all(
        term in terms or (prefix and any(one.startswith(term) for one in terms))
        for term, prefix in query_terms(query)
    )


@pytest.mark.parametrize("query", ["", " ", "---", "…", "()[]{}", "\u200b", "\ufe0f", "'\"`"])
def test_punctuation_alone_has_no_terms(query):
    assert query_terms(query) == [] == document_terms(query)


def test_only_the_last_word_is_a_prefix():
    assert [term.prefix for term in query_terms("one two thr")] == [False, False, True]
    assert query_terms("word " * 30 + "end")[-1].prefix is False


def test_number_of_query_terms_is_bounded():
    assert len(query_terms("天地玄黄宇宙洪荒" * 25)) <= 40
    assert len(query_terms(" ".join(f"w{i}" for i in range(100)))) == 20


def test_document_terms_fit_into_a_tsvector():
    letters = "abcdefghijklmnopqrstuvwxyz"
    text = "-".join(a + b + c for a in letters for b in letters for c in letters * 4)
    terms = set(document_terms(text))
    assert "aaa_aab" in terms
    assert sum(len(term) + 8 for term in terms) <= MAX_BYTES
    assert max(map(len, document_terms("x" * 5000))) == 100


def test_words_have_their_positions_in_the_text():
    text = "Ｅine ﬁne Straße, node.js"
    assert [text[word.start : word.end] for word in words(text)] == [
        "Ｅine", "ﬁne", "Straße", "node", "js",
    ]  # fmt: skip
    assert [word.run for word in words(text)] == [0, 1, 2, 3, 3]


@pytest.mark.parametrize("text", ["Ünïcödé", "ガギグ", "날씨", "ﷺ", "ǅ", "ß", "\U0001f600"])
def test_folding_is_idempotent(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [('"glue"', True), ('"glu"', False), ('"glu"*', True), ('"glue" "stick"*', True), ('"x"', False),
     ('"lue"*', False), ('""', False)],
)  # fmt: skip
def test_document_is_matched_against_a_query(query, expected):
    assert has_terms("glue", "and sticks", query) is expected


def ascii_texts():
    """Texts of any signs, and of signs of which words are made."""
    yield "node.js\x00a_b C3P0\x1f3.11 -x-"
    numbers = random.Random(1)
    for signs in ([chr(code) for code in range(128)], "aB3 ._-'/\n\x1f"):
        for _ in range(500):
            yield "".join(numbers.choices(signs, k=numbers.randrange(60)))


def test_ascii_terms_equal_general_terms():
    for text in ascii_texts():
        assert search_terms._ascii_terms(text) == search_terms._terms(text), text
