"""Detects restrictions on posts by WordPress plugins."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from quire.exchange.dates import parse_datetime

_NOBODY_LIMITED = frozenset(
    ("", "0", "no", "false", "off", "none", "null", "public", "everybody", "everyone", "all", "default",
     "a:0:{}", "[]", "{}", "n;", "b:0;", "i:0;", 's:0:"";')
)  # fmt: skip
_ACCESS = re.compile(
    r"members?[_-]|member(?:press|ship)|_is_paid|restrict|paywall|premium|[_-]protect|access[_-](?:role|level|"
    r"plan)|subscription_level|user_level|content_gate|groups[_-]+(?:groups_)?read|newsletter_access|"
    r"wpmem_block|_wpac_|ccaps_req|private_(?:post|content)|passster|ppwp?_|wlm_|password",
    re.IGNORECASE,
)
_ABOUT_MESSAGES = re.compile(
    r"message|error|teaser|excerpt|redirect|title|template|style|count|_id$"
)
_FORCED_PUBLIC = "_wc_memberships_force_public"
_ULTIMATE_MEMBER = "um_content_restriction"
_UM_IS_SET = re.compile(r'_um_custom_access_settings";(?:s:\d+:"1"|b:1|i:1)')
_UM_FOR_ALL = re.compile(r'_um_accessible";(?:s:\d+:"0"|i:0)')

_RULE = "memberpressrule"

Meta = Mapping[str, list[str]]


def reason_limited(meta: Meta) -> str:
    """Why the metadata of a post keeps it from the public; empty if it does not."""
    if any(value.strip().lower() in ("yes", "1", "true") for value in meta.get(_FORCED_PUBLIC, ())):
        return ""
    return next((f"access was limited by a plugin ({key})" for key in _limiting_keys(meta)), "")


def _limiting_keys(meta: Meta) -> Iterator[str]:
    for key, values in meta.items():
        if key == _ULTIMATE_MEMBER:
            if any(_UM_IS_SET.search(one) and not _UM_FOR_ALL.search(one) for one in values):
                yield key
        elif _is_about_access(key) and any(map(_limits, values)):
            yield key


def _is_about_access(key: str) -> bool:
    return bool(_ACCESS.search(key)) and not _ABOUT_MESSAGES.search(key)


def _limits(value: str) -> bool:
    return value.strip().lower() not in _NOBODY_LIMITED


def expires_at(meta: Meta) -> str:
    """When a plugin unpublishes a post; empty if it does not."""
    if next(iter(meta.get("_expiration-date-status", ())), "") != "saved":
        return ""
    date = next(iter(meta.get("_expiration-date", ())), "")
    return date if parse_datetime(date) else ""


@dataclass(slots=True)
class AccessRules:
    """The rules of MemberPress in an export: which posts they protect."""

    posts: set[str] = field(default_factory=set)
    protect_more: bool = False

    def read(self, type: str, status: str, meta: Meta) -> None:
        """Read an item of the export if it is a rule."""
        if type != _RULE or status != "publish":
            return
        kind = next(iter(meta.get("_mepr_rules_type", ())), "")
        content = next(iter(meta.get("_mepr_rules_content", ())), "")
        if kind.startswith("single") and content:
            self.posts.add(content)
        elif kind != "partial":
            self.protect_more = True

    def reason_limited(self, id: str) -> str:
        """Why the post with this id is restricted; rules for many posts may match."""
        if id in self.posts:
            return "access was limited by a MemberPress rule"
        return "access may be limited by a MemberPress rule" if self.protect_more else ""
