"""Texts as pages show them: bodies with headings in order, short summaries, minutes to read."""

import re
from html import escape, unescape
from urllib.parse import urljoin

from markupsafe import Markup

from quire.declare.markdown import strip_tags

# What the cleaner writes has every attribute in double quotes and every "<" of a text escaped, so
# this finds whole tags and nothing inside a value.
_TAG = re.compile(r'<(/?)([a-z0-9]++)([^"<>]*+(?:"[^"]*+"[^"<>]*+)*+)>')
_LINK = re.compile(r'( (?:href|src|cite))="([^"]*)"')
_HEADING = re.compile(r"<h([1-6])[ >]")
_WITHOUT_SPACES = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
WORDS_A_MINUTE = 230
SUMMARY = 220
"""Characters of a summary that is made from a text."""


def fit_into_page(markup: str, top: int = 2) -> Markup:
    """Clean HTML of a body, shift_heading into a page.

    Its highest heading becomes `<h{top}>` and no level is left out below it; what may be wider
    than the screen can be scrolled with the keyboard; pictures wait until they are near.
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
    """Clean HTML whose links and pictures are found from anywhere; it stands at `address` here."""

    def absolute_link(link: re.Match[str]) -> str:
        try:
            target = urljoin(address, unescape(link[2]))
        except ValueError:  # such as a bracket that is never closed
            return link[0]
        return f'{link[1]}="{escape(target)}"'

    return _TAG.sub(lambda tag: _LINK.sub(absolute_link, tag[0]), markup)


def summary(text: str, markup: str) -> str:
    """`text` when there is one, else the first words of `markup`."""
    # words are counted after tags are gone; this much markup holds enough of them
    words = text or strip_tags(markup[: SUMMARY * 10])
    if len(words) <= SUMMARY:
        return words
    cut = words[:SUMMARY]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:.") + "…"


def reading_minutes(text: str) -> int:
    """How long a text takes to read, in minutes, 1 at least."""
    words = len(text.split())
    if not text.isascii():  # where no spaces stand between words, two signs are about one
        words += len(_WITHOUT_SPACES.findall(text)) // 2
    return max(1, round(words / WORDS_A_MINUTE))
