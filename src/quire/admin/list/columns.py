"""The columns of a list, and the links of its headers and pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from quire.actor import Actor
from quire.admin.urls import Pairs, list_url
from quire.declare.fields import Computed, Field
from quire.declare.query_fields import sort_names
from quire.declare.record import Record
from quire.web.language import gettext

MAX_COLUMNS = 6
"""The number of columns that fit on a typical screen."""

LONG = ("markdown", "html", "json", "lines", "pairs", "textarea", "password")
MIN_COLUMNS = 4
"""The number of columns up to which less important fields are added."""

RARELY = 10
"""Added to the rank of fields that can be neither sorted nor filtered."""

AROUND = 2
"""The number of pages shown on either side of the current one."""


@dataclass(frozen=True)
class Column:
    """A column of a list."""

    name: str
    label: str
    leads: bool
    numeric: bool
    sort_url: str | None
    sorted: str | None


def _rank(record: Record, field: Field) -> tuple[int, int]:
    """Sort key by importance: title, state, references, dates, the rest."""
    widget = field.kind.widget
    if field.name == record.title_field or (record.newest_first and field.name == "created_at"):
        rank = 0
    elif field.choices:
        rank = 1
    elif field.target:
        rank = 2
    elif widget == "datetime":
        rank = 5 if field.name in ("created_at", "updated_at") else 3
    else:
        rank = 4
    if not (field.sort or field.filter or rank == 0):
        rank += RARELY
    return rank, [one.name for one in record.fields].index(field.name)


def _fits(record: Record, field: Field) -> bool:
    """Whether it fits into a list: no long text, no count, no repetition of another column."""
    if field.name == record.title_field:
        return True
    repeats = isinstance(field, Computed) and not field.choices and field.on_update
    dull = (
        field.on_request
        or field.kind.name in ("slug", "nothing")
        or field.name in ("version", "id", "deleted_at")
    )
    return not (field.kind.widget in LONG or repeats or dull)


def column_fields(record: Record, actor: Actor) -> dict[str, Field]:
    """The fields that can be columns of the list for this actor, by name."""
    visible = (record.field(name) for name in record.visible_fields(actor))
    return {one.name: one for one in visible if one.name == record.title_field or _is_short(one)}


def _is_short(field: Field) -> bool:
    nothing = field.kind.name == "nothing" or field.name == "deleted_at"
    return not (field.kind.widget in LONG or nothing)


def shown_fields(record: Record, actor: Actor, chosen: Sequence[str] = ()) -> list[Field]:
    """The fields in the list for this actor, title first: the `chosen` ones, or else the usual ones."""
    fields = column_fields(record, actor)
    names = [name for name in dict.fromkeys([record.title_field, *chosen]) if name in fields]
    if any(name in fields for name in chosen):
        return [fields[name] for name in names]
    return usual_fields(record, actor)


def usual_fields(record: Record, actor: Actor) -> list[Field]:
    """The default columns, at most MAX_COLUMNS."""
    visible = record.visible_fields(actor)
    fitting = [record.field(name) for name in visible if _fits(record, record.field(name))]
    by_rank = sorted(fitting, key=lambda one: _rank(record, one))
    usual = [one for one in by_rank if _rank(record, one)[0] < RARELY]
    best = by_rank[: max(MIN_COLUMNS, min(MAX_COLUMNS, len(usual)))]
    order = {one.name: number for number, one in enumerate(record.fields)}
    return sorted(best, key=lambda one: (one.name != record.title_field, order[one.name]))


def read_names(record: Record) -> tuple[str, ...]:
    """The fields to read for a page of records; counts that are made on request are added if they are shown."""
    fields = (record.field(name) for name in record.field_names)
    return tuple(one.name for one in fields if not (one.on_request and one.is_ignored))


def without_parameters(pairs: Pairs, *names: str) -> Pairs:
    """The parameters except those called `names`."""
    return [(name, value) for name, value in pairs if name not in names]


def _sorting(record: Record, pairs: Pairs) -> str:
    """The name by which the list is sorted, with `-` in front for descending."""
    sort = dict(pairs).get("sort", "").split(",")[0]
    usual = "-created_at" if record.newest_first else record.order[0]
    return sort or ("" if dict(pairs).get("search") else usual)


def columns(record: Record, actor: Actor, fields: list[Field], pairs: Pairs) -> list[Column]:
    """The headers of the table, with links that sort it."""
    current = _sorting(record, pairs)
    sortable = sort_names(record, actor)
    rest = without_parameters(pairs, "sort", "page")
    return [_column(record, one, current, one.name in sortable, rest) for one in fields]


def _column(record: Record, field: Field, current: str, sortable: bool, rest: Pairs) -> Column:
    is_current = current.removeprefix("-") == field.name
    descending = is_current and current.startswith("-")
    ascends_next = descending or (not is_current and field.kind.widget != "datetime")
    target = field.name if ascends_next else f"-{field.name}"
    return Column(
        name=field.name,
        label=gettext(field.label),
        leads=field.name == record.title_field,
        numeric=field.kind.widget in ("number", "decimal"),
        sort_url=list_url(record, [*rest, ("sort", target)]) if sortable else None,
        sorted=("descending" if descending else "ascending") if is_current else None,
    )


def page_numbers(record: Record, pairs: Pairs, page: int, pages: int) -> list[dict[str, Any]]:
    """Page numbers around the current one, the first and the last; `…` where some are omitted."""
    near = range(page - AROUND, page + AROUND + 1)
    numbers = [n for n in sorted({1, pages, *near}) if 1 <= n <= pages]
    links: list[dict[str, Any]] = []
    for before, number in zip([0, *numbers], numbers, strict=False):
        if number - before > 1:
            links.append({"label": "…", "url": None, "current": False})
        current = number == page
        links.append(
            {
                "label": number,
                "current": current,
                "url": None if current else page_url(record, pairs, number),
            }
        )
    return links


def page_url(record: Record, pairs: Pairs, number: int) -> str:
    """Another page of the same list."""
    rest = without_parameters(pairs, "page")
    return list_url(record, [*rest, ("page", str(number))] if number > 1 else rest)
