"""Converts Liquid in Markdown: code blocks become fences, raw tags are removed, all else stays text."""

import re
from collections.abc import Iterator

_TAG = re.compile(r"\{%-?\s*(raw|endraw|highlight|endhighlight)\b([^%]*?)-?%\}")
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})(.*)$", re.MULTILINE)
_MAX_TAGS = 2000
_CODE_LANGUAGE = re.compile(r"[\w+#.-]+")


def plain(body: str) -> str:
    """`body` with `{% highlight x %}` as a fenced block and without `{% raw %}` tags.

    Text between raw tags stays as it is, and so does an unclosed highlight, or a whole body with
    more tags than a person would write.
    """
    tags = list(_tags(body)) if "{%" in body else []
    return body if len(tags) > _MAX_TAGS else "".join(_pieces(body, tags))


def _tags(body: str) -> Iterator[re.Match[str]]:
    """The tags that count: a highlight inside a fence is part of the code."""
    fences = list(_fences(body))
    at = 0
    for tag in _TAG.finditer(body):
        while at < len(fences) and fences[at][1] < tag.start():
            at += 1
        inside = at < len(fences) and fences[at][0] < tag.start()
        if not inside or tag[1].endswith("raw"):
            yield tag


def _fences(body: str) -> Iterator[tuple[int, int]]:
    opening: re.Match[str] | None = None
    for mark in _FENCE.finditer(body):
        if opening is None:
            opening = mark
        elif mark[1].startswith(opening[1]) and not mark[2].strip():
            yield opening.start(), mark.end()
            opening = None


def _pieces(body: str, tags: list[re.Match[str]]) -> Iterator[str]:
    at = index = 0
    closings = _closings(tags)
    while index < len(tags):
        tag, last = tags[index], closings[index]
        if last is None:
            index += 1
            continue
        yield from _block(body[at : tag.start()], tag, body[tag.end() : tags[last].start()])
        at, index = tags[last].end(), last + 1
        if tag[1] == "highlight" and body[at : at + 1] not in ("", "\n"):
            yield "\n"
    yield body[at:]


def _closings(tags: list[re.Match[str]]) -> list[int | None]:
    """The position of each tag's closing tag; raw blocks hide the tags inside them.

    Read from the end, so that each tag is visited once.
    """
    end_of_raw: int | None = None
    ends: list[int | None] = [None] * (len(tags) + 1)  # the next endhighlight, seen from each tag
    closings: list[int | None] = [None] * len(tags)
    for at in reversed(range(len(tags))):
        name, after = tags[at][1], at + 1
        if name == "endraw":
            end_of_raw = at
        elif name == "raw" and end_of_raw is not None:
            closings[at], after = end_of_raw, end_of_raw + 1
        elif name == "highlight":
            closings[at] = ends[after]
        ends[at] = at if name == "endhighlight" else ends[after]
    return closings


def _block(before: str, tag: re.Match[str], inner: str) -> Iterator[str]:
    if tag[1] == "raw":
        alone = before.rpartition("\n")[2].strip() == "" and inner.startswith("\n")
        yield before
        yield inner[1:] if alone else inner
        return
    indent = before.rpartition("\n")[2]
    if indent.strip():
        before, indent = before + "\n\n", ""
    yield before.removesuffix(indent)
    yield _fence(plain(inner), tag[2], indent)


def _fence(code: str, arguments: str, indent: str) -> str:
    language = _CODE_LANGUAGE.match(arguments.strip())
    marks = "`" * max(3, longest_run(code, "`") + 1)
    lines = code.rstrip().lstrip("\n").split("\n")
    if indent and not all(line.startswith(indent) for line in lines if line.strip()):
        lines = [indent + line if line.strip() else line for line in lines]
    opening = f"{indent}{marks}{language[0] if language else ''}"
    return "\n".join([opening, *lines, indent + marks])


def longest_run(text: str, mark: str) -> int:
    """The length of the longest unbroken run of `mark` in `text`."""
    return max((len(run) for run in re.findall(re.escape(mark) + "+", text)), default=0)
