"""Error pages for people, and redirects from old URLs."""

import logging
import re
from urllib.parse import unquote

from flask import Response, request
from jinja2 import TemplateError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import SYSTEM
from quire.auth.current_actor import current_actor
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY, Record
from quire.declare.unicode_text import normalize
from quire.errors import STATUS_NAMES, Problem, UnderMaintenance
from quire.records import REDIRECTS
from quire.site import canonical
from quire.site.account import resubmit
from quire.site.page import PageContext, page_context, render_page
from quire.site.paths import LONGEST_QUERY, local_path, with_query
from quire.store import read
from quire.store.global_search import page_field
from quire.web.caching import vary_by
from quire.web.language import translate

logger = logging.getLogger("quire.site")

LONGEST_PATH = 500


def wants_json() -> bool:
    """Whether a program sent this request, judging by its URL or Accept header."""
    if request.path == "/api" or request.path.startswith("/api/"):
        return True
    kinds = ["text/html", "application/json", "application/problem+json"]
    return request.accept_mimetypes.best_match(kinds, "text/html") != "text/html"


def error_page(problem: Problem) -> AnyResponse:
    """The response to a person's failed request."""
    try:
        if resubmit.is_expired_form(problem.status):
            return resubmit.login_page(page_context())
        if isinstance(problem, UnderMaintenance):
            return _problem_page(problem, PageContext.anonymous(), "maintenance.html")
        return _problem_page(
            problem, page_context() if problem.status < 500 else PageContext.plain()
        )
    except (Problem, SQLAlchemyError) as second:
        # what broke the request may break its error page too
        worse = second if isinstance(second, Problem) and second.status >= 500 else problem
        return _problem_page(worse, PageContext.plain())
    except TemplateError:
        # a custom frame template that fails would break every page
        logger.exception("A template of this installation is broken")
        return _plain_page(problem)


def redirect_for(problem: Problem) -> AnyResponse | None:
    """A redirect to the current URL of the requested page, if it has one."""
    if problem.status != 404 or request.path.startswith(("/api/", "/admin/")):
        return None
    try:
        return canonical.redirect_for_spelling() or _redirect_from_old_path()
    except (
        Problem,
        SQLAlchemyError,
    ):  # invalid credentials, or no database: the original error is the response
        return None


def _redirect_from_old_path() -> AnyResponse | None:
    redirect_here = find_redirect(request.path) if request.method in ("GET", "HEAD") else None
    if redirect_here is None:
        return None
    target, permanent = redirect_here
    is_here = local_path(target) is not None and len(request.query_string) <= LONGEST_QUERY
    return canonical.cached_redirect(
        with_query(target) if is_here else target, 301 if permanent else 302
    )


def _plain_page(problem: Problem) -> Response:
    words = f"{STATUS_NAMES[problem.status]}: {problem.message}\n"
    return Response(words, problem.status, headers=problem.headers, mimetype="text/plain")


def _problem_page(
    problem: Problem, around: PageContext, template: str = "problem.html"
) -> Response:
    status = problem.status
    response = render_page(
        template, status, frame=around, heading=translate(STATUS_NAMES[status]),
        message=translate(problem.message), status_code=status,
    )  # fmt: skip
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    vary_by(response, "Accept")
    return response


def find_redirect(path: str) -> tuple[str, bool] | None:
    """The target of an old path, and whether it is permanent; None if the user may not see it."""
    if "\x00" in path or len(path) > LONGEST_PATH:
        return None
    bare = path.rstrip("/") or "/"
    ways = (path, bare, f"{bare}/", bare.lower(), f"{bare.lower()}/")
    spellings = normalize(list(dict.fromkeys(ways)))
    query = Query(conditions=(Condition("path", "in", tuple(spellings)),), count=False)
    rows = read.list_records(REDIRECTS, SYSTEM, query).rows
    match = min(rows, key=lambda row: spellings.index(row["path"]), default=None)
    if match is None or match["target"] in spellings[:3] or not _is_visible(match["target"]):
        return None
    return match["target"], match["permanent"]


def _is_visible(target: str) -> bool:
    """Whether the user may see `target`: an old URL must not reveal a draft."""
    for record in REGISTRY.values():
        if record.public_path is None:
            continue
        name = page_field(record)
        shape = re.escape(record.public_path).replace(re.escape(f"{{{name}}}"), "([^/?#]+)")
        match = re.fullmatch(rf"{shape}/?([?#].*)?", target)
        if match:
            value = unquote(match[1])
            return "\x00" not in value and _exists(record, name, value)
    return True


def _exists(record: Record, name: str, value: str) -> bool:
    return read.find_id(record, current_actor(), **{name: value}) is not None
