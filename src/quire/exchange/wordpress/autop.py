"""Adds paragraphs to text of WordPress's classic editor, in which line breaks stand for tags."""

import re

from quire.exchange.blocks import Change, replace_blocks

_BLOCKS = (
    "address|article|aside|blockquote|caption|col|colgroup|dd|details|div|dl|dt|fieldset|figcaption|"
    "figure|footer|form|h[1-6]|header|hgroup|hr|legend|li|main|menu|nav|ol|p|pre|section|summary|"
    "table|tbody|td|tfoot|th|thead|tr|ul"
)
_VERBATIM = re.compile(r"<(pre|script|style|textarea|svg)\b", re.IGNORECASE)
_VERBATIM_END = r"</{}\s?>"
_TAG = re.compile(r"<[a-z/][^<>]*+>", re.IGNORECASE)
_BLOCK_START = re.compile(rf"(?<!\s)\s*+(<(?:{_BLOCKS})(?=[\s/>]))", re.IGNORECASE)
_BLOCK_END = re.compile(rf"(</(?:{_BLOCKS})\s*+>|<hr[^<>]*+>)\s*+", re.IGNORECASE)
_LEADING_BLOCK = re.compile(rf"\s*+(?:</?(?:{_BLOCKS})(?:\s[^<>]*+|/)?>\s*+)++", re.IGNORECASE)
_BREAK = re.compile(r" ?(?:<br ?/?>)? ?\n ?", re.IGNORECASE)


def with_paragraphs(html: str) -> str:
    """`html` of the classic editor with its paragraphs and line breaks as tags."""
    blocks: list[str] = []
    text = replace_blocks(html, _VERBATIM, _VERBATIM_END, _set_aside(blocks))
    text = _TAG.sub(lambda tag: tag[0].replace("\n", " "), _normal(text))
    text = _BLOCK_START.sub(r"\n\n\1", text)
    text = _BLOCK_END.sub(r"\1\n\n", text)
    text = "\n".join(_paragraph(piece) for piece in text.split("\n\n") if piece.strip())
    return re.sub("\x02(\\d+)\x03", lambda mark: blocks[int(mark[1])], text)


def _normal(text: str) -> str:
    """Collapse spaces and blank lines, so that the patterns here are fast."""
    lines = (" ".join(line.split()) for line in text.replace("\r\n", "\n").split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _set_aside(blocks: list[str]) -> Change:
    def set_aside(opening: re.Match[str], inner: str) -> str:
        blocks.append(f"{opening[0]}{inner}</{opening[1]}>")
        return f"\n\n\x02{len(blocks) - 1}\x03\n\n"

    return set_aside


def _paragraph(piece: str) -> str:
    piece = piece.strip()
    if piece.startswith("\x02"):
        return piece
    if opening := _LEADING_BLOCK.match(piece):
        return opening[0].strip() + _BREAK.sub("<br>\n", piece[opening.end() :])
    return f"<p>{_BREAK.sub('<br>' + chr(10), piece)}</p>"
