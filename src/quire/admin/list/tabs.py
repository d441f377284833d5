"""The tabs above a list: all, one's own, states, those in its declaration, trash, saved views."""

from typing import Any
from urllib.parse import parse_qsl

from quire.actor import Actor
from quire.admin.list.columns import without_parameters
from quire.admin.list.groups import has_tabs
from quire.admin.list.views import ListViews
from quire.admin.urls import MATCH, Pairs, list_url, narrowed_url
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record
from quire.records.saved_views import EVERYTHING, VIEW
from quire.web.language import gettext

Entry = tuple[str, Pairs]


def _states(record: Record, actor: Actor) -> list[Entry]:
    status = filter_paths(record, actor).get("status")
    words = status.choices if status is not None and has_tabs(status) else ()
    labels = {parameters: label for label, parameters in record.tabs}
    return [
        (gettext(labels.get(f"status={word}", word.capitalize())), [("status", word)])
        for word in words
        if word != "trashed"
    ]


def _own_tabs(record: Record, actor: Actor) -> list[Entry]:
    """The tab of one's own records, for those who see others too."""
    if record.allows(actor, "panel") is not True or not actor.username:
        return []
    columns = [one.owner_column for one in record.access.update.walk()]
    paths = filter_paths(record, actor)
    for one in record.fields:
        is_owner = one.is_stored and any(column is one.column for column in columns)
        if is_owner and one.target and f"{one.name}.username" in paths:
            return [(gettext("Mine"), [(f"{one.name}.username", actor.username)])]
    return []


def _declared_tabs(record: Record, actor: Actor) -> list[Entry]:
    paths = filter_paths(record, actor)
    entries = [(label, parse_qsl(parameters)) for label, parameters in record.tabs]
    return [
        (gettext(label), pairs)
        for label, pairs in entries
        if pairs[0][0] != "status" and all(n.partition("__")[0] in paths for n, _ in pairs)
    ]


def tabs(record: Record, actor: Actor, views: ListViews, pairs: Pairs) -> list[dict[str, Any]]:
    """The tabs above the list; the last one that matches its parameters is the current one."""
    trash = [(gettext("Trash"), [("trashed", "true")])] if record.has_trash else []
    middle = [
        *_own_tabs(record, actor),
        *_states(record, actor),
        *_declared_tabs(record, actor),
        *trash,
    ]
    entries: list[Entry] = [(gettext("All"), []), *middle]
    any_match = any(name == MATCH for name, _ in pairs)
    fitting = [own for _, own in entries if _fits(own, pairs, any_match)]
    current = None if views.current else fitting[-1]
    rest = without_parameters(pairs, "status", "trashed", "page")
    rest = [pair for pair in rest if pair not in fitting[-1]]
    if views.current:  # the other tabs are not subsets of it
        rest = [(VIEW, EVERYTHING)] if views.default else []
    marks = [pair for pair in rest if pair[0] == VIEW]
    links = [
        {
            "label": label,
            # with alternatives, another filter would find more rows
            "url": narrowed_url(
                record, [*(rest if _is_state(own) or not any_match else marks), *own]
            ),
            "current": own == current,
        }
        for label, own in entries
    ]
    links += [_saved_tab(record, views, view) for view in views.all]
    return links if len(links) > 1 else []


def _is_state(own: Pairs) -> bool:
    return all(name in ("status", "trashed") for name, _ in own)


def _fits(own: Pairs, pairs: Pairs, any_match: bool) -> bool:
    return all(pair in pairs for pair in own) and (_is_state(own) or not any_match)


def _saved_tab(record: Record, views: ListViews, view: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": view["name"],
        "url": list_url(record, [(VIEW, view["slug"])]),
        "current": views.current is view,
        "is_saved_view": True,
    }
