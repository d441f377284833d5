"""Records by their slug: `GET /api/v1/posts/by-slug/<slug>`, where an old slug leads to the new one."""

from urllib.parse import quote

from flask import Response, request
from sqlalchemy import select

from quire.api import responses
from quire.api.query_parameters import allow_params
from quire.api.resources import RecordResource
from quire.declare.record import REGISTRY
from quire.declare.unicode_text import normalize
from quire.errors import BadRequest, no_such
from quire.store import read
from quire.store.db import read_connection

MAX_QUERY_LENGTH = 2000
"""Characters of a query that are repeated in a header."""


class BySlug(RecordResource):
    """GET one by its slug; an old slug leads to the new one."""

    def get(self, slug: str) -> Response:
        """The object, or 301."""
        allow_params("fields", "include")
        query = self.query()
        if "\x00" in slug:  # no slug has it, and PostgreSQL cannot be asked
            raise no_such(self.record.noun)
        id = read.find_id(self.record, self.actor, slug=slug)
        return self._redirect(slug) if id is None else self.one(id, query)

    def _redirect(self, slug: str) -> Response:
        start = f"/{self.record.path}/"
        target = redirect_target(start + slug) or ""
        new = target.removeprefix(start)
        if not target.startswith(start) or read.find_id(self.record, self.actor, slug=new) is None:
            raise no_such(self.record.noun)
        query_string = request.query_string.decode("ascii", "ignore")
        if len(query_string) > MAX_QUERY_LENGTH:
            raise BadRequest(
                "This has moved, and the query is too long to repeat. Use the new slug."
            )
        address = f"/api/v1{start}by-slug/{quote(new)}" + (
            f"?{query_string}" if query_string else ""
        )
        return responses.json_response({"location": address}, 301, {"Location": address})


def redirect_target(path: str) -> str | None:
    """Where an old path leads."""
    table = REGISTRY["redirects"].table.c
    with read_connection() as connection:
        statement = select(table.target).where(table.path == normalize(path))
        return connection.execute(statement).scalar()
