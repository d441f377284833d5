"""Takes secrets out of what is logged: passwords, tokens, keys, cookies, links that open something.

Nothing here should ever meet one, since nobody logs them on purpose: this is for paths, and for
texts of errors that come from elsewhere.
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote

HIDDEN = "***"
READABLE = frozenset("page per_page limit sort fields include format type year month".split())
"""Parameters of queries whose values are logged: numbers, and names that the program knows."""
MAX_PATH = 500
_LINK = re.compile(
    r"(?i)/((?:auth/(?:reset|verify|setup|unsubscribe)|preview|admin/imports))/[^/?#\s'\"]+"
)
"""Paths that open something to whoever knows them."""
_SECRETS = (
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{HIDDEN}@"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\bqk_[\w-]+"), f"qk_{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"(?i)((?:set[-_])?cookie|authorization|x[-_](?:api[-_]key|csrftoken))(['\"]?\s*[:=]\s*)[^\r\n]+"), rf"\1\2{HIDDEN}"),
    (
        re.compile(
            r"(?i)([\w-]*(?:password|passwd|secret|token|api_?key|signature|otp)\w*['\"]?\s*[:=]\s*)"
            r"(['\"])(?:(?!\2).)+\2"
        ),
        rf"\1\2{HIDDEN}\2",
    ),
    (re.compile(r"(?i)([?&][\w-]*(?:password|secret|token|key|signature|otp|code)[\w-]*=)[^\s&#'\"]+"), rf"\1{HIDDEN}"),
)  # fmt: skip
_HINT = re.compile(
    r"(?i)://|/auth/|/preview/|/admin/imports/|qk_|eyJ|bearer|basic|cookie|auth|key|csrf|pass|secret|token|sign|otp|code"
)


def redact(text: str, known: Iterable[str] = ()) -> str:
    """`text` without what looks like a secret, and without those that are known."""
    for secret in known:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    if not _HINT.search(text):
        return text
    text = _LINK.sub(rf"/\1/{HIDDEN}", text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def loggable_path(path: str, query: str) -> str:
    """The path and query of a request: no link that opens anything, no values but those of READABLE."""
    shown = _LINK.sub(rf"/\1/{HIDDEN}", path[:MAX_PATH])
    if not query:
        return shown
    return f"{shown}?{'&'.join(map(_parameter, query[:MAX_PATH].split('&')))}"


def _parameter(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return HIDDEN  # it may be all value
    if unquote(name) in READABLE and len(value) <= 40:
        return pair
    return f"{name[:40]}={HIDDEN}"
