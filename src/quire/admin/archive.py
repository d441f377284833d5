"""The page where administrators take all content along, as one file that another Quire reads."""

from flask import Response, stream_with_context
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin.gate import Gate, actor_here
from quire.declare.clock import now
from quire.exchange import exporting
from quire.exchange.archive import portable_types
from quire.store import audit


class ArchiveView(Gate):
    """`/admin/archive/`: says what an export holds, and streams it."""

    def __init__(self) -> None:
        super().__init__(
            name="Export", category="System", endpoint="archive", menu_icon_value="download"
        )

    def is_accessible(self) -> bool:
        """Administrators only."""
        return super().is_accessible() and actor_here().role == "admin"

    @expose("/")
    def index(self) -> str:
        """The page."""
        return self.render("quire_admin/archive.html", heading="Export", types=portable_types())

    @expose("/download", methods=("POST",))
    def download(self) -> AnyResponse:
        """The archive, sent while it is read; it never holds passwords."""
        audit.note(actor_here(), "export", "archive")
        name = f"quire-{now():%Y-%m-%d}.zip"
        return Response(
            stream_with_context(exporting.stream()),
            mimetype="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
