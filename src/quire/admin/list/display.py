"""How a person's list is shown: columns and their order, sorting, density."""

from types import SimpleNamespace
from typing import Any

from flask import request, url_for

from quire.admin.list.columns import column_fields, usual_fields, without_parameters
from quire.admin.list.listing import ListPage
from quire.admin.list.preferences import CHOSEN_COLUMNS, DENSITY, GRID, LAYOUT, layouts_of
from quire.admin.list.views import COLUMNS
from quire.admin.urls import endpoint, list_url, narrowed_url
from quire.declare.fields import Field
from quire.declare.query_fields import sort_names
from quire.records import PROFILES
from quire.web.language import gettext

DENSITIES = PROFILES.field(DENSITY).choices


def display_menu(listing: ListPage, names: list[str] | None = None) -> Any:
    """The variables of the menu; it is open with `names` as the columns being arranged."""
    fields = column_fields(listing.record, listing.actor)
    shown = [one.name for one in listing.fields] if names is None else names
    rest = [name for name in fields if name not in shown]
    leading = listing.record.title_field
    layout = listing.views.preferences.layout_of(listing.record)
    return SimpleNamespace(
        url=url_for(endpoint(listing.record, "display_view")),
        here=listing.here(),
        is_open=names is not None,
        columns=[
            {"name": name, "label": gettext(fields[name].label), "shown": name in shown}
            for name in [*shown, *rest]
            if name != leading
        ],
        leading=gettext(fields[leading].label) if leading in fields else "",
        sorts=_sorts(listing),
        densities=[
            {"name": name, "chosen": name == ("compact" if listing.is_compact else DENSITIES[0])}
            for name in DENSITIES
        ],
        layouts=[
            {"name": name, "label": label, "chosen": name == layout}
            for name, label in {"list": gettext("List"), GRID: gettext("Grid")}.items()
            if GRID in layouts_of(listing.record)
        ],
    )


def _sorts(listing: ListPage) -> list[dict[str, Any]]:
    """The sort orders to choose from, also for layouts without headers."""
    record, current = listing.record, listing.parameters.get("sort", "")
    choices = [("", gettext("Default order"))]
    for name in sort_names(record, listing.actor):
        field = record.field(name)
        first, last = _order_words(field)
        label = gettext(field.label)
        choices += [(name, f"{label}: {first}"), (f"-{name}", f"{label}: {last}")]
    if current not in dict(choices):  # by several fields, from the URL
        choices.append((current, current))
    return [{"value": v, "label": words, "chosen": v == current} for v, words in choices]


def _order_words(field: Field) -> tuple[str, str]:
    if field.kind.widget in ("datetime", "date"):
        return gettext("oldest first"), gettext("newest first")
    if field.kind.widget in ("number", "decimal"):
        return gettext("lowest first"), gettext("highest first")
    if field.kind.widget == "checkbox":
        return gettext("no first"), gettext("yes first")
    return gettext("A to Z"), gettext("Z to A")


def sent_columns(listing: ListPage) -> list[str]:
    """The submitted columns in their order, with one of them moved up or down."""
    fields = column_fields(listing.record, listing.actor)
    names = [name for name in dict.fromkeys(request.form.getlist("column")) if name in fields]
    for step in ("up", "down"):
        name = request.form.get(step, "")
        if name in names:
            place = names.index(name)
            names.insert(max(place + (1 if step == "down" else -1), 0), names.pop(place))
    return names


def apply_display(listing: ListPage) -> str:
    """Save the submitted display, and return the URL of the list shown that way.

    While a view is open, the columns change that view rather than the person's list.
    """
    listing.views.preferences.save_density(listing.actor, _density(listing))
    _save_layout(listing)
    standard = "standard" in request.form
    names = [] if standard else sent_columns(listing)
    rest = without_parameters(listing.pairs, COLUMNS, "sort", "page")
    if sort := request.form.get("sort", ""):
        rest.append(("sort", sort))
    if listing.views.current is not None:
        usual = [one.name for one in usual_fields(listing.record, listing.actor)]
        return list_url(listing.record, [*rest, (COLUMNS, ",".join(names or usual))])
    _save_columns(listing, names)
    return narrowed_url(listing.record, rest)


def _density(listing: ListPage) -> str:
    sent = request.form.get(DENSITY, "")
    return sent if sent in DENSITIES else DENSITIES[listing.is_compact]


def _save_layout(listing: ListPage) -> None:
    record, preferences = listing.record, listing.views.preferences
    sent, layouts = request.form.get("layout"), layouts_of(record)
    if sent in layouts and sent != preferences.layout_of(record):
        chosen = sent if sent != layouts[0] else None
        preferences.save(record, listing.actor, LAYOUT, chosen)


def _save_columns(listing: ListPage, names: list[str]) -> None:
    record, actor = listing.record, listing.actor
    usual = [one.name for one in usual_fields(record, actor) if one.name != record.title_field]
    chosen = None if names in ([], usual) else names
    if chosen != listing.views.preferences.of_list(record, CHOSEN_COLUMNS):
        listing.views.preferences.save(record, actor, CHOSEN_COLUMNS, chosen)
