"""Search for readers in public content, best matches first, with highlighted words."""

from typing import Any

from flask import Response, request
from markupsafe import Markup

from quire.actor import ANONYMOUS
from quire.declare.query import parse_query
from quire.declare.record import REGISTRY
from quire.errors import BadRequest
from quire.records import POSTS
from quire.site.content import Pager
from quire.site.page import render_page
from quire.store import global_search
from quire.web.language import gettext, translate

QUERY_PARAMETER = ("q", "page")
_KINDS = {"users": "Author"}
"""Types that have a different name for readers than for editors."""


def search() -> Response:
    """The form, and its results."""
    words = request.args.get("q", "")
    pairs = [(name, request.args[name]) for name in QUERY_PARAMETER if name in request.args]
    try:
        query = parse_query(POSTS, ANONYMOUS, pairs)
    except BadRequest as problem:
        if problem.details[0]["field"] == "page":
            raise
        return render_page(
            "search.html", problem.status, words=words[:200], error=translate(problem.message)
        )
    if query.search is None:
        return render_page("search.html", words="")
    page = global_search.search(ANONYMOUS, query)
    results = [_result(one) for one in page.rows]
    return render_page(
        "search.html", words=words, page=page, results=results, page_links=Pager.from_page(page)
    )


def _result(one: dict[str, Any]) -> dict[str, Any]:
    snippet = Markup(one["snippet"])  # noqa: S704 - the store escapes all but <mark>
    return {
        **one,
        "snippet": snippet,
        "kind": gettext(_KINDS.get(one["type"], REGISTRY[one["type"]].singular)),
    }
