"""The page of invitations, for administrators: a role and an address; a mail brings the link."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.access import joining
from quire.actor import ROLES
from quire.admin.gate import Gate, actor_here
from quire.errors import Conflict, Invalid, TooMany


class InvitationsView(Gate):
    """`/admin/invitations/`: invite somebody."""

    def __init__(self) -> None:
        super().__init__(
            name="Invitations", category="People", endpoint="invitations", menu_icon_value="letters"
        )

    def is_accessible(self) -> bool:
        """Administrators only."""
        return super().is_accessible() and actor_here().role == "admin"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> str | AnyResponse | tuple[str, int]:
        """The form; what was typed stays in it when it is refused."""
        if request.method != "POST":
            return self._form("", ROLES[0])
        email, role = request.form.get("email", ""), request.form.get("role", "")
        try:
            joining.invite_by_mail(email, role, actor_here())
        except (Conflict, Invalid, TooMany) as problem:
            said = [one["message"] for one in problem.details] or [problem.message]
            return self._form(email, role, said), problem.status
        flash(f"A mail to {email.strip()} is on its way.", "success")
        return redirect(url_for("invitations.index"))

    def _form(self, email: str, role: str, errors: Any = ()) -> str:
        return self.render(
            "quire_admin/invitations.html",
            heading="Invitations",
            email=email,
            chosen=role,
            roles=ROLES,
            errors=errors,
            waiting=joining.invitations(),
        )
