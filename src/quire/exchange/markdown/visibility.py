"""Determines from front matter, in the spellings of many generators, whether a page is public."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from quire.exchange.markdown.front_matter import (
    Head,
    is_truthy,
    text_of,
    values,
    with_lower_case_keys,
)

HIDING = (
    "draft", "drafts", "isdraft", "wip", "private", "hidden", "unlisted", "password", "headless",
    "secret", "eleventyexcludefromcollections", "members_only", "membersonly", "members-only",
    "paid", "premium", "subscribers_only", "protected", "internal",
)  # fmt: skip
"""Keys that hide a page if they are true."""
SHOWING = (
    "published", "publish", "render", "public", "listed", "visible", "output", "permalink",
    "ispublished", "is_published",
)  # fmt: skip
"""Keys that hide a page if they are false."""
STATES = ("status", "state", "post_status")
AUDIENCES = ("visibility", "access", "tiers")
TIMES = ("expirydate", "unpublishdate", "publishdate")
TABLES = ("build", "_build")
NAMES = frozenset((*HIDING, *SHOWING, *STATES, *AUDIENCES, *TIMES, *TABLES))
"""All keys that the settings of a folder may set for its pages."""
_NOT_PUBLIC = frozenset(
    "draft drafts private pending hidden unpublished unlisted protected trash inactive archived review "
    "in-review in_review members paid subscribers idea wip false".split()
)
_EVERYBODY = frozenset(("", "public", "everyone", "everybody", "all", "open", "free", "visible"))
_SPELLINGS = {"eleventyexcludefromcollections": "eleventyExcludeFromCollections"}
_CONDITIONAL = re.compile(r"\bif\b|\?|false|unless", re.IGNORECASE)
_NOT_BUILT = ("never", "false", "link")


def with_computed(data: Head) -> dict[str, Any]:
    """`data` with Eleventy's computed values; a draft if the computed permalink may hide the page."""
    computed = data.get("eleventycomputed")
    lowered = with_lower_case_keys(computed) if isinstance(computed, dict) else {}
    hidden = {"draft": "computed"} if _CONDITIONAL.search(str(lowered.get("permalink", ""))) else {}
    return {**data, **{n: v for n, v in lowered.items() if n != "permalink"}, **hidden}


def reason_hidden(head: Head) -> str:
    """Why the page is not public, such as `draft: true`; empty if it is."""
    return next(_reasons(head), "")


def _reasons(head: Head) -> Iterator[str]:
    yield from (
        f"{_SPELLINGS.get(name, name)}: {_short_text(value)}"
        for name in HIDING
        for value in values(head, name)
        if is_truthy(value)
    )
    yield from (f"{name}: {_short_text(head[name])}" for name in SHOWING if _says_no(head, name))
    for name in STATES:
        texts = (text_of(value).lower() for value in values(head, name))
        yield from (f"{name}: {state}" for state in texts if state in _NOT_PUBLIC)
    for name in AUDIENCES:
        for value in values(head, name):
            if isinstance(value, list | dict) or text_of(value).lower() not in _EVERYBODY:
                yield f"{name}: {_short_text(value)}"
    yield from _build_reasons(head)


def _build_reasons(head: Head) -> Iterator[str]:
    """Reasons in build settings, such as Hugo's `build`, which decides whether a page exists and is listed."""
    for table in TABLES:
        build = head.get(table)
        if isinstance(build, Mapping):
            for name in ("render", "list"):
                if text_of(build.get(name)).lower() in _NOT_BUILT:
                    yield f"build.{name}: {text_of(build[name]).lower()}"
    if head.get("outputs") == []:
        yield "outputs: []"
    permalink = head.get("permalink")
    if isinstance(permalink, Mapping) and _is_no(permalink.get("build")):
        yield "permalink.build: false"


def _says_no(head: Head, name: str) -> bool:
    return head.get(name) != "" and _is_no(head.get(name))


def _is_no(value: Any) -> bool:
    return value is not None and not isinstance(value, list | dict) and not is_truthy(value)


def _short_text(value: Any) -> str:
    return (
        (text_of(value) or "...").lower()[:40]
        if not isinstance(value, bool)
        else str(value).lower()
    )
