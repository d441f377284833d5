"""The base class of the panel's views: who may open its pages, and what is shown when something fails."""

import secrets
from collections.abc import Callable
from typing import Any

from flask import Response, g, jsonify, redirect, request
from flask_admin import Admin
from flask_admin.base import BaseView
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.layout import Layout
from quire.auth import sessions
from quire.auth.csrf import refuse_expired_form
from quire.auth.current_actor import check_csrf, current_actor
from quire.errors import STATUS_NAMES, PermissionDenied, Problem, Unauthenticated
from quire.records.site_settings import site_name
from quire.translations.messages import Message
from quire.web.language import translate

PANEL_ROLE = "author"
"""The lowest role with access to the panel."""

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:{pictures}; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
YEAR = 31_536_000
"""Seconds for which an asset is cached: its URL changes with its content."""

NO_ACCESS = Message("You do not have permission to view this page.")

FORMS = ("/new/", "/edit/")
"""Pages whose forms post to their own URL."""


def nonce() -> str:
    """The nonce that allows this response to run its own scripts."""
    if "admin_nonce" not in g:
        g.admin_nonce = secrets.token_urlsafe(16)
    return str(g.admin_nonce)


def headers(response: Response) -> Response:
    """Set the content security policy of a page, or the cache headers of an asset."""
    if (request.endpoint or "").endswith((".static", ".bundle")):
        if response.status_code in (200, 304) and "v" in request.args:
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    else:
        # a page with foreign content has a stricter policy already
        # while writing, people see images from other sites as readers will
        pictures = " https: blob:" if g.get("admin_shows_pictures") else ""
        policy = POLICY.format(nonce=nonce(), pictures=pictures)
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers["Cache-Control"] = "no-store"
    return response


def panel_actor() -> Actor:
    """The current actor, with the panel as the interface."""
    actor = current_actor()
    return actor if actor.door == "admin" else actor.with_context(door="admin")


def wants_json() -> bool:
    """Whether the request comes from a script."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


class PanelView(BaseView):
    """A Flask-Admin view with access control; its pages have the layout of the panel."""

    role = PANEL_ROLE
    """The lowest role with access."""

    def is_accessible(self) -> bool:
        """Whether the actor may use this view."""
        return panel_actor().at_least(self.role)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Redirect anonymous users to the sign-in page, answer others with 403."""
        actor = panel_actor()
        if actor.is_anonymous:
            if wants_json():
                return self.answer(Unauthenticated("You have been signed out."))
            refuse_expired_form()
            return redirect(self._sign_in_url())
        user = sessions.current()
        if user is not None and user.account.needs_second_factor:
            return redirect("/profile/two-factor")
        if not actor.at_least(PANEL_ROLE):
            raise PermissionDenied(NO_ACCESS)
        return self.answer(PermissionDenied(self.refusal()))

    def refusal(self) -> str:
        """Why a user of the panel may not use this view."""
        return NO_ACCESS

    def _sign_in_url(self) -> str:
        """The sign-in page, which leads back to this page; a change that was not made is not repeated automatically."""
        can_come_back = request.method in ("GET", "HEAD") or request.path.endswith(FORMS)
        back = request.full_path if can_come_back else self.get_url("admin.index")
        return sessions.login_url(back)

    def create_blueprint(self, admin: Admin) -> Any:
        """The blueprint of this view, with the panel's response headers."""
        blueprint = super().create_blueprint(admin)
        blueprint.after_request(headers)
        return blueprint

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin calls again without `self` on every TypeError, which runs changes twice
        # and hides the real error.
        try:
            check_csrf(panel_actor())
        except PermissionDenied as refusal:
            return self.refuse_forged(fn.__name__, refusal)
        try:
            return fn(self, *args, **kwargs)
        except Problem as problem:
            return self.answer(problem)

    def refuse_forged(self, name: str, refusal: PermissionDenied) -> Any:
        """The response to a change without a valid CSRF token."""
        return self.answer(refusal)

    def answer(self, problem: Problem) -> AnyResponse:
        """An error in the panel's layout, or as JSON for a script."""
        if wants_json():
            body = {
                "message": translate(problem.message),
                "code": problem.code,
                "details": [
                    {**one, "message": translate(one["message"])} for one in problem.details
                ],
            }
            response = jsonify(**body, **problem.extra)
        else:
            page = self.render(
                "quire_admin/problem.html",
                heading=translate(STATUS_NAMES[problem.status]),
                message=translate(problem.message),
            )
            response = Response(page)
        response.status_code = problem.status
        response.headers.extend(problem.headers)
        return response

    def render(self, template: str, **kwargs: Any) -> str:
        """Render a page with its layout."""
        layout = Layout(panel_actor(), self, site_name())
        return super().render(template, layout=layout, **kwargs)
