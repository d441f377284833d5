"""Merges two versions of a long text line by line, unless they change the same lines."""

from difflib import SequenceMatcher

MAX_LINES = 5_000
"""The maximum number of lines that are compared; longer texts would take seconds."""

Change = tuple[int, int, tuple[str, ...]]
"""The first line of the base that is replaced, the end of those lines, and the lines that replace them."""


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _changes(base: list[str], lines: list[str]) -> list[Change]:
    steps = SequenceMatcher(None, base, lines).get_opcodes()
    return [(start, end, tuple(lines[a:b])) for op, start, end, a, b in steps if op != "equal"]


def _meet(one: Change, other: Change) -> bool:
    """Whether two changes touch, so that they cannot be merged."""
    return one[0] <= other[1] and other[0] <= one[1]


def merge_lines(base: str, mine: str, theirs: str) -> str | None:
    """The text with the changes of both; None if these touch, unless they are the same."""
    lines = _lines(base)
    versions = [_lines(mine), _lines(theirs)]
    if max(map(len, (lines, *versions))) > MAX_LINES:
        return None
    of_mine, of_theirs = (_changes(lines, version) for version in versions)
    if any(_meet(a, b) and a != b for a in of_mine for b in of_theirs):
        return None
    for start, end, replacement in sorted({*of_mine, *of_theirs}, reverse=True):
        lines[start:end] = replacement
    return "\n".join(lines)


def contains_changes(base: str, text: str, theirs: str) -> bool:
    """Whether a text already contains everything that changed from `base` to `theirs`."""
    return merge_lines(base, text, theirs) == "\n".join(_lines(text))
