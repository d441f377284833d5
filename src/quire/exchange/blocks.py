"""Finds text between opening and closing marks in a single pass, even if marks are missing."""

import re
from collections.abc import Callable, Iterator

Change = Callable[[re.Match[str], str], str]
"""Called with the match of the opening mark and the content of the block; returns its replacement.
"""


def replace_blocks(text: str, opening: re.Pattern[str], closing: str, change: Change) -> str:
    """`text` with each block changed.

    `opening` has the block's name as its first group; `closing` is a pattern in which `{}` is
    that name. Unclosed blocks stay as they are; the end of an unclosed name is searched for once,
    not once per opening mark, so the time is linear in the length of the text.
    """
    return "".join(_pieces(text, opening, closing, change))


def _pieces(text: str, opening: re.Pattern[str], closing: str, change: Change) -> Iterator[str]:
    at = copied = 0
    never_closed: set[str] = set()
    while mark := opening.search(text, at):
        name, at = mark[1].lower(), mark.end()
        end = None if name in never_closed else _end(closing, name).search(text, at)
        if end is None:
            never_closed.add(name)
            continue
        yield text[copied : mark.start()]
        yield change(mark, text[at : end.start()])
        at = copied = end.end()
    yield text[copied:]


def _end(closing: str, name: str) -> re.Pattern[str]:
    return re.compile(closing.replace("{}", re.escape(name)), re.IGNORECASE)
