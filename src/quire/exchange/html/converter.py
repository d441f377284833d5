"""Converts each HTML element to Markdown, or keeps it as HTML."""

import re
from typing import Any

from bs4 import Tag
from markdownify import MarkdownConverter

from quire.exchange.html.anchors import anchor, heading_id, without_anchors
from quire.exchange.html.raw_html import BLOCKS, raw_html, safe_url
from quire.exchange.liquid import longest_run

_LANGUAGE = re.compile(r"(?:^|\s)(?:lang(?:uage)?-|brush:\s*)([\w+#.-]+)")
_LINE_START = re.compile(
    r"^([^\S\n]*+)(#{1,6}(?=\s|$)|[-+](?=\s|$)|>|(?:={2,}+|-{2,}+)[^\S\n]*+$)", re.MULTILINE
)
_NUMBERED = re.compile(r"^([^\S\n]*+\d{1,9})([.)])(?=\s|$)", re.MULTILINE)
_SPECIAL = re.compile(
    r"\\(?=[!-/:-@\[-`{-~])|[*`]|~(?=~)|(?<=\S)~|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|(?<!\w)_|_(?!\w)"
)
_BRACKET = re.compile(r"\[(?=[^\[\]]*\](?:\(|\[|:))")
_PARAGRAPHS = re.compile(r"\n[ \t]*+\n")
"""A paragraph break, or two line breaks in a row, which will become one."""
_PIPE = re.compile(r"(?<!\\)\|")
_ESCAPED_PIPE = r"\\|"
_Base: Any = MarkdownConverter
_MARKS = ("b", "strong", "i", "em", "del", "s", "strike", "code")


def _inline(mark: str, tag: str) -> Any:
    """A conversion that puts `mark` around text, or `tag` if Markdown would not recognise the mark."""

    def convert(self: "HtmlConverter", el: Tag, text: str, parent_tags: set[str]) -> str:
        words = text.strip()
        if (
            not words
            or _PARAGRAPHS.search(words)
            or "_noformat" in parent_tags
            or el.name in parent_tags
        ):
            return text
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        if _is_flanking(el, words, before, after):
            return f"{before}{mark}{words}{mark}{after}"
        return f"{before}<{tag}>{words}</{tag}>{after}"

    return convert


def _is_flanking(el: Tag, words: str, before: str, after: str) -> bool:
    """Whether CommonMark recognises a mark here: not with punctuation inside it and a letter
    outside."""
    before_mark, after_mark = el.previous_sibling, el.next_sibling
    if (_is_mark(before_mark) and not before) or (_is_mark(after_mark) and not after):
        return False
    outer_left = "" if before or isinstance(before_mark, Tag) else str(before_mark or "")[-1:]
    outer_right = "" if after or isinstance(after_mark, Tag) else str(after_mark or "")[:1]
    opens = words[0].isalnum() or not outer_left.isalnum()
    return opens and (words[-1].isalnum() or not outer_right.isalnum())


def _is_mark(node: object) -> bool:
    return isinstance(node, Tag) and node.name in _MARKS


def _as_html(tag: str) -> Any:
    def convert(self: "HtmlConverter", el: Tag, text: str, parent_tags: set[str]) -> str:
        is_unfit = "_noformat" in parent_tags or _PARAGRAPHS.search(text.strip())
        if is_unfit or not text.strip():
            return text
        return f"<{tag}>{text}</{tag}>"

    return convert


def _block_of_html(self: "HtmlConverter", el: Tag, text: str, parent_tags: set[str]) -> str:
    return f"\n\n{raw_html(el)}\n\n"


def _inline_html(self: "HtmlConverter", el: Tag, text: str, parent_tags: set[str]) -> str:
    return text if "_noformat" in parent_tags else raw_html(el, inline=True)


class HtmlConverter(_Base):
    """markdownify with the rules of CommonMark, and HTML for what CommonMark cannot express."""

    def process_tag(self, node: Tag, parent_tags: Any = None) -> str:
        """Convert an element to Markdown; nothing for a summary, which its `details` writes as HTML."""
        return "" if node.name == "summary" else super().process_tag(node, parent_tags=parent_tags)

    def process_text(self, el: Any, parent_tags: Any = None) -> str:
        self._begins_line = _begins_line(el)
        return super().process_text(el, parent_tags=parent_tags)

    def escape(self, text: str, parent_tags: set[str]) -> str:
        """Escapes Markdown syntax in plain text."""
        text = _SPECIAL.sub(r"\\\g<0>", text)
        text = (
            re.sub(r"[\[\]]", r"\\\g<0>", text)
            if "a" in parent_tags
            else _BRACKET.sub(r"\\[", text)
        )
        if "\n" not in text and not self._begins_line:
            return text
        first, rest = ("", text) if self._begins_line else text.split("\n", 1)
        rest = _NUMBERED.sub(r"\1\\\2", _LINE_START.sub(r"\1\\\2", rest))
        return rest if self._begins_line else f"{first}\n{rest}"

    convert_b = convert_strong = _inline("**", "strong")
    convert_i = convert_em = _inline("*", "em")
    convert_del = convert_s = convert_strike = _inline("~~", "del")
    convert_sub, convert_sup, convert_u = _as_html("sub"), _as_html("sup"), _as_html("u")
    convert_ins, convert_mark, convert_small = _as_html("ins"), _as_html("mark"), _as_html("small")
    convert_cite, convert_q, convert_var = _as_html("cite"), _as_html("q"), _as_html("var")
    convert_kbd = convert_samp = convert_abbr = convert_dfn = convert_ruby = convert_bdo = (
        _inline_html
    )
    convert_acronym = convert_time = _inline_html
    convert_dl = _block_of_html
    convert_aside = convert_header = convert_footer = convert_main = _Base.convert_div
    convert_center = convert_address = convert_nav = _Base.convert_div

    def _heading(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A heading, with its id if that differs from the generated one."""
        if "_inline" in parent_tags or not text.strip():
            return _anchor_of(el) + text
        before, after = heading_id(el, text.strip())
        level = int(el.name[1])
        return str(self.convert_hN(level, el, f"{before}{text.strip()}{after}", parent_tags))

    convert_h1 = convert_h2 = convert_h3 = convert_h4 = convert_h5 = convert_h6 = _heading

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_noformat" in parent_tags:
            return text
        nested, text = without_anchors(text)
        return _anchor_of(el) + nested + self._link(el, text)

    def _link(self, el: Tag, text: str) -> str:
        href, words = safe_url(str(el.get("href") or "")), " ".join(text.split())
        if not href or not words:
            return text
        words = re.sub(r"^#{1,6} ", "", words)
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        if (
            el.get_text() == href
            and href.startswith(("http://", "https://"))
            and not el.get("title")
        ):
            return f"{before}<{href}>{after}"
        return f"{before}[{words}]({href}{_title(el)}){after}"

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        source, alt = (
            safe_url(str(el.get("src") or "")),
            " ".join(str(el.get("alt") or "").split()),
        )
        alt = re.sub(r"[\[\]\\*_`<>]", r"\\\g<0>", alt)
        return _anchor_of(el) + (f"![{alt}]({source}{_title(el)})" if source else alt)

    def convert_code(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Inline code with line breaks stays HTML: Markdown can express it neither inline nor as a block."""
        if "_noformat" in parent_tags:
            return text
        if el.find("br"):
            return raw_html(el, inline=True)
        return _anchor_of(el) + str(super().convert_code(el, text, parent_tags))

    convert_tt = convert_code

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        bullet = f"{el['value']}. " if el.get("value") else "- "
        lines = text.strip().split("\n")
        indented = [" " * len(bullet) + line if line.strip() else "" for line in lines[1:]]
        return "\n".join([bullet + lines[0], *indented]) + "\n" if text.strip() else "\n"

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        for line_break in el.find_all("br"):
            line_break.replace_with("\n")
        code = el.get_text().strip("\n")
        if "wp-block-verse" in (el.get("class") or ()):
            return (
                "\n\n" + "  \n".join(self.escape(line, set()) for line in code.split("\n")) + "\n\n"
            )
        marks = "`" * max(3, longest_run(code, "`") + 1)
        block = f"{marks}{_language(el)}\n{code}\n{marks}\n\n" if code.strip() else ""
        before = _anchor_of(el)
        return f"\n\n{before}\n\n{block}" if before else f"\n\n{block}" if block else ""

    def convert_br(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _anchor_of(el) + str(super().convert_br(el, text, parent_tags))

    def convert_hr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        before = _anchor_of(el)
        return f"\n\n{before}\n\n---\n\n" if before else "\n\n---\n\n"

    def convert_figure(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A figure with a caption stays HTML; all others become Markdown."""
        whole = el.find(["figure", "table", "blockquote", "pre"]) is None
        if whole and el.find("img") and el.find("figcaption"):
            return f"\n\n{raw_html(el)}\n\n"
        return f"\n\n{text.strip()}\n\n"

    def convert_figcaption(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        words = " ".join(text.split())
        return f"\n\n{words}\n\n" if words else ""

    def convert_details(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        summary = el.find("summary")
        head = f"{raw_html(summary)}\n\n" if isinstance(summary, Tag) else ""
        return f"\n\n<details>{head}{text.strip()}\n\n</details>\n\n"

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        words = " ".join(text.split())
        return f" {_PIPE.sub(_ESCAPED_PIPE, words)} |"

    convert_th = convert_td

    def convert_tr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"|{text}\n"

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """A table with a head and plain cells becomes Markdown; any other stays HTML."""
        columns = _columns(el)
        if not columns:
            return f"\n\n{raw_html(el)}\n\n"
        head, _, rest = text.strip().partition("\n")
        return f"\n\n{head}\n|{' --- |' * columns}\n{rest}\n\n"


def _anchor_of(el: Tag) -> str:
    return anchor(str(el.get("id") or ""))


def _begins_line(el: Any) -> bool:
    before = el.previous_sibling
    return before is None or (
        isinstance(before, Tag) and (before.name == "br" or before.name in BLOCKS)
    )


def _title(el: Tag) -> str:
    title = " ".join(str(el.get("title") or "").split()).replace("\\", "").replace('"', '\\"')
    return f' "{title}"' if title else ""


def _language(el: Tag) -> str:
    for each in (el, *el.find_all("code")):
        if match := _LANGUAGE.search(" ".join(each.get("class") or ())):
            return match[1]
    return ""


def _columns(table: Tag) -> int:
    """The number of columns of a table that Markdown can express; 0 for all others."""
    rows = table.find_all("tr")
    widths = {len(row.find_all(["td", "th"])) for row in rows}
    plain = table.find(
        ["table", "caption", "ul", "ol", "pre", "br", "p", "blockquote", "figure"]
    ) in (None, table)
    spans = table.find(["td", "th"], attrs={"colspan": True}) or table.find(
        ["td", "th"], attrs={"rowspan": True}
    )
    headed = bool(rows) and all(cell.name == "th" for cell in rows[0].find_all(["td", "th"]))
    return widths.pop() if plain and not spans and headed and len(widths) == 1 else 0
