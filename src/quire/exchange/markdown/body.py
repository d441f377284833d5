"""Converts the text of one page of a static site to Markdown, from Markdown, HTML or MDX."""

import re
from dataclasses import dataclass
from html import escape, unescape
from string import ascii_lowercase, ascii_uppercase

from quire.exchange import liquid, names
from quire.exchange.blocks import replace_blocks
from quire.exchange.html.to_markdown import to_markdown
from quire.exchange.markdown import formats
from quire.exchange.model import Unusable
from quire.exchange.restricted_parts import restriction_in_html, restriction_in_markdown
from quire.exchange.source_comments import CleanedText, code_of, raw_of, without_comments

MAX_BODY_BYTES = 256 * 1024
_MAX_HTML = 1024 * 1024
_TEMPLATE = re.compile(
    r"\{%-?\s*(?:for|block|extends|layout|macro|paginate)\b|\{\{-?\s*(?:content|page\.content|yield)\s*[|}-]"
    r"|\{\{-?\s*(?:\.|\$|define|block|range|partial|with|template|end)\b"
)
_HIGHLIGHT = re.compile(r"\{%-?\s*(highlight)\b\s*([\w+#.-]*)[^%{}]*%\}")
_HIGHLIGHT_END = r"\{%-?\s*end{}\s*-?%\}"
_IMPORT = re.compile(r"^(?:import\s.*|export\s(?!default\s*\{).*)$", re.MULTILINE)
_COMPONENT = re.compile(r"<([A-Z][\w.]*)|^(export\s)", re.MULTILINE)
_LOWER_CASE = str.maketrans(ascii_uppercase, ascii_lowercase)
"""ASCII only, as in names of elements: some other letters, such as İ, get longer in lower case."""
_EXPRESSION = re.compile(r"(?<!\\)\{[^{}#%\n][^{}\n]*\}")


@dataclass(frozen=True, slots=True)
class PageBody:
    """The text of a page, its title if it is an HTML document, and warnings for the report.

    `hidden` is the reason why the page must not be public; empty if it may be.
    """

    text: str
    title: str = ""
    hidden: str = ""
    warnings: tuple[str, ...] = ()


def read_body(path: str, text: str) -> PageBody:
    """The body of the file at `path`, without its front matter. Raises Unusable."""
    suffix = formats.suffix_of(path)
    if suffix in formats.HTML:
        return _from_html(text)
    return _from_markdown(_without_modules(text) if suffix == formats.MDX else text)


def _from_markdown(text: str) -> PageBody:
    hidden = restriction_in_markdown(text, code_of(text))
    cleaned = without_comments(text)
    body = names.printable(liquid.plain(cleaned.body)).strip("\n").rstrip()
    return PageBody(
        body, hidden=hidden or _unclosed_warning(cleaned), warnings=_comment_words(cleaned)
    )


def _from_html(text: str) -> PageBody:
    if len(text) > _MAX_HTML:
        raise Unusable("its text is larger than 1 MB")
    if template := _TEMPLATE.search(text):
        raise Unusable(f"is a template, not a page ({template[0].strip()})")
    hidden = restriction_in_html(text) or restriction_in_markdown(text, raw_of(text))
    cleaned = without_comments(text, raw_of)
    html = replace_blocks(cleaned.body, _HIGHLIGHT, _HIGHLIGHT_END, _code_block)
    title, html = _title_and_body(names.printable(liquid.plain(html)))
    body, warning = to_markdown(html)
    words = (*_comment_words(cleaned), *([warning] if warning else ()))
    return PageBody(body, title, hidden or _unclosed_warning(cleaned), words)


def _comment_words(cleaned: CleanedText) -> tuple[str, ...]:
    number = cleaned.number
    words = f"{number} comment{'s' if number > 1 else ''} in the source removed"
    return (words,) if number else ()


def _unclosed_warning(cleaned: CleanedText) -> str:
    return "contains an unclosed comment, imported as a draft" if cleaned.unclosed else ""


def _code_block(opening: re.Match[str], code: str) -> str:
    return f'<pre><code class="language-{opening[2]}">{escape(code.strip(chr(10)))}</code></pre>'


def _title_and_body(html: str) -> tuple[str, str]:
    """The title and body of a whole HTML document; a fragment is all body."""
    lowered = html.translate(_LOWER_CASE)
    title = _element_content(html, lowered, "<title", "</title") if "<title" in lowered else ""
    body = _element_content(html, lowered, "<body", "</body") if "<body" in lowered else html
    return names.single_line(unescape(title)), body


def _element_content(html: str, lowered: str, opening: str, closing: str) -> str:
    start = lowered.find(">", lowered.find(opening)) + 1
    end = lowered.find(closing, start)
    return html[start:] if end < 0 else html[start:end]


def _without_modules(text: str) -> str:
    """MDX without its imports. Raises Unusable if components render parts of it."""
    is_code = code_of(text)
    text = _IMPORT.sub(lambda line: line[0] if is_code(line.start()) else "", text)
    is_code = code_of(text)
    for pattern in (_COMPONENT, _EXPRESSION):
        for match in pattern.finditer(text):
            if not is_code(match.start()) and not match[0].startswith("{/*"):
                raise Unusable(f"is MDX with JavaScript expressions ({match[0].strip()[:40]})")
    return text
