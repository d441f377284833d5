"""The gate of every page of the panel: who may come in, and what is shown when something fails."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, redirect, request
from flask_admin import Admin
from flask_admin.base import BaseView
from werkzeug.wrappers import Response as AnyResponse

from quire.access import sessions
from quire.access.own_form import refuse_late_form
from quire.access.request import check_csrf, current_actor
from quire.actor import Actor
from quire.admin.headers import headers
from quire.admin.shell import Shell
from quire.errors import STATUS_NAMES, Problem, Refused, Unproven

PANEL_ROLE = "author"
"""The lowest role that finds anything in the panel."""

FORMS = ("/new/", "/edit/")
"""Pages that are posted to where they are shown."""


def actor_here() -> Actor:
    """Who asks, by this door."""
    return current_actor().at(door="admin")


def wants_json() -> bool:
    """Whether a script asks, not a person."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


class Gate(BaseView):
    """A Flask-Admin view that nobody enters unasked; its pages stand in the panel's frame."""

    def is_accessible(self) -> bool:
        """Whether this view has anything for the one who asks."""
        return actor_here().at_least(PANEL_ROLE)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any:
        """Sign-in for who is signed out, in the place of what he sent; 403 for who may not."""
        actor = actor_here()
        if actor.is_anonymous:
            if wants_json():
                return self.answer(Unproven("You are signed out."))
            refuse_late_form()
            return redirect(self._sign_in_url())
        user = sessions.present()
        if user is not None and user.account.is_held_back:
            return redirect("/profile/two-factor")
        refusal = Refused("Your role does not open this page.")
        if not actor.at_least(PANEL_ROLE):
            raise refusal
        return self.answer(refusal)

    def _sign_in_url(self) -> str:
        """Sign-in, and back to this page; a change that was not made is not repeated by itself."""
        here = request.full_path.rstrip("?")
        can_come_back = request.method in ("GET", "HEAD") or request.path.endswith(FORMS)
        back = here if can_come_back else self.get_url("admin.index")
        return "/auth/login?" + urlencode({"next": back}, safe="/")

    def create_blueprint(self, admin: Admin) -> Any:
        """The blueprint of this view; its answers carry the panel's headers."""
        blueprint = super().create_blueprint(admin)
        blueprint.after_request(headers)
        return blueprint

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin calls again without `self` on every TypeError, which runs changes twice
        # and hides the real error.
        try:
            check_csrf(actor_here())
        except Refused as refusal:
            return self.refuse_forged(fn.__name__, refusal)
        try:
            return fn(self, *args, **kwargs)
        except Problem as problem:
            return self.answer(problem)

    def refuse_forged(self, name: str, refusal: Refused) -> Any:
        """The answer to a change without the token that only our own pages know."""
        return self.answer(refusal)

    def answer(self, problem: Problem) -> AnyResponse:
        """A failure in the panel's frame, or as JSON for a script."""
        if wants_json():
            body = {"message": problem.message, "code": problem.code, "details": problem.details}
            response = jsonify(**body, **problem.extra)
        else:
            page = self.render(
                "quire_admin/problem.html",
                heading=STATUS_NAMES[problem.status],
                message=problem.message,
            )
            response = Response(page)
        response.status_code = problem.status
        response.headers.extend(problem.headers)
        return response

    def render(self, template: str, **kwargs: Any) -> str:
        """A page with everything its frame needs."""
        return super().render(template, shell=Shell(actor_here(), self), **kwargs)
