"""The checks of the installation as a page for administrators: problems, and what to do about them."""

from flask_admin import expose

from quire.admin.check_rows import check_row
from quire.admin.panel_view import PanelView
from quire.checks.doctor import examine
from quire.web.language import gettext
from quire.web.threads import blocking

ORDER = ("error", "warning", "ok")


class ChecksView(PanelView):
    """`/admin/checks/`: the results of `manage.py check --deploy`."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(
            name="Checks", category="System", endpoint="checks", menu_icon_value="check"
        )

    @expose("/")
    def index(self) -> str:
        """The page; each check takes seconds at most."""
        with blocking():  # other threads answer other requests meanwhile
            results = list(examine(True, {}))
        results.sort(key=lambda pair: ORDER.index(pair[1].status))
        rows = [check_row(*one) for one in results]
        return self.render("quire_admin/checks.html", heading=gettext("Checks"), rows=rows)
