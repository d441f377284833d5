"""The page where administrators export all content as one file, to import into another Quire."""

from collections.abc import Generator
from importlib import import_module
from itertools import chain
from threading import BoundedSemaphore

from flask import Response, stream_with_context
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin.panel_view import PanelView, panel_actor
from quire.declare.clock import now
from quire.exchange.archive.format import exported_types
from quire.store import audit
from quire.store.record_stream import MAX_STREAMS, stream_slot
from quire.web.language import gettext

_streams = BoundedSemaphore(MAX_STREAMS)


class ArchiveView(PanelView):
    """`/admin/archive/`: says what an export contains, and streams it."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(
            name="Export", category="System", endpoint="archive", menu_icon_value="download"
        )

    @expose("/")
    def index(self) -> str:
        """The page."""
        return self.render(
            "quire_admin/archive.html", heading=gettext("Export"), types=exported_types()
        )

    @expose("/download", methods=("POST",))
    def download(self) -> AnyResponse:
        """The archive, streamed; never with passwords."""
        pieces = _pieces()
        first = next(pieces)  # errors are raised before anything is sent
        audit.record_event(panel_actor(), "export", "archive")
        name = f"quire-{now():%Y-%m-%d}.zip"
        response = Response(
            stream_with_context(chain([first], pieces)),
            mimetype="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
        response.call_on_close(pieces.close)
        return response


def _pieces() -> Generator[bytes, None, None]:
    """The archive in pieces; raises Unavailable if MAX_STREAMS are being sent already."""
    with stream_slot(_streams):
        yield from import_module("quire.exchange.archive.export").stream()
