"""The first page of the panel: figures, a chart, recent changes, shortcuts; each to who may see it."""

from types import SimpleNamespace
from typing import Any

from flask import url_for
from flask_admin import AdminIndexView, expose

from quire.actor import Actor
from quire.admin import chart, figures
from quire.admin.addresses import endpoint, list_url, record_url
from quire.admin.cells import title_of, when
from quire.admin.gate import Gate, actor_here
from quire.admin.history import name_of
from quire.admin.rows import find_many
from quire.admin.shell import STATIC
from quire.admin.words import past
from quire.declare.query import Condition, Query
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
"""What the audit knows beside changes."""
QUICK = ("posts", "pages")
"""Types with a shortcut to their form."""

WATCHED = (
    ("posts", "published", "Published posts"),
    ("posts", "draft", "Drafts"),
    ("posts", "scheduled", "Scheduled posts"),
    ("comments", "pending", "Pending comments"),
)


def _open(path: str, actor: Actor) -> Record | None:
    record = REGISTRY[path]
    return record if record.allows(actor, "panel") is not False else None


def _figures(actor: Actor) -> list[dict[str, Any]]:
    counts = {path: figures.by_status(REGISTRY[path], actor) for path in ("posts", "comments")}
    found = [
        {
            "label": label,
            "value": f"{counts[path].get(word, 0):,}",
            "url": list_url(record, [("status", word)]),
        }
        for path, word, label in WATCHED
        if (record := _open(path, actor))
    ]
    if users := _open("users", actor):
        found.append(
            {"label": "Users", "value": f"{figures.total(users, actor):,}", "url": list_url(users)}
        )
    return found


def _shortcuts(actor: Actor) -> list[dict[str, str]]:
    return [
        {"label": f"New {record.one.lower()}", "url": url_for(endpoint(record, "create_view"))}
        for path in QUICK
        if (record := _open(path, actor)) and record.allows(actor, "create") is not False
    ]


def _titles(actor: Actor, events: list[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """What people call the records of `events`, as far as they are still there."""
    ids: dict[str, list[int]] = {}
    for event in events:
        if event["type"] in REGISTRY and event["record_id"]:
            ids.setdefault(event["type"], []).append(event["record_id"])
    return {
        (path, id): title_of(REGISTRY[path], state)
        for path, wanted in ids.items()
        if _open(path, actor)
        for id, state in find_many(REGISTRY[path], actor, wanted).items()
    }


def _change(event: dict[str, Any], titles: dict[tuple[str, int], str]) -> Any:
    path, id = event["type"], event["record_id"]
    noun = REGISTRY[path].one.lower() if path in REGISTRY else path
    title = titles.get((path, id))
    return SimpleNamespace(
        who=name_of(event["actor"]) or "Quire",
        what=f"{past(event['action'])} the {noun}" if title else past(event["action"]),
        target=title or (f"{noun} #{id}" if id else noun),
        url=record_url(REGISTRY[path], "details_view", id) if title else None,
        when=when(event["created_at"]),
    )


def _recent(actor: Actor) -> list[Any]:
    audit = _open("audit_events", actor)
    if audit is None:
        return []
    changes = (Condition("action", "nin", NO_CHANGES), Condition("type", "ne", ("sessions",)))
    query = Query(conditions=changes, sort=("-id",), per_page=RECENT, count=False)
    events = read.page(audit, actor, query).rows
    titles = _titles(actor, events)
    return [_change(event, titles) for event in events]


def _greeting(actor: Actor) -> str:
    return f"Welcome back, {actor.username}."


class HomeView(Gate, AdminIndexView):
    """`/admin/`; it also serves the panel's own assets, and none of Flask-Admin's."""

    def __init__(self) -> None:
        super().__init__(name="Home", url="/admin", menu_icon_value="home")
        self.static_folder = str(STATIC)

    @expose()
    def index(self) -> str:
        """The page."""
        actor = actor_here()
        drawn = chart.draw(figures.last_days(actor))
        audit = _open("audit_events", actor)
        home = SimpleNamespace(
            greeting=_greeting(actor),
            shortcuts=_shortcuts(actor),
            figures=_figures(actor),
            chart=SimpleNamespace(**drawn),
            recent=_recent(actor),
            recent_url=list_url(audit) if audit else None,
        )
        return self.render("quire_admin/home.html", heading="Home", home=home)
