"""The permissions page for administrators: who may do what, and viewing as another user."""

from flask import redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin import permission_matrix
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.queries import parse_id
from quire.auth import impersonation
from quire.auth.accounts import by_id
from quire.errors import NotFound
from quire.web.language import gettext


class PermissionsView(PanelView):
    """`/admin/access/`: the matrix of roles, types, actions and fields, from the declarations."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(
            name="Access", category="System", endpoint="access", menu_icon_value="access"
        )

    @expose("/")
    def index(self) -> str:
        """The page."""
        return self.render(
            "quire_admin/permissions.html",
            heading=gettext("Access"),
            roles=[gettext(one) for one in permission_matrix.PEOPLE],
            sheets=permission_matrix.permission_tables(),
        )

    @expose("/view-as", methods=("POST",))
    def view_as(self) -> AnyResponse:
        """Start viewing the site and the panel as the user `rowid`."""
        other = by_id(parse_id(request.form.get("rowid")))
        if other is None:
            raise NotFound
        impersonation.start(panel_actor(), other)
        return redirect(url_for("admin.index") if other.role != "member" else "/")
