"""The invitations page for administrators: a role and an email address; the link is sent by email."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import ROLES
from quire.admin.local_time import format_moment
from quire.admin.panel_view import PanelView, panel_actor
from quire.auth import registration
from quire.errors import Conflict, TooManyRequests, ValidationFailed
from quire.translations.languages import LANGUAGES
from quire.web.language import gettext, language, translate


class InvitationsView(PanelView):
    """`/admin/invitations/`: invites people."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(
            name="Invitations", category="People", endpoint="invitations", menu_icon_value="mail"
        )

    @expose("/", methods=("GET", "POST"))
    def index(self) -> str | AnyResponse | tuple[str, int]:
        """The form; submitted values stay in it if they are refused."""
        if request.method != "POST":
            return self._form("", ROLES[0], language())
        email, role, code = (request.form.get(name, "") for name in ("email", "role", "language"))
        try:
            registration.invite_by_mail(email, role, panel_actor(), code)
        except (Conflict, ValidationFailed, TooManyRequests) as problem:
            messages = [translate(one["message"]) for one in problem.details] or [
                translate(problem.message)
            ]
            return self._form(email, role, code, messages), problem.status
        flash(gettext("Invitation sent to %(email)s.", email=email.strip()), "success")
        return redirect(url_for("invitations.index"))

    def _form(self, email: str, role: str, code: str, errors: Any = ()) -> str:
        return self.render(
            "quire_admin/invitations.html",
            heading=gettext("Invitations"),
            email=email,
            chosen=role,
            roles=ROLES,
            code=code,
            languages=LANGUAGES,
            errors=errors,
            waiting=[
                {**one, "ends": format_moment(one["ends"])} for one in registration.invitations()
            ],
        )
