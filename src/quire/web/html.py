"""Texts as shown on pages: bodies with adjusted headings, summaries, reading times."""

import re
from html import escape, unescape
from urllib.parse import urljoin

from markupsafe import Markup

from quire.declare.markdown import strip_tags

# In the cleaner's output, every attribute is in double quotes and every "<" in text is escaped, so
# this matches whole tags and nothing inside a value.
_TAG = re.compile(r'<(/?)([a-z0-9]++)([^"<>]*+(?:"[^"]*+"[^"<>]*+)*+)>')
_LINK = re.compile(r'( (?:href|src|cite))="([^"]*)"')
_HEADING = re.compile(r"<h([1-6])[ >]")
_WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
WORDS_A_MINUTE = 230
SUMMARY = 220
"""The maximum length of a summary that is made from a text."""


def fit_into_page(markup: str, top: int = 2) -> Markup:
    """Adapt the cleaned HTML of a body to a page.

    Its highest heading becomes `<h{top}>` and no level below it is skipped; what may be wider than the screen can
    be scrolled with the keyboard; images load when they are about to be visible.
    """
    headings = sorted(set(_HEADING.findall(markup)))
    levels = {f"h{level}": f"h{min(top + i, 6)}" for i, level in enumerate(headings)}

    def shift_heading(tag: re.Match[str]) -> str:
        end, name, rest = tag.groups()
        if name in levels:
            return f"<{end}{levels[name]}{rest}>"
        make = _FITTED.get(end + name)
        return make(rest) if make else tag[0]

    return Markup(_TAG.sub(shift_heading, markup))  # noqa: S704 - cleaned when it was written


def _image(rest: str) -> str:
    described = rest if " alt=" in rest else f' alt=""{rest}'
    return f'<img loading="lazy"{described}>'


_FITTED = {
    "pre": lambda rest: f'<pre tabindex="0"{rest}>',
    "img": _image,
    "table": lambda rest: (
        f'<div class="wide" role="region" aria-label="Table" tabindex="0"><table{rest}>'
    ),
    "/table": lambda _: "</table></div>",
}


def absolute(markup: str, address: str) -> str:
    """Return cleaned HTML with absolute URLs of links and images; `address` is where it is shown here."""

    def absolute_link(link: re.Match[str]) -> str:
        try:
            target = urljoin(address, unescape(link[2]))
        except ValueError:  # such as an unclosed bracket
            return link[0]
        return f'{link[1]}="{escape(target)}"'

    return _TAG.sub(lambda tag: _LINK.sub(absolute_link, tag[0]), markup)


def summary(text: str, markup: str) -> str:
    """Return `text` if there is any, otherwise the first words of `markup`."""
    # words are counted without tags; this much markup contains enough of them
    words = text or strip_tags(markup[: SUMMARY * 10])
    if len(words) <= SUMMARY:
        return words
    cut = words[:SUMMARY]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:.") + "…"


def reading_minutes(text: str) -> int:
    """Return how many minutes it takes to read a text, at least 1."""
    words = len(text.split())
    if not text.isascii():  # in scripts without spaces, two characters are about one word
        words += len(_WITHOUT_SPACES.findall(text)) // 2
    return max(1, round(words / WORDS_A_MINUTE))
