"""Snippets of search results: the part of a text that contains the words, as HTML with <mark>."""

import html
import re
from collections.abc import Iterator

from quire.declare.text_segmentation import Word, fold, words

BEFORE, LENGTH = 60, 200
"""Characters before the first mark, and in total."""
PIECE, MAX_PIECES = 500, 48
"""The length of the pieces in which a text is scanned, and how many are examined closely."""
FIRST_LENGTH = 4096
"""The length of a long text's beginning that is examined first."""
LINK_TARGET = re.compile(r"\(https?://[^()\s]{0,2000}\)")
_INVISIBLE = re.compile(
    r"(?<=\])\([^()\n]{0,2000}\)|!(?=\[)|</?[A-Za-z][^<>\n]{0,2000}>|\[\^[^\]\s]{1,50}\]:?"
    r"|^[ ]{0,3}(?:(?:```|~~~)[^\n]*|\[[^\]\n]{1,200}\]:[^\n]*)$",
    re.MULTILINE,
)
"""What readers never see: targets of links and images, tags, footnote marks, code fences."""
_LINE_START = re.compile(
    r"^(?:[ \t]*(?:[#>]|(?:[-+*]|\d{1,9}[.)])(?=[ \t])))+(?:[ \t]*\[[ xX]\](?=[ \t]))?|^[ \t|:=-]+$",
    re.MULTILINE,
)
"""The marks of headings, quotes, lists and tasks, and lines of nothing but marks."""
_MARKUP = re.compile(r"[*`~\[\]_](?:(?<!_)|(?<![^\W_]_)_*|_*(?![^\W_]))")
"""Marks, underscores only at the beginning or end of a word; each begins with a set, which is fast to search for."""
Span = tuple[int, int]


def plain_text(markdown: str) -> str:
    """Return a text on one line without Markdown markup and link targets."""
    text = _MARKUP.sub("", _LINE_START.sub("", _INVISIBLE.sub("", LINK_TARGET.sub("", markdown))))
    return " ".join(text.replace("|", " ").split())


def beginnings(text: str) -> Iterator[str]:
    """Yield ever longer beginnings of a text, in whole lines; all of it last."""
    length = FIRST_LENGTH
    while (end := text.find("\n", length)) >= 0:
        yield text[:end]
        length = end * 8
    yield text


class Highlighter:
    """Marks the words of a query in texts; the last one may be the beginning of a longer word."""

    def __init__(self, query: str):
        self._query_words = list(words(query))
        self._phrases = [
            [word for word in self._query_words if word.run == run]
            for run in dict.fromkeys(word.run for word in self._query_words)
        ]

    def mark(self, text: str) -> str:
        """Return a short text in full, as HTML with the words of the query marked."""
        return _mark_words(text, 0, len(text), sorted(self._spans(list(words(text)))))

    def snippet(self, text: str) -> str:
        """Return the first part of Markdown that contains words of the query, or else its beginning."""
        for beginning in beginnings(text):
            plain = plain_text(beginning)
            spans = self._first_spans(plain)
            if spans and len(plain) - spans[0][0] > PIECE + LENGTH:
                break
        start = _word_start(plain, max(spans[0][0] - BEFORE, 0)) if spans else 0
        end = len(plain) if len(plain) - start <= LENGTH else _word_end(plain, start + LENGTH)
        marked_text = _mark_words(plain, start, end, [span for span in spans if span[1] <= end])
        return f"{'…' if start else ''}{marked_text}{'…' if end < len(plain) else ''}"

    def _first_spans(self, plain: str) -> list[Span]:
        """Return where words of the query occur in the first piece that contains any."""
        piece_count = 0
        for start in range(0, len(plain), PIECE):
            # pieces overlap, since a word may span the end of one
            piece = plain[start : start + PIECE + LENGTH]
            folded = fold(piece)
            if piece_count < MAX_PIECES and any(word.text in folded for word in self._query_words):
                piece_count += 1
                spans = sorted(self._spans(list(words(piece))))
                # what begins in the overlap is found in the next piece, with what follows it
                if spans and spans[0][0] < PIECE:
                    return [(start + first, start + last) for first, last in spans]
        return []

    def _spans(self, text_words: list[Word]) -> Iterator[Span]:
        for phrase in self._phrases:
            if any(word.unspaced for word in phrase):
                yield from (span for one in phrase for span in self._occurrences(one, text_words))
            else:
                yield from self._sequences(phrase, text_words)

    def _occurrences(self, query_word: Word, text_words: list[Word]) -> Iterator[Span]:
        """Return the positions of a word in a script without spaces, also inside longer ones."""
        for word in text_words:
            place = word.text.find(query_word.text) if query_word.unspaced else -1
            while place >= 0:
                start = word.start + place
                yield start, min(start + len(query_word.text), word.end)
                place = word.text.find(query_word.text, place + len(query_word.text))
            if not query_word.unspaced and self._is(query_word, word):
                yield word.start, word.end

    def _sequences(self, phrase: list[Word], text_words: list[Word]) -> Iterator[Span]:
        """Return the positions where the words of a phrase follow each other."""
        for i in range(len(text_words) - len(phrase) + 1):
            window = text_words[i : i + len(phrase)]
            if all(map(self._is, phrase, window)):
                yield window[0].start, window[-1].end

    def _is(self, query_word: Word, word: Word) -> bool:
        if query_word is self._query_words[-1]:
            return word.text.startswith(query_word.text)
        return word.text == query_word.text


def _word_start(text: str, place: int) -> int:
    """Return the start of the next word after `place`; `place` itself if no space is near."""
    space = text.find(" ", max(place - 1, 0), place + BEFORE // 2) if place else -1
    return space + 1 if space >= 0 else place


def _word_end(text: str, place: int) -> int:
    space = text.rfind(" ", place - BEFORE // 2, place + 1)
    return space if space > 0 else place


def _mark_words(text: str, start: int, end: int, spans: list[Span]) -> str:
    parts, place = [], start
    for first, last in spans:
        if first < place:  # overlapping words
            continue
        parts.append(html.escape(text[place:first], quote=False))
        parts.append(f"<mark>{html.escape(text[first:last], quote=False)}</mark>")
        place = last
    return "".join([*parts, html.escape(text[place:end], quote=False)])
