"""create_app: the whole assembly on one page, in order."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from quire import config as settings
from quire import headers, records, uploads  # noqa: F401 - the types declare themselves
from quire.access import denials, origin, sessions, throttle
from quire.access.own_form import csrf
from quire.access.request import only_looking
from quire.admin import door as admin
from quire.api import cors, problems
from quire.api import door as api
from quire.errors import Problem
from quire.jobs import comment_mail, digest, pictures, upkeep  # noqa: F401 - what they handle
from quire.jobs.delivery import mail
from quire.site import door as site
from quire.site import failures
from quire.store import db as database
from quire.store import devices, links, origins, second_factors  # noqa: F401 - tables beside the records
from quire.store.secrets import bcrypt


class Quire(Flask):
    """The application; none of its views is a coroutine, so none has to be asked whether it is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func` as it is: Flask would inspect it at every call."""
        return func


def create_app(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """An application for the environment `name` (development, testing, production).

    None follows QUIRE_ENV; `config` overrides settings. Raises config.Unsafe.
    """
    app = Quire("quire", static_folder=None)
    app.config.update(settings.load(name, config))
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    cors.init_app(app)
    headers.init_app(app)
    origin.init_app(app)
    uploads.init_app(app)
    app.before_request(only_looking)
    denials.init_app(app)
    database.init_app(app)
    bcrypt.init_app(app)
    sessions.init_app(app)
    mail.init_app(app)
    throttle.init_app(app)
    csrf.init_app(app)
    api.init_app(app)
    csrf.exempt(app.blueprints["api"])  # the API checks requests by session itself
    admin.init_app(app)
    site.init_app(app)
    app.register_error_handler(Problem, failed)
    app.register_error_handler(HTTPException, failed)
    return app


def failed(error: Exception) -> Any:
    """One answer to every failure: JSON for programs, a page for people."""
    if isinstance(error, RequestRedirect):
        return error
    problem = problems.as_problem(error)
    return problems.respond(problem) if failures.wants_json() else failures.respond(problem)
