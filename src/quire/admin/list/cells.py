"""The cells of a list: values as HTML, those that can be filtered as links to similar records."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup

from quire.actor import Actor
from quire.admin.format import cell_html, small_name
from quire.admin.past_tense import words_for
from quire.admin.urls import MATCH, Pairs, address_for, list_url
from quire.declare.fields import Field
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record, record_of

LINK = Markup('<a class="narrow" href="{}">{}</a>')
TAG = Markup('<a class="tag" dir="auto" href="{}">{}</a>')
"""Each of several names has its own text direction; a single one has that of its cell."""


def filter_path(field: Field, paths: Mapping[str, Field]) -> str:
    """References are filtered by their natural key if that is allowed."""
    if field.target:
        by_key = f"{field.name}.{record_of(field.target).key}"
        return by_key if by_key in paths else field.name
    return field.name


def _filter_text(field: Field, path: str, value: Any) -> str:
    """The value of the filter that finds records with this value; empty for values that are hardly shared."""
    if isinstance(value, bool):
        return str(value).lower()
    if field.target:
        name = path.partition(".")[2] or "id"
        small = value if isinstance(value, dict) else {"id": value}
        return str(small.get(name, ""))
    return str(value) if field.choices or words_for(field) else ""


@dataclass(frozen=True)
class Cells:
    """Creates the cells of a list for an actor; `pairs` are the current parameters of the list."""

    record: Record
    actor: Actor
    pairs: Pairs

    @cached_property
    def _paths(self) -> Mapping[str, Field]:
        return filter_paths(self.record, self.actor)

    def html(self, field: Field, value: Any) -> Markup:
        """A value, as a link that filters by it if it is one of few."""
        if value is None or value in ("", [], {}):
            return Markup("")
        if field.many is not None:
            return Markup(" ").join(self._label(field, one) for one in value)
        url = self._url(field, value)
        if url is None:
            return cell_html(field, value, address_for(self.actor))
        return LINK.format(url, cell_html(field, value))

    def _label(self, field: Field, value: Any) -> Markup:
        name, url = small_name(value, record_of(field.target or "")), self._url(field, value)
        if url is None:
            return Markup('<span class="tag" dir="auto">{}</span>').format(name)
        return TAG.format(url, name)

    def _url(self, field: Field, value: Any) -> str | None:
        """The URL of the list, also filtered by this value."""
        path = filter_path(field, self._paths)
        text = _filter_text(field, path, value)
        shows_picture = field.target is not None and record_of(field.target).path == "media"
        if path not in self._paths or not text or shows_picture:
            return None
        replaced = (path, f"{path}__in", "page")
        rest = [(name, one) for name, one in self.pairs if name not in replaced]
        if (MATCH, "any") in rest:  # with alternatives, another filter would find more rows
            rest = []
        return list_url(self.record, [*rest, (path, text)])
