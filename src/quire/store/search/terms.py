"""The terms of documents and queries of the full-text search, the same on every database.

A term is a word, two words joined by a symbol (`node.js` has `node`, `js` and `node_js`), or two adjacent
characters of a script that does not separate words.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

from quire.declare.text_segmentation import Word, words

MAX_LENGTH = 100
"""Characters of a word that are significant: PostgreSQL's lexemes have up to 2 KB."""
MAX_BYTES = 700_000
"""The size of all different terms of a document: a tsvector has at most 1 MB, including positions."""
MAX_WORDS, MAX_TERMS = 20, 40
"""The limits of a query."""
_WORD = re.compile("[a-z0-9]+")
_SIGNS = "".join(one for one in map(chr, range(0x21, 0x7F)) if not one.isalnum())
_LOWER = "".join(one.lower() if one.isprintable() else " " for one in map(chr, range(0x80)))
"""In ASCII: a word, what may surround it, and each character in lower case, with control characters as spaces."""


class Term(NamedTuple):
    """A term that a document must contain; with `prefix`, as the beginning of one."""

    text: str
    prefix: bool = False


def document_terms(text: str) -> list[str]:
    """Return the terms of a text, in order and as often as they occur."""
    terms = _ascii_terms(text) if text.isascii() else _terms(text)
    return terms if len(text) < MAX_BYTES // 20 else _truncate(terms)


def _terms(text: str) -> list[str]:
    terms: list[str] = []
    for _, run in groupby(words(text), lambda word: word.run):
        terms += _terms_of_run(run)
    return terms


def _ascii_terms(text: str) -> list[str]:
    """Do the same for most texts, in a fraction of the time."""
    terms: list[str] = []
    for run in text.translate(_LOWER).split():
        if run.isalnum():
            terms.append(run[:MAX_LENGTH])
        elif (word := run.strip(_SIGNS)).isalnum():
            terms.append(word[:MAX_LENGTH])
        else:
            terms += _ascii_terms_of_run(word)
    return terms


def _ascii_terms_of_run(run: str) -> Iterator[str]:
    texts = [word[:MAX_LENGTH] for word in _WORD.findall(run)]
    yield from texts[:1]
    for before, word in pairwise(texts):
        yield word
        yield f"{before}_{word}"


def _terms_of_run(run: Iterable[Word]) -> list[str]:
    terms: list[str] = []
    before: str | None = None
    for word in run:
        if word.unspaced:
            terms += _neighbours(word.text)
            before = None
            continue
        text = word.text[:MAX_LENGTH]
        terms += [text] if before is None else [text, f"{before}_{text}"]
        before = text
    return terms


def _neighbours(text: str) -> list[str]:
    """Return every pair of adjacent characters, and the last one, so that each begins a term."""
    return [text[i : i + 2] for i in range(len(text))]


def _truncate(terms: list[str]) -> list[str]:
    room = MAX_BYTES
    unique: set[str] = set()
    for term in dict.fromkeys(terms):
        room -= len(term.encode()) + 8
        if room < 0:
            break
        unique.add(term)
    return [term for term in terms if term in unique]


def query_terms(text: str) -> list[Term]:
    """Return the terms that a document must contain for this query; the last word may be a beginning."""
    all_words = list(words(text))
    terms: list[Term] = []
    for (_, unspaced), some in groupby(
        all_words[:MAX_WORDS], lambda word: (word.run, word.unspaced)
    ):
        texts = [word.text[:MAX_LENGTH] for word in some]
        terms += _unspaced_terms(texts) if unspaced else _spaced_terms(texts)
    if terms and len(all_words) <= MAX_WORDS and not all_words[-1].unspaced:
        terms[-1] = terms[-1]._replace(prefix=True)
    return list(dict.fromkeys(terms))[:MAX_TERMS]


def _spaced_terms(texts: list[str]) -> list[Term]:
    if len(texts) == 1:
        return [Term(texts[0])]
    return [Term(f"{one}_{next}") for one, next in pairwise(texts)]


def _unspaced_terms(texts: list[str]) -> list[Term]:
    return [
        Term(pair) for text in texts for pair in (_neighbours(text)[:-1] if len(text) > 1 else [])
    ] + [Term(text, prefix=True) for text in texts if len(text) == 1]


def fts5_query(terms: list[Term]) -> str:
    """Return the terms in the syntax of FTS5: https://www.sqlite.org/fts5.html#full_text_query_syntax."""
    return " ".join(f'"{one.text}"{"*" if one.prefix else ""}' for one in terms) or '""'


def tsquery(terms: list[Term]) -> str:
    """Return the terms in the syntax of PostgreSQL's tsquery; no document contains `#`."""
    return " & ".join(f"'{one.text}'{':*' if one.prefix else ''}" for one in terms) or "'#'"


def has_terms(title: str, body: str, query: str) -> bool:
    """Whether a document contains all terms of `query`, which is in the syntax of FTS5."""
    document = f" {title} {body} "
    return all(
        f" {term[1:-2]}" in document if term[-1] == "*" else f" {term[1:-1]} " in document
        for term in query.split(" ")
    )
