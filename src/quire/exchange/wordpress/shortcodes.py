"""Converts WordPress shortcodes to HTML; unknown ones stay text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape, unescape

from quire.exchange.blocks import replace_blocks

_ATTRIBUTE = re.compile(r"(?<![\w-])([\w-]++)\s?=\s?(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'\]]+))")
_ADDRESS = re.compile(r"https?://[^\s\"'\[\]<>|]+")
_CODE = re.compile(r"\[(code|sourcecode|php|css|html|javascript|python)\b([^\[\]]*)\]")
_CAPTION = re.compile(r"\[(caption|wp_caption)\b([^\[\]]*)\]")
_END = r"\[/{}\]"
_PLAYERS = (
    "embed|audio|video|playlist|youtube|vimeo|wpvideo|videopress|soundcloud|dailymotion|"
    "wordpress\\.tv|instagram|tweet"
)
_PLAYER = re.compile(rf"\[({_PLAYERS})\b([^\[\]]*)\]")
_GALLERY = re.compile(r"\[gallery\b([^\[\]]*)\]")
_ESCAPED = re.compile(r"\[(\[[^\[\]]*\])\]")
_ALONE = re.compile(r"^[ \t]*+(https?://[^\s<>\"\[\]]++)[ \t]*+$", re.MULTILINE)
_PICTURE = re.compile(
    r"\s*+((?:<a\b[^>]*+>\s*+)?<img\b[^>]*+>(?:\s*+</a>)?)(.*+)", re.DOTALL | re.IGNORECASE
)
_VERBATIM = re.compile(r"<(pre|code|script|style|textarea)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment of the old site."""

    address: str
    alt: str = ""


@dataclass(slots=True)
class Attachments:
    """The pictures of an export by id, and their ids by post."""

    by_id: dict[str, Attachment] = field(default_factory=dict)
    by_post: dict[str, list[str]] = field(default_factory=dict)


def expand(text: str, album: Attachments, post: str) -> str:
    """`text` with WordPress's own shortcodes, and URLs alone on a line, converted to HTML."""
    text = replace_blocks(text, _CODE, _END, _code)
    verbatim: list[str] = []

    def set_aside(text_as_is: str) -> str:
        verbatim.append(text_as_is)
        return f"\x02{len(verbatim) - 1}\x03"

    def block(opening: re.Match[str], inner: str) -> str:
        return set_aside(f"{opening[0]}{inner}</{opening[1]}>")

    text = replace_blocks(text, _VERBATIM, r"</{}\s?>", block)
    text = _ESCAPED.sub(lambda match: set_aside(match[1]), text)
    text = _expand(text, album, post)
    return re.sub("\x02(\\d+)\x03", lambda mark: verbatim[int(mark[1])], text)


def _expand(text: str, album: Attachments, post: str) -> str:
    if "[" in text:
        text = replace_blocks(text, _CAPTION, _END, _caption)
        text = _GALLERY.sub(lambda found: _gallery(_attributes(found[1]), album, post), text)
        text = replace_blocks(text, _PLAYER, _END, _player)
        text = _PLAYER.sub(_player, text)
    return _ALONE.sub(lambda found: "\n\n" + link(found[1]) + "\n\n", text)


def _attributes(text: str) -> Mapping[str, str]:
    return {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(text)}


def link(address: str, words: str = "") -> str:
    """A paragraph with a link to `address`."""
    plain = unescape(address)
    return f'<p><a href="{escape(plain)}">{escape(words or plain)}</a></p>'


def _code(opening: re.Match[str], code: str) -> str:
    attributes = _attributes(opening[2])
    language = attributes.get("language") or attributes.get("lang") or opening[1]
    name = "" if language in ("code", "sourcecode", "plain", "text") else escape(language)
    code = code if "&lt;" in code else escape(code, quote=False)
    return f'<pre><code class="language-{name}">{code.strip(chr(10))}</code></pre>'


def _caption(opening: re.Match[str], inner: str) -> str:
    picture = _PICTURE.match(inner)
    if picture is None:
        return inner
    words = escape(_attributes(opening[2]).get("caption", "")) or picture[2].strip()
    below = f"<figcaption>{words}</figcaption>" if words else ""
    return f"\n\n<figure>{picture[1]}{below}</figure>\n\n"


def _gallery(attributes: Mapping[str, str], album: Attachments, post: str) -> str:
    id_list = attributes.get("ids") or attributes.get("include") or ""
    excluded = re.findall(r"\d+", attributes.get("exclude", ""))
    ids = re.findall(r"\d+", id_list) or album.by_post.get(attributes.get("id", post), [])
    return _pictures(
        [album.by_id[each] for each in ids if each in album.by_id and each not in excluded]
    )


def _pictures(pictures: Sequence[Attachment]) -> str:
    images = (f'<img src="{escape(each.address)}" alt="{escape(each.alt)}">' for each in pictures)
    return "\n\n" + "\n\n".join(f"<p>{image}</p>" for image in images) + "\n\n"


def _player(opening: re.Match[str], inner: str = "") -> str:
    """A player as a link; one without an address stays as it is."""
    address = _ADDRESS.search(opening[2]) or _ADDRESS.search(inner)
    return f"\n\n{link(address[0])}\n\n" if address else opening[0] + inner
