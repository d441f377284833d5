"""The layout of every page: menu, user, URLs, colors."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import request, url_for
from flask_admin import Admin
from flask_admin.base import BaseView
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from quire.actor import Actor
from quire.admin.assets import asset
from quire.admin.urls import endpoint
from quire.auth.maintenance_mode import seen_maintenance
from quire.declare.record import REGISTRY
from quire.store.maintenance_mode import Maintenance
from quire.translations.messages import Message
from quire.web.language import gettext, language, script_texts, translate

ROLES = {
    "admin": Message("Administrator"),
    "moderator": Message("Moderator"),
    "author": Message("Author"),
}
PREFERENCES = "user_prefs"
"""The cookie with a reader's preferences, such as `theme=dark`, which the site sets."""


@dataclass(frozen=True)
class MenuItem:
    """An entry of the menu."""

    name: str
    url: str
    icon: str
    current: bool


def _link(item: Any, view: BaseView) -> MenuItem:
    icon, url = item.get_icon_value() or "record", item.get_url() or "#"
    return MenuItem(gettext(str(item.name)), url, icon, item.is_active(view) or url == request.path)


def menu(admin: Admin, view: BaseView) -> list[dict[str, Any]]:
    """The groups of the menu with the views that this actor may use."""
    groups: list[dict[str, Any]] = []
    for item in admin.menu():
        is_category = item.is_category()
        is_shown = not is_category and item.is_accessible() and item.is_visible()
        items = item.get_children() if is_category else [item] if is_shown else []
        if items:
            name = gettext(str(item.name)) if is_category else ""
            groups.append({"name": name, "links": [_link(one, view) for one in items]})
    return [{**one, "links": _current_once(one["links"])} for one in groups]


def _current_once(links: list[MenuItem]) -> list[MenuItem]:
    """A page with an entry of its own does not also highlight the one of its type."""
    if not any(one.url == request.path for one in links):
        return links
    return [replace(one, current=one.url == request.path) for one in links]


@dataclass(frozen=True)
class Layout:
    """The layout of one page for one actor."""

    actor: Actor
    view: BaseView
    site_name: str

    asset = staticmethod(asset)

    @property
    def language(self) -> str:
        """The language of the page."""
        return language()

    @property
    def texts(self) -> Markup:
        """The texts of scripts in the language of the page, as JSON; empty in English."""
        return script_texts(language())

    @property
    def menu(self) -> list[dict[str, Any]]:
        """Groups of links."""
        return menu(self.view.admin, self.view)

    @property
    def maintenance(self) -> Maintenance | None:
        """The maintenance during which only administrators are admitted."""
        return seen_maintenance()

    @property
    def color(self) -> str:
        """light, dark or auto, as the reader has chosen."""
        return dict(parse_qsl(request.cookies.get(PREFERENCES, "")[:500])).get("theme", "auto")

    @property
    def csrf(self) -> str:
        """The CSRF token."""
        return generate_csrf()

    @property
    def username(self) -> str:
        """The name of the user."""
        return self.actor.username or "?"

    @property
    def role(self) -> str:
        """The role of the user, in words."""
        return translate(ROLES.get(self.actor.role, self.actor.role.capitalize()))

    @property
    def home(self) -> str:
        """The first page of the panel."""
        return url_for("admin.index")

    @property
    def site_url(self) -> str:
        """The site as readers see it."""
        return "/"

    @property
    def logout_url(self) -> str:
        """The URL that signs out."""
        return "/auth/logout"

    @property
    def stop_url(self) -> str:
        """The URL that stops viewing as someone else."""
        return "/auth/stop-viewing"

    @property
    def undo_url(self) -> str:
        """The URL that undoes a batch."""
        return url_for(endpoint(REGISTRY["batches"], "action_view"))

    @property
    def here(self) -> str:
        """The URL of this page to return to; the home page after a submission."""
        return request.full_path.rstrip("?") if request.method == "GET" else self.home

    @property
    def palette_url(self) -> str:
        """The URL that the command palette searches."""
        return url_for("palette.index")

    def theme_url(self, name: str) -> str:
        """The URL that switches the color theme and returns to this page."""
        return f"/theme/{name}?" + urlencode({"next": self.here}, safe="/")
