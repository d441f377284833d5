"""Search for readers: what the public may find, best first, with the found words marked."""

from typing import Any

from flask import Response, request
from markupsafe import Markup

from quire.actor import ANONYMOUS
from quire.declare.query import parse_query
from quire.declare.record import REGISTRY
from quire.errors import Malformed
from quire.records import POSTS
from quire.site.looks import show
from quire.site.reading import Neighbours
from quire.store import found

ASKED = ("q", "page")
_KINDS = {"users": "Author"}
"""Where readers use another word than editors."""


def search() -> Response:
    """The form, and what was found."""
    words = request.args.get("q", "")
    sent = [(name, request.args[name]) for name in ASKED if name in request.args]
    try:
        query = parse_query(POSTS, ANONYMOUS, sent)
    except Malformed as problem:
        if problem.details[0]["field"] == "page":
            raise
        return show("search.html", problem.status, words=words[:200], error=problem.message)
    if query.search is None:
        return show("search.html", words="")
    page = found.search(ANONYMOUS, query)
    results = [_result(one) for one in page.rows]
    return show("search.html", words=words, page=page, results=results, beside=Neighbours.of(page))


def _result(one: dict[str, Any]) -> dict[str, Any]:
    snippet = Markup(one["snippet"])  # noqa: S704 - the store escapes all but <mark>
    return {**one, "snippet": snippet, "kind": _KINDS.get(one["type"], REGISTRY[one["type"]].one)}
