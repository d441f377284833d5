"""Records by slug: `GET /api/v1/posts/by-slug/<slug>`, with a redirect from old slugs."""

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
"""The longest query string that is repeated in a Location header, in characters."""


class BySlug(RecordResource):
    """GET a record by its slug; an old slug redirects to the new one."""

    def get(self, slug: str) -> Response:
        """The record, or 301 for an old slug."""
        allow_params("fields", "include")
        query = self.query()
        if "\x00" in slug:  # no slug contains NUL, and PostgreSQL rejects it
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
    """The path that an old path redirects to, or None."""
    table = REGISTRY["redirects"].table.c
    with read_connection() as connection:
        statement = select(table.target).where(table.path == normalize(path))
        return connection.execute(statement).scalar()
