"""What surrounds every page: the site's name, its menu, who is signed in, colours and assets."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access.request import current_actor
from quire.actor import ANONYMOUS, Actor
from quire.declare.query import Query
from quire.records import PAGES
from quire.site.paths import came_from, here, here_bare, local_path, site_root
from quire.store import read
from quire.store.site import site_settings

STATIC = Path(__file__).parent / "static"
MENU = 6
"""Pages that the menu has room for."""
PREFERENCES = "user_prefs"
"""The cookie of what a reader prefers, such as `theme=dark`."""
THEMES = ("light", "dark", "auto")
YEAR = 31_536_000


@dataclass(frozen=True)
class Frame:
    """The surroundings of a page; `plain` makes those of a page that must not need a database."""

    actor: Actor
    settings: dict[str, Any]
    menu: list[dict[str, Any]]

    @classmethod
    def plain(cls) -> "Frame":
        """A frame that knows nothing."""
        return cls(ANONYMOUS, {"site_name": "Quire", "tagline": ""}, [])

    @property
    def theme(self) -> str:
        """light, dark or auto: what this reader has chosen."""
        chosen = preferences().get("theme", "auto")
        return chosen if chosen in THEMES else "auto"

    @property
    def here(self) -> str:
        """The address of this page, to come back to."""
        return here()

    @property
    def address(self) -> str:
        """The whole address of this page, without what does not change it."""
        number = request.args.get("page", "1")
        part = f"?page={number}" if number.isascii() and number.isdigit() and number != "1" else ""
        return site_root() + here_bare() + part

    @property
    def canonical(self) -> str | None:
        """The one public address of this page, when the site knows its own."""
        return self.address if current_app.config["PUBLIC_URL"] else None


def frame() -> Frame:
    """The surroundings of this request's page."""
    actor = current_actor()
    wanted = Query(fields=("id", "title", "slug"), sort=("position",), per_page=MENU, count=False)
    menu = read.page(PAGES, ANONYMOUS, wanted).rows
    return Frame(actor, site_settings(), menu)


def show(template: str, status: int = 200, **shown: Any) -> Response:
    """A page; what it shows may bring its own `frame`."""
    shown.setdefault("frame", None)
    shown["frame"] = shown["frame"] or frame()
    response = make_response(render_template(f"quire_site/{template}", **shown), status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="quire"'
    return response


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a static file; it changes when the file does, so it may be kept for ever."""
    return url_for("site.static", filename=name, v=_digest(name))


def preferences() -> dict[str, str]:
    """What this reader prefers, as his browser remembers it."""
    return dict(parse_qsl(request.cookies.get(PREFERENCES, "")[:500]))


def theme(theme: str) -> AnyResponse:
    """Remember the colours and go back."""
    back = local_path(request.args.get("next")) or came_from() or url_for("site.home")
    response = redirect(back)
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    value = urlencode({**_known(preferences()), "theme": theme})
    response.set_cookie(
        PREFERENCES, value, max_age=YEAR, secure=secure, httponly=True, samesite="Lax"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _known(given: dict[str, str]) -> dict[str, str]:
    """Only what pages ask for: the cookie comes from outside."""
    return {name: given[name] for name in given if name == "theme"}


def caching(response: Response) -> Response:
    """Assets are kept for a year, public pages are asked for again, private ones never kept."""
    headers = response.headers
    if request.endpoint == "site.static":
        name = (request.view_args or {}).get("filename", "")
        if response.status_code in (200, 304) and request.args.get("v") == _digest(name):
            headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return response
    if request.endpoint == "site.uploads" and response.status_code < 400:
        return response
    response.vary.add("Cookie")
    if "Cache-Control" in headers:
        return response
    if _is_private():
        headers["Cache-Control"] = "private, no-store"
    else:
        headers["Cache-Control"] = "no-cache"
        if response.status_code == 200:
            response.add_etag()
            response.make_conditional(request)
    return response


def _is_private() -> bool:
    """Whether the answer may hold what only this browser should see."""
    config = current_app.config
    names = (config["SESSION_COOKIE_NAME"], config.get("REMEMBER_COOKIE_NAME", "remember_token"))
    told = any(name in request.cookies for name in names) or "Authorization" in request.headers
    return told or request.path.startswith("/auth/") or request.method not in ("GET", "HEAD")
