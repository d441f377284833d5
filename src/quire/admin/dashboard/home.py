"""The dashboard: figures, a chart, recent changes and shortcuts, each for those who may see it."""

from types import SimpleNamespace
from typing import Any

from flask import url_for
from flask_admin import AdminIndexView, expose

from quire.actor import Actor
from quire.admin.dashboard import chart
from quire.admin.dashboard import counts as dashboard_counts
from quire.admin.format import record_title
from quire.admin.layout import STATIC
from quire.admin.local_time import format_moment
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.past_tense import ABOUT_NOTHING, sentence
from quire.admin.queries import find_many
from quire.admin.record_history import actor_name
from quire.admin.urls import endpoint, list_url, record_url
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY, Record
from quire.store import read

RECENT = 8
NO_CHANGES = (
    "sign_in",
    "sign_in_failed",
    "sign_out",
    "denied",
    "view_as",
    "stop_viewing",
    "export",
    "import",
    "undo_import",
)
"""Audit events that are not changes."""
QUICK = ("posts", "pages")
"""Types with a shortcut to their form."""

WATCHED = (
    ("posts", "published", "Published posts"),
    ("posts", "draft", "Drafts"),
    ("posts", "scheduled", "Scheduled posts"),
    ("comments", "pending", "Pending comments"),
)


def _is_accessible(path: str, actor: Actor) -> Record | None:
    record = REGISTRY[path]
    return record if record.allows(actor, "panel") is not False else None


def _status_url(record: Record, word: str) -> str:
    """The records in one state: the queue, where they wait for a decision."""
    if record.moderation is not None and record.moderation.waiting == word:
        return url_for(endpoint(record, "moderation_view"))
    return list_url(record, [("status", word)])


def _totals(actor: Actor) -> list[dict[str, Any]]:
    counts = {
        path: dashboard_counts.by_status(REGISTRY[path], actor) for path in ("posts", "comments")
    }
    totals = [
        {
            "label": label,
            "value": f"{counts[path].get(word, 0):,}",
            "url": _status_url(record, word),
        }
        for path, word, label in WATCHED
        if (record := _is_accessible(path, actor))
    ]
    if users := _is_accessible("users", actor):
        totals.append(
            {
                "label": "Users",
                "value": f"{dashboard_counts.total(users, actor):,}",
                "url": list_url(users),
            }
        )
    return totals


def _shortcuts(actor: Actor) -> list[dict[str, str]]:
    return [
        {"label": f"New {record.noun}", "url": url_for(endpoint(record, "create_view"))}
        for path in QUICK
        if (record := _is_accessible(path, actor)) and record.allows(actor, "create") is not False
    ]


def _titles(actor: Actor, events: list[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """The titles of the records of `events`, if they still exist."""
    ids: dict[str, list[int]] = {}
    for event in events:
        if event["type"] in REGISTRY and event["record_id"]:
            ids.setdefault(event["type"], []).append(event["record_id"])
    return {
        (path, id): record_title(REGISTRY[path], state)
        for path, ids_of_type in ids.items()
        if _is_accessible(path, actor)
        for id, state in find_many(REGISTRY[path], actor, ids_of_type).items()
    }


def _change(event: dict[str, Any], titles: dict[tuple[str, int], str]) -> Any:
    path, id = event["type"], event["record_id"]
    noun = REGISTRY[path].noun if path in REGISTRY else path
    title = titles.get((path, id))
    return SimpleNamespace(
        who=actor_name(event["actor"]) or "Quire",
        what=sentence(event["action"], f"the {noun}" if title else ""),
        target="" if event["action"] in ABOUT_NOTHING else title or _fallback_title(path, id),
        url=record_url(REGISTRY[path], "details_view", id) if title else None,
        when=format_moment(event["created_at"]),
    )


def _fallback_title(path: str, id: int | None) -> str:
    """A title for a record whose own is unknown."""
    record = REGISTRY.get(path)
    if record is None:
        return path
    return f"{record.noun} #{id}" if id else record.plural_noun


def _recent(actor: Actor) -> list[Any]:
    audit = _is_accessible("audit_events", actor)
    if audit is None:
        return []
    changes = (Condition("action", "nin", NO_CHANGES), Condition("type", "ne", ("sessions",)))
    query = Query(conditions=changes, sort=("-id",), per_page=RECENT, count=False)
    events = read.list_records(audit, actor, query).rows
    titles = _titles(actor, events)
    return [_change(event, titles) for event in events]


def _greeting(actor: Actor) -> str:
    return f"Welcome back, {actor.username}."


class HomeView(PanelView, AdminIndexView):
    """`/admin/`; also serves the assets of the panel, and none of Flask-Admin's."""

    def __init__(self) -> None:
        super().__init__(name="Dashboard", url="/admin", menu_icon_value="home")
        self.static_folder = str(STATIC)

    @expose()
    def index(self) -> str:
        """The page."""
        actor = panel_actor()
        activity = chart.chart(dashboard_counts.last_days(actor))
        audit = _is_accessible("audit_events", actor)
        home = SimpleNamespace(
            greeting=_greeting(actor),
            shortcuts=_shortcuts(actor),
            figures=_totals(actor),
            chart=SimpleNamespace(**activity),
            recent=_recent(actor),
            recent_url=list_url(audit) if audit else None,
        )
        return self.render("quire_admin/home.html", heading="Dashboard", home=home)
