"""Removes secrets from log lines: passwords, tokens, keys, cookies, one-time links.

None should ever occur, since no code logs secrets on purpose: this is for paths, and for the texts of errors that come
from elsewhere.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

MASK = "***"
READABLE = frozenset("page per_page limit sort fields include format type year month".split())
"""Query parameters whose values are logged: numbers, and names from the code."""
MAX_PATH = 500
_LINK = re.compile(
    r"(?i)/((?:auth/(?:reset|verify|setup|unsubscribe)|preview|admin/imports))/[^/?#\s'\"]+"
)
"""Paths that grant access to anyone who knows them."""
_SECRETS = (
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{MASK}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"\bqk_[\w-]+"), f"qk_{MASK}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), MASK),
    (re.compile(r"(?i)((?:set[-_])?cookie|authorization|x[-_](?:api[-_]key|csrftoken))(['\"]?\s*[:=]\s*)[^\r\n]+"), rf"\1\2{MASK}"),
    (
        re.compile(
            r"(?i)([\w-]*(?:password|passwd|secret|token|api_?key|signature|otp)\w*['\"]?\s*[:=]\s*)"
            r"(['\"])(?:(?!\2).)+\2"
        ),
        rf"\1\2{MASK}\2",
    ),
    (re.compile(r"(?i)([?&][\w-]*(?:password|secret|token|key|signature|otp|code)[\w-]*=)[^\s&#'\"]+"), rf"\1{MASK}"),
)  # fmt: skip
_HINT = re.compile(
    r"(?i)://|/auth/|/preview/|/admin/imports/|qk_|eyJ|bearer|basic|cookie|auth|key|csrf|pass|secret|token|sign|otp|code"
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without anything that looks like a secret, and without the known ones."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, MASK)
    if not _HINT.search(text):
        return text
    text = _LINK.sub(rf"/\1/{MASK}", text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def loggable_path(path: str, query: str) -> str:
    """Return the path and query of a request without one-time links, and without values other than those of READABLE."""
    safe_path = _LINK.sub(rf"/\1/{MASK}", path[:MAX_PATH])
    if not query:
        return safe_path
    return f"{safe_path}?{'&'.join(map(_parameter, query[:MAX_PATH].split('&')))}"


def _parameter(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return MASK  # the whole query may be a value
    if unquote(name) in READABLE and len(value) <= 40:
        return pair
    return f"{name[:40]}={MASK}"
