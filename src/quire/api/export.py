"""`GET /<type>/export`: a whole list as a file, streamed while it is read."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

import orjson
from flask import Response, request, stream_with_context

from quire.api.resources import RecordResource
from quire.declare.clock import now
from quire.declare.query import PARAMETERS, Query
from quire.declare.query_mistakes import read_all
from quire.declare.record import Record
from quire.errors import invalid_parameter
from quire.exchange.tables.export import Batches, csv_pieces, pieces
from quire.store.db import read_connection
from quire.store.read import count_rows, query_params
from quire.store.record_stream import RecordStream

UNUSED = frozenset(PARAMETERS) - {"sort", "fields", "trashed"}
"""List parameters that have no meaning here."""
MIMETYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def _ndjson(record: Record, paths: Sequence[str], batches: Batches) -> Iterator[bytes]:
    """One object per line."""
    states = chain.from_iterable(batches)
    return pieces(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in states)


_WRITERS: dict[str, Callable[..., Iterator[bytes]]] = {"ndjson": _ndjson, "csv": csv_pieces}


def _format() -> str:
    form = request.args.get("format", "ndjson")
    if form not in MIMETYPES or len(request.args.getlist("format")) > 1:
        raise invalid_parameter("format", f"format must be one of: {', '.join(MIMETYPES)}.")
    return form


class RecordExport(RecordResource):
    """GET all records of a list in one file."""

    def get(self) -> Response:
        """The rows that the actor may see, in the order of the list."""
        form, query = read_all((_format, partial(self.query, "format", without=UNUSED)))
        usual = self.record.default_fields(self.record.visible_fields(self.actor))
        headers = self._headers(query, form)
        batches = RecordStream(self.record, self.actor, query)
        body = _WRITERS[form](self.record, query.fields or usual, batches)
        response = Response(stream_with_context(body), 200, headers, MIMETYPES[form])
        response.call_on_close(batches.close)
        return response

    def _headers(self, query: Query, form: str) -> dict[str, str]:
        values = query_params(self.actor, query)
        with read_connection() as connection:
            total = count_rows(connection, self.record, self.actor, query, values)
        name = f"{self.record.path}-{now():%Y-%m-%d}.{form}"
        return {
            "Content-Disposition": f'attachment; filename="{name}"',
            "X-Total-Count": str(total),
            "Cache-Control": "no-store",
        }
