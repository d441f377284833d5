"""The dashboard: what needs attention, one's own posts, a chart, recent changes and shortcuts."""

from types import SimpleNamespace
from typing import Any

from flask import url_for
from flask_admin import Admin, AdminIndexView, expose

from quire.actor import Actor
from quire.admin.assets import STATIC, serve_bundles
from quire.admin.audit.sentences import Sentence, sentences
from quire.admin.check_rows import check_row
from quire.admin.dashboard import chart
from quire.admin.dashboard.attention import attention
from quire.admin.dashboard.counts import SERIES, VIEWS, home_counts, latest_own_posts, sees_views
from quire.admin.dashboard.system import system_overview
from quire.admin.format import badge, record_title
from quire.admin.local_time import format_relative
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.urls import endpoint, list_url, record_url
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY, Record
from quire.store import read
from quire.web.language import gettext

QUICK = ("posts", "pages", "media")
"""Types with a shortcut to their form."""
OWN_POSTS = 6
"""The number of the user's own posts that are listed."""
RECENT = 8
"""The number of changes that are listed."""
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


def _is_accessible(path: str, actor: Actor) -> Record | None:
    record = REGISTRY[path]
    return record if record.allows(actor, "panel") is not False else None


def _shortcuts(actor: Actor) -> list[dict[str, str]]:
    shortcuts = [
        {
            "label": gettext("New %(noun)s", noun=gettext(record.noun)),
            "url": url_for(endpoint(record, "create_view")),
        }
        for path in QUICK
        if (record := _is_accessible(path, actor)) and record.allows(actor, "create") is not False
    ]
    if actor.at_least("admin"):
        shortcuts.append({"label": gettext("Invite someone"), "url": url_for("invitations.index")})
    return shortcuts


def _own_posts(actor: Actor) -> list[Any]:
    """The posts that this person has worked on lately."""
    posts = _is_accessible("posts", actor)
    if posts is None:
        return []
    return [
        SimpleNamespace(
            title=record_title(posts, state),
            url=record_url(posts, "edit_view", state["id"]),
            status=badge(state["status"]),
            when=format_relative(state["updated_at"]),
        )
        for state in latest_own_posts(posts, actor, OWN_POSTS)
    ]


def _first_steps() -> list[Any]:
    """The first steps of an administrator on a site without posts."""
    record_steps = (
        (
            "settings",
            "edit_view",
            gettext("Name your site"),
            gettext("and say who can register and comment."),
        ),
        (
            "appearance",
            "edit_view",
            gettext("Customize its appearance"),
            gettext("with a logo, a color and a footer."),
        ),
    )
    steps = [
        SimpleNamespace(url=record_url(REGISTRY[path], view, 1), what=what, why=why)
        for path, view, what, why in record_steps
    ]
    write = url_for(endpoint(REGISTRY["posts"], "create_view"))
    others = (
        (
            write,
            gettext("Write the first post"),
            gettext("or bring your posts along under Import."),
        ),
        (
            url_for("invitations.index"),
            gettext("Invite your colleagues"),
            gettext("as authors or moderators."),
        ),
        (
            url_for("backups.index"),
            gettext("Set up backups"),
            gettext("so that nothing can be lost."),
        ),
    )
    return steps + [SimpleNamespace(url=url, what=what, why=why) for url, what, why in others]


def _recent_changes(audit: Record, actor: Actor) -> list[Sentence]:
    """The latest changes, newest first."""
    changes = (Condition("action", "nin", NO_CHANGES), Condition("type", "ne", ("sessions",)))
    query = Query(
        conditions=changes, fields=audit.field_names, sort=("-id",), per_page=RECENT, count=False
    )
    return sentences(actor, read.list_records(audit, actor, query).rows)


class HomeView(PanelView, AdminIndexView):
    """`/admin/`; it also serves the assets of the panel, and none of Flask-Admin's."""

    def __init__(self) -> None:
        super().__init__(name="Dashboard", url="/admin", menu_icon_value="home")
        self.static_folder = str(STATIC)

    def create_blueprint(self, admin: Admin) -> Any:
        """Create the view's blueprint, with the bundles."""
        blueprint = super().create_blueprint(admin)
        serve_bundles(blueprint)
        return blueprint

    @expose()
    def index(self) -> str:
        """The page."""
        actor = panel_actor()
        counts = home_counts(actor)
        is_new = actor.at_least("admin") and not counts.numbers.get("any_post")
        audit = _is_accessible("audit_events", actor)
        posts = _is_accessible("posts", actor)
        system = system_overview() if actor.at_least("admin") else None
        home = SimpleNamespace(
            greeting=gettext("Welcome back, %(username)s.", username=actor.username),
            first_steps=_first_steps() if is_new else [],
            shortcuts=_shortcuts(actor),
            attention=attention(actor, counts.numbers),
            own_posts=_own_posts(actor),
            own_url=list_url(REGISTRY["posts"], [("author.username", actor.username or "")]),
            write_url=url_for(endpoint(REGISTRY["posts"], "create_view")) if posts else None,
            chart=SimpleNamespace(**chart.chart(counts.days, SERIES)),
            views=SimpleNamespace(**chart.chart(counts.days, (VIEWS,)))
            if sees_views(actor)
            else None,
            system=system,
            problems=[check_row(*one) for one in system.problems.items()] if system else [],
            recent=_recent_changes(audit, actor) if audit else [],
            recent_url=list_url(audit) if audit else None,
        )
        return self.render("quire_admin/dashboard.html", heading=gettext("Dashboard"), home=home)
