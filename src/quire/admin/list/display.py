"""How a person has a list shown: which columns in which order, sorted by what, how close together."""

from types import SimpleNamespace
from typing import Any

from flask import request, url_for

from quire.admin.list.columns import column_fields, usual_fields, without_parameters
from quire.admin.list.listing import ListPage
from quire.admin.list.preferences import COLUMNS as CHOSEN_COLUMNS
from quire.admin.list.preferences import DENSITY
from quire.admin.list.views import COLUMNS
from quire.admin.urls import endpoint, list_url, narrowed_url
from quire.declare.fields import Field
from quire.declare.query_fields import sort_names
from quire.records import PROFILES

DENSITIES = PROFILES.field(DENSITY).choices


def display_menu(listing: ListPage, names: list[str] | None = None) -> Any:
    """The variables of the menu; it is open with `names` as the columns that are being arranged."""
    fields = column_fields(listing.record, listing.actor)
    shown = [one.name for one in listing.fields] if names is None else names
    rest = [name for name in fields if name not in shown]
    leading = listing.record.title_field
    return SimpleNamespace(
        url=url_for(endpoint(listing.record, "display_view")),
        here=listing.here(),
        is_open=names is not None,
        columns=[
            {"name": name, "label": fields[name].label, "shown": name in shown}
            for name in [*shown, *rest]
            if name != leading
        ],
        leading=fields[leading].label if leading in fields else "",
        sorts=_sorts(listing),
        densities=[
            {"name": name, "chosen": name == ("compact" if listing.is_compact else DENSITIES[0])}
            for name in DENSITIES
        ],
    )


def _sorts(listing: ListPage) -> list[dict[str, Any]]:
    """The orders to choose from, also for those who see no headers to click on."""
    record, current = listing.record, listing.parameters.get("sort", "")
    choices = [("", "Usual order")]
    for name in sort_names(record, listing.actor):
        field = record.field(name)
        first, last = _order_words(field)
        choices += [(name, f"{field.label}: {first}"), (f"-{name}", f"{field.label}: {last}")]
    if current not in dict(choices):  # by several fields, from the address
        choices.append((current, current))
    return [{"value": v, "label": words, "chosen": v == current} for v, words in choices]


def _order_words(field: Field) -> tuple[str, str]:
    if field.kind.widget in ("datetime", "date"):
        return "oldest first", "newest first"
    if field.kind.widget in ("number", "decimal"):
        return "lowest first", "highest first"
    return "A to Z", "Z to A"


def sent_columns(listing: ListPage) -> list[str]:
    """The columns in the order in which they were sent, one of them moved up or down."""
    fields = column_fields(listing.record, listing.actor)
    names = [name for name in dict.fromkeys(request.form.getlist("column")) if name in fields]
    for step in ("up", "down"):
        name = request.form.get(step, "")
        if name in names:
            place = names.index(name)
            names.insert(max(place + (1 if step == "down" else -1), 0), names.pop(place))
    return names


def apply_display(listing: ListPage) -> str:
    """Keep what was sent, and return the address of the list that is shown so.

    While a view is open the columns are a change of that view, not of the person's list.
    """
    listing.views.preferences.save_density(listing.actor, _density(listing))
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


def _save_columns(listing: ListPage, names: list[str]) -> None:
    record, actor = listing.record, listing.actor
    usual = [one.name for one in usual_fields(record, actor) if one.name != record.title_field]
    chosen = None if names in ([], usual) else names
    if chosen != listing.views.preferences.of_list(record, CHOSEN_COLUMNS):
        listing.views.preferences.save(record, actor, CHOSEN_COLUMNS, chosen)
