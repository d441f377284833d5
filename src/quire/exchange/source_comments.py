"""Removes comments from source text, which authors write for themselves and which must not be public."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(.*)$", re.MULTILINE)
_BACKTICKS = re.compile(r"`+|\n[ \t]*\n")
_RAW = re.compile(r"\{%-?\s*(end)?(?:raw|verbatim)\s*-?%\}")
_MAX_PASSES = 5

Span = tuple[int, int]
IsCode = Callable[[int], bool]


class _CommentSyntax(NamedTuple):
    """How a comment of one kind opens and closes; `counts` is whether an unclosed one is reported."""

    opening: str
    closing: re.Pattern[str]
    counts: bool = True


_KINDS = {
    "html": _CommentSyntax("<!--", re.compile("-->")),
    "liquid": _CommentSyntax(
        r"\{%-?\s*comment\b[^%\n]*%\}", re.compile(r"\{%-?\s*endcomment\b[^%\n]*%\}")
    ),
    "liquid_line": _CommentSyntax(r"\{%-?\s*\#", re.compile(r"%\}"), False),
    "hugo": _CommentSyntax(
        r"\{\{[<%]\s*comment\b[^{}\n]*\}\}", re.compile(r"\{\{[<%]\s*/\s*comment\s*[%>]\}\}")
    ),
    "template": _CommentSyntax(r"\{\{-?\s*/\*", re.compile(r"\*/\s*-?\}\}"), False),
    "tera": _CommentSyntax(r"\{\#(?=-?\s)", re.compile(r"\#\}"), False),
    "tera_short": _CommentSyntax(r"\{\#(?=[^{}\n]*\#\})", re.compile(r"\#\}"), False),
    "kramdown": _CommentSyntax(r"\{::comment\}", re.compile(r"\{:/(?:comment)?\}")),
    "jsx": _CommentSyntax(r"\{/\*", re.compile(r"\*/\}"), False),
    "handlebars": _CommentSyntax(r"\{\{!--", re.compile(r"--\}\}"), False),
    "erb": _CommentSyntax(r"<%\#", re.compile("%>"), False),
    "obsidian": _CommentSyntax(r"(?<![%\w])%%(?=[^%\n]+%%(?![%\w]))", re.compile("%%"), False),
    "obsidian_block": _CommentSyntax(r"^%%[ \t]*$", re.compile(r"^%%[ \t]*$", re.MULTILINE), False),
    "link": _CommentSyntax(r"^\[(?://|comment)\]:", re.compile(r"$", re.MULTILINE)),
}
_OPENING = re.compile(
    "|".join(f"(?P<{name}>{kind.opening})" for name, kind in _KINDS.items()), re.MULTILINE
)


class CleanedText(NamedTuple):
    """A text without its comments, how many there were, and whether one of them is unclosed."""

    body: str
    number: int
    unclosed: bool


def without_comments(body: str, code_in: Callable[[str], IsCode] | None = None) -> CleanedText:
    """`body` without comments of HTML, Liquid, Hugo, Tera and similar languages; code stays as it is.

    `code_in` finds the code in a body, by default the code in Markdown.
    """
    count = 0
    for _ in range(_MAX_PASSES):
        cut = _strip_comments(body, (code_in or code_of)(body))
        body, count = cut.body, count + cut.number
        if not cut.number:
            return CleanedText(body, count, cut.unclosed)
    return CleanedText(body, count, True)


def _strip_comments(body: str, is_code: IsCode) -> CleanedText:
    pieces: list[str] = []
    never_closed: set[str] = set()
    at = 0
    for opening in _OPENING.finditer(body):
        name = opening.lastgroup or ""
        if opening.start() < at or name in never_closed or is_code(opening.start()):
            continue
        closing = _KINDS[name].closing.search(body, opening.end())
        if closing is None:
            never_closed.add(name)
            continue
        pieces.append(body[at : opening.start()])
        at = closing.end()
    return CleanedText(
        "".join(pieces) + body[at:],
        len(pieces),
        any(_KINDS[name].counts for name in never_closed),
    )


def code_of(body: str) -> IsCode:
    """A function that tells whether a position in Markdown is in code or raw text."""
    return _position_test(sorted(_code_spans(body)))


def raw_of(body: str) -> IsCode:
    """A function that tells whether a position in a text is raw text to Liquid."""
    return _position_test(list(_raw(body)))


def _position_test(spans: list[Span]) -> IsCode:
    starts = [start for start, _ in spans]
    ends: list[int] = []
    for _, end in spans:
        ends.append(max(end, ends[-1] if ends else 0))

    def is_code(place: int) -> bool:
        before = bisect_right(starts, place)
        return before > 0 and place < ends[before - 1]

    return is_code


def _code_spans(body: str) -> Iterator[Span]:
    at = 0
    for start, end in _fences(body):
        yield from _inline(body, at, start)
        yield start, end
        at = end
    yield from _inline(body, at, len(body))
    yield from _raw(body)


def _fences(body: str) -> Iterator[Span]:
    """Fenced code blocks; an unclosed one extends to the end of the text."""
    opening: re.Match[str] | None = None
    for mark in _FENCE.finditer(body):
        if opening is None:
            opening = mark if mark[1][0] == "~" or "`" not in mark[2] else None
        elif mark[1].startswith(opening[1]) and not mark[2].strip():
            yield opening.start(), mark.end()
            opening = None
    if opening is not None:
        yield opening.start(), len(body)


def _inline(body: str, start: int, end: int) -> Iterator[Span]:
    """Inline code within a paragraph, between runs of the same number of backticks."""
    paragraph: list[Span] = []
    for mark in _BACKTICKS.finditer(body, start, end):
        if mark[0][0] == "`":
            paragraph.append(mark.span())
        else:
            yield from _pairs(paragraph)
            paragraph = []
    yield from _pairs(paragraph)


def _pairs(runs: list[Span]) -> Iterator[Span]:
    """Pair each run with the next one of the same length."""
    following: dict[int, list[int]] = {}
    for index, (start, end) in enumerate(runs):
        following.setdefault(end - start, []).append(index)
    at = 0
    while at < len(runs):
        start, end = runs[at]
        same = following[end - start]
        after = bisect_right(same, at)
        if after == len(same):
            at += 1
            continue
        yield start, runs[same[after]][1]
        at = same[after] + 1


def _raw(body: str) -> Iterator[Span]:
    """The text between Liquid's raw tags."""
    opening: int | None = None
    for mark in _RAW.finditer(body):
        if mark[1] and opening is not None:
            yield opening, mark.end()
            opening = None
        elif not mark[1] and opening is None:
            opening = mark.end()
