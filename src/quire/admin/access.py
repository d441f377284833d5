"""The page of rights, for administrators: who may do what; and the start of viewing as somebody."""

from flask import redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.access import viewing
from quire.access.accounts import with_id
from quire.admin import matrix
from quire.admin.gate import Gate, actor_here
from quire.admin.rows import number_of
from quire.errors import Missing


class AccessView(Gate):
    """`/admin/access/`: the matrix of role, type, action and field, as the declarations have it."""

    def __init__(self) -> None:
        super().__init__(
            name="Access", category="System", endpoint="access", menu_icon_value="access"
        )

    def is_accessible(self) -> bool:
        """Administrators only."""
        return super().is_accessible() and actor_here().role == "admin"

    @expose("/")
    def index(self) -> str:
        """The page."""
        return self.render(
            "quire_admin/access.html",
            heading="Access",
            roles=list(matrix.PEOPLE),
            sheets=matrix.sheets(),
        )

    @expose("/view-as", methods=("POST",))
    def view_as(self) -> AnyResponse:
        """See site and panel as the user of `rowid` from now on."""
        other = with_id(number_of(request.form.get("rowid")))
        if other is None:
            raise Missing
        viewing.begin(actor_here(), other)
        return redirect(url_for("admin.index") if other.role != "member" else "/")
