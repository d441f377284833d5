"""Finds the markup with which a source site restricts part of a text to some readers."""

import re
from collections.abc import Callable, Iterator

_WORDS = (
    r"(?:(?<!re)member|paywall|pay-wall|paid|premium|subscriber|private|restrict|protect|hidden|hide|"
    r"secret|logged[_-]?in|logged[_-]?out|login[_-]?only|patron|gated|visitor|is[_-]user|entitle|"
    r"passster|s2if|mepr|pmpro|rcp[_-]|wlm[_-]|um[_-]show|visib)"
)
_NAME = re.compile(_WORDS, re.IGNORECASE)
_COMMENT_MARK = re.compile(
    r"<!--\s*(?:/\s*)?([\w/:-]{3,100})(?:\s+\{[^<>]*?\})?\s*(?:/\s*)?-->", re.IGNORECASE
)
_BLOCK = re.compile(r"<!--\s*wp:([\w/-]{1,100})\s([^<>]*?)/?-->")
_BLOCK_CONDITION = re.compile(
    r'"blockVisibility"\s*:\s*(?!true|null|\{\s*\})|"hideBlock"\s*:\s*(?!false|null)'
    r'|"(?:restrict|membership|memberOnly|membersOnly|loggedIn|userRole|accessLevel|visibility)\w*"'
    r'\s*:\s*(?!false|null|""|\[\s*\]|\{\s*\}|0\b|"(?:all|public|everyone|visible|none|default)")'
)
_CLOSING = re.compile(r"\[/([\w-]{1,60})\](?!\()")
_PAYWALL = re.compile(
    r"\[([\w-]{0,40}paywall[\w-]{0,40})(?![\w-])[^\[\]]{0,500}\](?!\()", re.IGNORECASE
)
_SHORTCODE = re.compile(r"\{\{[<%]\s*(?:/\s*)?([\w./-]{1,100})")
_TAG = re.compile(r"\{%-?\s*([\w.-]{1,100})")
_ELEMENT = re.compile(r"<([A-Za-z][\w.-]{1,100})")
_DIRECTIVE = re.compile(r"^:{3,}[ \t]*\{?\.?([\w-]{1,60})", re.MULTILINE)
_CONDITIONS = frozenset(("if", "unless", "case", "ifversion"))
_OPENING = re.compile(r"<([a-z][a-z0-9]*)\b[^<>]{0,2000}>", re.IGNORECASE)
_WITHOUT_WORDS = frozenset(
    "img input iframe svg link meta script style br hr source track param embed video audio object "
    "canvas path use".split()
)
_NOT_SHOWN = ("template", "dialog")
"""Elements that browsers hide until a script shows them."""
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HIDDEN = re.compile(r"\shidden(?=[\s=/>])", re.IGNORECASE)
_STYLED = re.compile(
    r"\sstyle\s*=\s*[\"']?[^\"'>]*(?:display\s*:\s*none|visibility\s*:\s*hidden)"
    r"|\sclass\s*=\s*[\"']?[^\"'>]*(?:members?|paid|premium|subscribers?|restricted|private)"
    r"[-_](?:only|content)",
    re.IGNORECASE,
)
_GATED_BLOCK = re.compile(r"<!--\s*kg-gated-block:(begin|end)\b([^>]*)-->")
_FOR_EVERYBODY = re.compile(r"nonMember\s*:\s*true", re.IGNORECASE)

Reason = str
"""The report's message about a restricted part; empty if there is none."""


def restriction_in_html(html: str) -> Reason:
    """The message about the first mark of WordPress or Ghost in `html` that hides a part from the public."""
    return next(_marks_in_html(html), "")


def _marks_in_html(html: str) -> Iterator[Reason]:
    for mark in _COMMENT_MARK.finditer(html) if "<!--" in html else ():
        if _NAME.search(mark[1]):
            yield _part(f"<!-- {mark[1]} -->")
    for block in _BLOCK.finditer(html) if "<!-- wp:" in html else ():
        if _BLOCK_CONDITION.search(block[2]):
            yield _part(f"the visibility settings of a block ({block[1]})")
    for shortcode in [*_CLOSING.finditer(html), *_PAYWALL.finditer(html)] if "[" in html else ():
        if _NAME.search(shortcode[1]):
            yield _part(f"[{shortcode[1]}]")
    yield from (_part(tag[0][:60]) for tag in _hidden_tags(html))


def restriction_in_markdown(body: str, is_code: Callable[[int], bool]) -> Reason:
    """The message about the first mark in `body` that hides a part from the public.

    `is_code` tells whether a position in `body` is code, which is shown as it is.
    """
    return next(_marks_in_markdown(body, is_code), "")


def _marks_in_markdown(body: str, is_code: Callable[[int], bool]) -> Iterator[Reason]:
    for pattern in (_COMMENT_MARK, _CLOSING, _SHORTCODE, _TAG, _ELEMENT, _DIRECTIVE):
        for mark in pattern.finditer(body):
            if _NAME.search(mark[1]) and not is_code(mark.start()):
                yield _part(mark[0].strip()[:60])
    for tag in _TAG.finditer(body):
        if tag[1] in _CONDITIONS and not is_code(tag.start()):
            yield f"shows a part conditionally ({{% {tag[1]} %}}), imported as a draft"
    for opening in _hidden_tags(body):
        if not is_code(opening.start()):
            yield _part(opening[0][:60])


def _hidden_tags(text: str) -> Iterator[re.Match[str]]:
    """The opening tags of elements whose text readers never see."""
    for tag in _OPENING.finditer(text):
        name = tag[1].lower()
        if name not in _WITHOUT_WORDS and (name in _NOT_SHOWN or _is_hidden(tag[0])):
            yield tag


def _is_hidden(tag: str) -> bool:
    return bool(_STYLED.search(tag) or _HIDDEN.search(_QUOTED.sub('""', tag)))


def _part(mark: str) -> Reason:
    return f"hides a part from the public by {mark}, imported as a draft"


def without_restricted_blocks(html: str) -> tuple[str, int]:
    """`html` without the blocks that Ghost shows to members only, and how many there were.

    Public blocks stay. An unclosed block ends with the text.
    """
    pieces: list[str] = []
    at = count = depth = 0
    hidden_from: int | None = None
    for mark in _GATED_BLOCK.finditer(html):
        if hidden_from is None:
            pieces.append(html[at : mark.start()])
        depth = depth + 1 if mark[1] == "begin" else max(depth - 1, 0)
        if mark[1] == "begin" and hidden_from is None and not _FOR_EVERYBODY.search(mark[2]):
            hidden_from, count = depth, count + 1
        elif mark[1] == "end" and hidden_from is not None and depth < hidden_from:
            hidden_from = None
        at = mark.end()
    return "".join(pieces) + (html[at:] if hidden_from is None else ""), count
