"""Failures as people meet them: a page in plain words, or the way to where something has moved."""

import logging
import re
from urllib.parse import unquote

from flask import Response, redirect, request
from jinja2 import TemplateError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as AnyResponse

from quire.access.request import current_actor
from quire.actor import SYSTEM
from quire.declare.query import Condition, Query
from quire.declare.record import REGISTRY, Record
from quire.errors import STATUS_NAMES, Problem
from quire.records import REDIRECTS
from quire.site import resume
from quire.site.looks import Frame, frame, show
from quire.store import read
from quire.store.found import page_field

logger = logging.getLogger("quire.site")

LONGEST_PATH = 500


def wants_json() -> bool:
    """Whether a program asks: by address, or by what it accepts."""
    if request.path == "/api" or request.path.startswith("/api/"):
        return True
    kinds = ["text/html", "application/json", "application/problem+json"]
    return request.accept_mimetypes.best_match(kinds, "text/html") != "text/html"


def respond(problem: Problem) -> AnyResponse:
    """The answer to a person's failed request."""
    try:
        if problem.status == 404 and request.method in ("GET", "HEAD"):
            target = moved_to(request.path)
            if target is not None:
                return redirect(target[0], 301 if target[1] else 302)
        if resume.is_late(problem.status):
            return resume.ask(frame())
        return _page(problem, frame() if problem.status < 500 else Frame.plain())
    except (Problem, SQLAlchemyError) as second:
        # what broke the request may break the page about it too
        worse = second if isinstance(second, Problem) and second.status >= 500 else problem
        return _page(worse, Frame.plain())
    except TemplateError:
        # an installation's own frame that cannot be drawn is in the way of every page
        logger.exception("A template of this installation is broken")
        return _bare(problem)


def _bare(problem: Problem) -> Response:
    words = f"{STATUS_NAMES[problem.status]}: {problem.message}\n"
    return Response(words, problem.status, headers=problem.headers, mimetype="text/plain")


def _page(problem: Problem, around: Frame) -> Response:
    status = problem.status
    response = show(
        "problem.html", status, frame=around, heading=STATUS_NAMES[status],
        message=problem.message, status_code=status,
    )  # fmt: skip
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def moved_to(path: str) -> tuple[str, bool] | None:
    """Where an old path leads, and whether for good; None when nowhere that the asker may see."""
    if "\x00" in path or len(path) > LONGEST_PATH:
        return None
    bare = path.rstrip("/") or "/"
    spellings = Condition("path", "in", (path, bare, f"{bare}/"))
    wanted = Query(conditions=(spellings,), per_page=1, count=False)
    rows = read.page(REDIRECTS, SYSTEM, wanted).rows
    if not rows or rows[0]["target"] == path or not _is_visible(rows[0]["target"]):
        return None
    return rows[0]["target"], rows[0]["permanent"]


def _is_visible(target: str) -> bool:
    """Whether the asker may see what `target` shows; an old address must not betray a draft."""
    for record in REGISTRY.values():
        if record.page is None:
            continue
        name = page_field(record)
        shape = re.escape(record.page).replace(re.escape(f"{{{name}}}"), "([^/?#]+)")
        found = re.fullmatch(rf"{shape}([?#].*)?", target)
        if found:
            value = unquote(found[1])
            return "\x00" not in value and _is_there(record, name, value)
    return True


def _is_there(record: Record, name: str, value: str) -> bool:
    return read.find_id(record, current_actor(), **{name: value}) is not None
