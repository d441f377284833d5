"""The context of every page: the site's name, its menu, the user, colors and assets."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, current_app, make_response, render_template, request, url_for
from markupsafe import Markup

from quire.actor import ANONYMOUS, Actor
from quire.auth.current_actor import current_actor
from quire.records import APPEARANCE, PAGES, PROFILES, SETTINGS
from quire.records.image_references import image_of
from quire.records.site_settings import site_appearance, site_menu, site_settings
from quire.site.paths import here, here_bare
from quire.site.preferences import preferences
from quire.store.cache import cached_until_commit
from quire.web.caching import IDENTITY_HEADERS, is_personal, note_surroundings, vary_by
from quire.web.current import current_request
from quire.web.hosts import site_root
from quire.web.language import language, set_browser_language

STATIC = Path(__file__).parent / "static"
LOGO_PIXELS = 384
"""The width of the widest logo on a high-resolution screen, in pixels."""
YEAR = 31_536_000


@dataclass(frozen=True)
class PageContext:
    """The context of a page; `plain` creates one that needs no database."""

    actor: Actor
    settings: dict[str, Any]
    appearance: dict[str, Any]
    menu: list[dict[str, Any]]

    @classmethod
    def plain(cls) -> "PageContext":
        """A context for pages that must not need a database: default settings, anonymous user."""
        set_browser_language()
        return cls(ANONYMOUS, {"site_name": "Quire", "tagline": ""}, {"language": language()}, [])

    @classmethod
    def anonymous(cls) -> "PageContext":
        """The site's settings and appearance, for a page without a user and without links."""
        settings, appearance, _ = cached_until_commit("frame", _shared_context)
        return cls(ANONYMOUS, settings, appearance, [])

    @property
    def language(self) -> str:
        """The language of the page; its content has that of the site."""
        return language()

    @property
    def content_lang(self) -> Markup:
        """The attribute for elements with content, if the page is in another language."""
        code = self.appearance["language"]
        return Markup("") if code == self.language else Markup(' lang="{}"').format(code)

    @property
    def theme(self) -> str:
        """light, dark or auto, as the reader has chosen."""
        return preferences()["theme"]

    @property
    def text(self) -> str:
        """The text size that the reader has chosen: normal, small, large or larger."""
        return preferences()["text"]

    @property
    def back(self) -> str | None:
        """The URL of this page, to return to; None for a submitted form."""
        return here() if request.method in ("GET", "HEAD") else None

    @property
    def root(self) -> str:
        """The part of absolute URLs before the path."""
        return site_root()

    @property
    def address(self) -> str:
        """The absolute URL of this page, without irrelevant parameters."""
        number = request.args.get("page", "1")
        part = f"?page={number}" if number.isascii() and number.isdigit() and number != "1" else ""
        # the page "about" has a short URL besides its own
        path = (
            url_for("site.page", slug="about") if request.endpoint == "site.about" else here_bare()
        )
        return site_root() + path + part

    @property
    def canonical(self) -> str | None:
        """The canonical URL of this page, if the site's own URL is configured."""
        return self.address if current_app.config["PUBLIC_URL"] else None


def page_context() -> PageContext:
    """The context of this request's page."""
    actor = current_actor()
    settings, appearance, menu = cached_until_commit("frame", _shared_context)
    note_surroundings(SETTINGS.path, APPEARANCE.path, PAGES.path, PROFILES.path)
    return PageContext(actor, settings, appearance, menu)


def _shared_context() -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Settings, appearance and menu, which are the same for everyone."""
    appearance = site_appearance()
    appearance["logo"] = _small_logo(appearance["logo"])
    return site_settings(), appearance, site_menu(appearance)


def _small_logo(logo: dict[str, Any] | None) -> dict[str, Any] | None:
    """The logo with the URL of a variant that is large enough."""
    picture = image_of(logo)
    if logo is None or picture is None:
        return logo
    sizes = sorted(picture["variants"].values(), key=lambda one: one["width"])
    fits = next((one["url"] for one in sizes if one["width"] >= LOGO_PIXELS), logo["url"])
    return {**logo, "url": fits}


def render_page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a page; `frame` may replace its context."""
    values.setdefault("frame", None)
    values["frame"] = values["frame"] or page_context()
    response = make_response(render_template(f"quire_site/{template}", **values), status)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="quire"'
    return response


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The URL of a static file, which changes with the file, so it can be cached for ever."""
    return url_for("site.static", filename=name, v=_digest(name))


def set_cache_headers(response: Response) -> Response:
    """Cache assets for a year and nothing below /auth/; mark pages that anyone may see."""
    headers = response.headers
    if request.endpoint == "site.static":
        name = (request.view_args or {}).get("filename", "")
        if response.status_code in (200, 304) and request.args.get("v") == _digest(name):
            headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return response
    if request.endpoint == "site.uploads" and response.status_code < 400:
        return response
    vary_by(response, *IDENTITY_HEADERS)
    if request.path.startswith("/auth/"):
        headers.setdefault("Cache-Control", "private, no-store")
    is_settled = "Cache-Control" in headers or "ETag" in headers or is_personal(current_request())
    if response.status_code == 200 and not is_settled:
        response.add_etag()
        response.make_conditional(request)
    return response
