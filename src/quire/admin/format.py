"""Formats JSON values for people: badges, dates, links; all text is escaped."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from markupsafe import Markup, escape

from quire.admin.local_time import format_moment, format_relative, short_date
from quire.admin.past_tense import word_of
from quire.admin.thumbnails import thumbnail
from quire.admin.urls import Address
from quire.declare.fields import Field
from quire.declare.markdown import plain_words
from quire.declare.record import Record, record_of
from quire.jobs.webhooks.outcome import FAILURES
from quire.translations.messages import read_message
from quire.web.language import format_number, gettext, translate, word_label

TONES = {
    "published": "success",
    "approved": "success",
    "active": "success",
    "open": "success",
    "admin": "info",
    "scheduled": "info",
    "moderator": "info",
    "ready": "success",
    "delivered": "success",
    "failed": "error",
    "pending": "warning",
    "given_up": "error",
    "broken": "error",
    "moderated": "warning",
    "spam": "error",
    "trashed": "error",
}
"""Colors of well-known words; all others are gray."""

SHORT, SMALL = 90, 50
"""The maximum length of a text, and of the name of another record, in a list."""

BREAK = Markup("<wbr>")
"""Inserted in places where a long word may break."""


def day(value: str) -> Markup:
    """A date as `22 Nov 2026`."""
    moment = datetime.fromisoformat(value)
    return Markup('<time datetime="{}" class="nowrap">{}</time>').format(value, short_date(moment))


def badge(word: str, label: str | None = None) -> Markup:
    """A choice as a colored badge."""
    shown = label or word_label(word)
    return Markup('<span class="badge {}">{}</span>').format(TONES.get(word, ""), shown)


def yes_no(value: bool) -> Markup:
    """Yes or no."""
    return Markup('<span class="badge {}">{}</span>').format(
        *("success", gettext("Yes")) if value else ("", gettext("No"))
    )


def small_name(value: Any, target: Record) -> str:
    """The name of a referenced record: its title, its key, or its id."""
    if not isinstance(value, dict):
        return f"#{value}"
    names = (value.get(target.title_field), value.get(target.key), f"#{value['id']}")
    return truncate(next(str(name) for name in names if name), SMALL)


def reference(value: Any, field: Field, address: Address) -> Markup:
    """A reference, as a link if the reader may follow it."""
    target = record_of(field.target or "")
    name = small_name(value, target)
    url = address(target, value["id"] if isinstance(value, dict) else value)
    image = thumbnail(value) if target.path == "media" else Markup("")
    if image and url:  # a thumbnail has no text, and a link needs some
        label = value.get("alt") or f"{gettext(target.singular)} {name}"
        return Markup('<a href="{}" aria-label="{}">{}</a>').format(url, label, image)
    return Markup('<a href="{}">{}</a>').format(url, name) if url else image or escape(name)


def references(value: Any, field: Field) -> Markup:
    """Several references as small labels."""
    target = record_of(field.target or "")
    return Markup(" ").join(
        Markup('<span class="tag" dir="auto">{}</span>').format(small_name(one, target))
        for one in value
    )


def truncate(text: str, limit: int = SHORT) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def _plain(value: Any, widget: str, full: bool) -> Markup:
    if widget == "lines":
        return Markup("<br>").join(value)
    if isinstance(value, dict | list):
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        return Markup("<pre>{}</pre>").format(text) if full else escape(truncate(text))
    if widget == "email":
        return BREAK.join(re.split(r"(?<=[@.])", value))
    if widget == "url":
        return Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>').format(value)
    if full and widget in ("markdown", "html", "textarea"):
        return Markup("<pre>{}</pre>").format(value)
    return escape(value if full else truncate(str(value)))


def figure(number: int, limit: int) -> str:
    """`57`, or `1,000+` if counting stops at `limit`."""
    return format_number(min(number, limit)) + ("+" if number > limit else "")


def size(bytes: int) -> Markup:
    """`16 MB`, `1.5 MB`."""
    sizes = (("GB", 2**30), ("MB", 2**20), ("KB", 2**10))
    unit, one = next((pair for pair in sizes if bytes >= pair[1]), sizes[-1])
    number = bytes / one
    return Markup("{} {}").format(format_number(number, 0 if number >= 10 else 1), unit)


def sizes(variants: dict[str, Any]) -> Markup:
    """The smaller versions of a picture, each a link."""
    link = Markup('<a href="{url}">{width} × {height}</a> (<a href="{webp}">WebP</a>)')
    return Markup("<br>").join(link.format(**one) for one in variants.values())


def reason(text: str) -> Markup:
    """Why something has failed, in the language of the reader."""
    return escape(translate(read_message(text, FAILURES)))


def short_reason(text: str) -> Markup:
    """The beginning of the reason."""
    return escape(truncate(reason(text).unescape()))


FORMATTERS: dict[str, Callable[[Any], Markup]] = {
    "bytes": size,
    "variants": sizes,
    "time": format_relative,
    "day": day,
    "reason": short_reason,
}
"""Kinds of values with their own format."""

FULL_FORMATTERS = {**FORMATTERS, "time": format_moment, "reason": reason}
"""The same for values that are shown in full."""


def nowhere(record: Record, id: int) -> None:
    """An empty URL for what is not linked, for example inside another link."""


def cell_html(
    field: Field, value: Any, address: Address = nowhere, *, full: bool = False
) -> Markup:
    """A value as HTML; empty for null. `full` shows long text whole."""
    widget = field.kind.widget
    if value is None or value in ("", [], {}):
        return Markup("")
    if isinstance(value, bool):
        return yes_no(value)
    formatters = FULL_FORMATTERS if full else FORMATTERS
    if field.kind.name in formatters:
        return formatters[field.kind.name](value)
    if widget == "ref":
        return reference(value, field, address)
    if widget == "refs":
        return references(value, field)
    label = word_of(field, value)
    return badge(value, label) if field.choices else _plain(label or value, widget, full)


def quote(title: str) -> str:
    """A title inside a sentence, between the quotation marks of the language."""
    return gettext("“%(title)s”", title=title)


def record_title(record: Record, state: dict[str, Any]) -> str:
    """The name by which people know this record."""
    if title := record.title(state):
        return truncate(translate(title).removesuffix("."))
    value = state.get(record.title_field)
    field = record.field(record.title_field)
    if isinstance(value, dict):
        return small_name(value, record_of(field.target or ""))
    if value and (words := word_of(field, value)):
        return words
    if field.kind.widget == "markdown":
        value = plain_words(str(value or ""))
    if record.singleton and record.title_field == "id":
        return gettext(record.label)
    return truncate(str(value)) if value not in (None, "") else _person(state) or f"#{state['id']}"


def _person(state: dict[str, Any]) -> str:
    """The user of a profile, which names a profile without a name."""
    user = state.get("user")
    return str(user.get("username") or "") if isinstance(user, dict) else ""
