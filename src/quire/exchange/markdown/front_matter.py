"""Splits off and parses the front matter of a Markdown file: YAML, TOML or JSON, of limited size."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import yaml

from quire.exchange.model import Unusable
from quire.exchange.names import single_line

_LARGEST_HEAD = 64 * 1024
_MAX_EVENTS = 20_000
_MAX_ALIASES = 50
_DEEPEST = 30
_FENCE = re.compile(r"\s*^(---|\+\+\+)[ \t]*([a-z]{2,10})?[ \t]*$\n?", re.MULTILINE)
_LINES = re.compile(r"\s*(?:[A-Za-z][\w -]{0,30}:[^\n]*(?:\n[ \t]+\S[^\n]*)*(?:\n|\Z))+")
_LINE = re.compile(r"^([A-Za-z][\w -]{0,30}):[ \t]*(.*)$", re.MULTILINE)
_TELLING_LINES = frozenset(("title", "status", "draft"))
_CLOSED = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE),
}
_LOOKS_LIKE_HEAD = re.compile(r"\s*[\w-]+\s*[:=]|\s*\[\w")
_TOML_LINE = re.compile(r"\(?at (?:line (\d+), column \d+|end of document)\)?")
_NO = frozenset(("", "false", "no", "off", "0", "n", "null", "~"))

Head = Mapping[str, Any]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which plain scalars stay text: version 1.10 is not the number 1.1."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag.endswith((":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def split(text: str) -> tuple[Head, str]:
    """The head of `text` as names (in lower case) and values, and the body below it.

    A text without a head gives an empty one. Raises Unusable if the head is broken, never
    closed, or larger or more tangled than a person would write.
    """
    opening = _FENCE.match(text)
    if opening is None:
        return _split_json(text)
    mark, language, start = opening[1], opening[2], opening.end()
    if language not in (None, "yaml", "yml", "toml", "json"):
        raise Unusable(f"its front matter is {language}, which is not supported")
    closing = _CLOSED[mark].search(text, start)
    if closing is None:
        return _without_end(text, start)
    head, line = text[start : closing.start()], text.count("\n", 0, start)
    if len(head) > _LARGEST_HEAD:
        raise Unusable("its front matter is larger than 64 KB")
    is_toml = mark == "+++" or language == "toml"  # all JSON is YAML
    parsed = parse_toml(head, line) if is_toml else parse_yaml(head, line)
    return with_lower_case_keys(parsed), text[closing.end() :].lstrip("\n")


def _without_end(text: str, start: int) -> tuple[Head, str]:
    """Text below a horizontal rule is a body; front matter without an end is an error."""
    if _LOOKS_LIKE_HEAD.match(text, start):
        raise Unusable("its front matter is not closed")
    return {}, text


def _split_json(text: str) -> tuple[Head, str]:
    if not text.lstrip().startswith("{"):
        return _split_lines(text)
    start = text.index("{")
    try:
        parsed, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return {}, text
    return with_lower_case_keys(parsed), text[end:].lstrip("\n")


def _split_lines(text: str) -> tuple[Head, str]:
    """Headers of Pelican and MultiMarkdown: lines `Name: value` up to a blank line."""
    lines = _LINES.match(text[:_LARGEST_HEAD])
    if lines is None or text[lines.end() : lines.end() + 1] not in ("", "\n"):
        return {}, text
    head = {name.strip().lower(): value.strip() for name, value in _LINE.findall(lines[0])}
    if not head.keys() & _TELLING_LINES:
        return {}, text
    return head, text[lines.end() :].lstrip("\n")


def parse_yaml(head: str, line: int = 0) -> Any:
    """Parse YAML of limited size; `line` is where it begins in its file. Raises Unusable."""
    try:
        _refuse_expansion(head)
        return yaml.load(head, Loader=_Loader)  # noqa: S506  a SafeLoader, see above
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1 + line})" if mark else ""
        raise Unusable(f"front matter is not valid YAML{where}") from None
    except (ValueError, RecursionError):
        raise Unusable("front matter is not valid YAML") from None


def _refuse_expansion(head: str) -> None:
    """Reject YAML that expands: aliases and depth are counted before anything is built."""
    depth = aliases = 0
    for count, event in enumerate(yaml.parse(head, Loader=_Loader)):
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if count > _MAX_EVENTS or aliases > _MAX_ALIASES or depth > _DEEPEST:
            raise Unusable("its front matter is nested too deeply or has too many aliases")


def parse_toml(head: str, line: int = 0) -> Any:
    """Parse TOML; `line` is where it begins in its file. Raises Unusable."""
    try:
        return tomllib.loads(head, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        match = _TOML_LINE.search(str(error))
        at = int(match[1]) if match and match[1] else head.count("\n") or 1
        raise Unusable(f"front matter is not valid TOML (line {at + line})") from None
    except (ValueError, RecursionError):
        raise Unusable("front matter is not valid TOML") from None


def with_lower_case_keys(parsed: Any) -> Head:
    """`parsed` with lower-case keys. Raises Unusable if it is not a mapping."""
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise Unusable("its front matter is not a mapping")
    inner = {"taxonomies", "extra", "params", "build", "_build"}
    head = {str(name).lower(): value for name, value in parsed.items()}
    for name in inner & head.keys():
        if isinstance(head[name], dict):
            head[name] = {str(key).lower(): value for key, value in head[name].items()}
    return head


def values(head: Head, *names: str) -> Iterator[Any]:
    """Every value under one of `names`, at the top level or in the tables where generators nest them."""
    tables = [head, *(head.get(name) for name in ("taxonomies", "extra", "params"))]
    for name in names:
        for table in tables:
            if isinstance(table, dict) and table.get(name) is not None:
                yield table[name]


def text_of(value: Any) -> str:
    """`value` as one line of text; empty if it is not a scalar."""
    if isinstance(value, str | int | float | date | datetime):
        return single_line(str(value))
    return ""


def text(head: Head, *names: str) -> str:
    """The first non-empty single value under one of `names`, as one line of text."""
    return next((first for value in values(head, *names) if (first := text_of(value))), "")


def is_truthy(value: Any) -> bool:
    """Whether `value` means yes: anything but an empty value, false, no, off or 0."""
    return bool(value) and text_of(value).lower() not in _NO if _is_single(value) else bool(value)


def _is_single(value: Any) -> bool:
    return isinstance(value, str | int | float)


def word_list(value: Any) -> list[str]:
    """The names in `value`: a list as it is, a text split at commas or, if it has none, at spaces."""
    if isinstance(value, list):
        words = [text_of(each) for each in value[:1000]]
    elif "," in text_of(value):
        words = text_of(value).split(",")
    else:
        words = text_of(value).split()
    return [name.strip() for name in words if name.strip()]
