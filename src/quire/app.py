"""create_app: the whole assembly on one page, in order."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Request
from flask.ctx import RequestContext as BaseRequestContext
from waitress.proxy_headers import proxy_headers_middleware
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, MapAdapter, RequestRedirect, Rule, RuleFactory

from quire import records
from quire.admin.setup import init_admin
from quire.api import cors
from quire.api.compat import ghost, json_server
from quire.api.errors import as_problem, problem_response
from quire.api.routes import init_api
from quire.auth import (
    audit_denials,
    cross_origin,
    csrf,
    maintenance_mode,
    rate_limits,
    sessions,
)
from quire.auth.current_actor import block_writes_when_impersonating, chosen_language
from quire.config.load import load
from quire.errors import Problem
from quire.jobs import background, maintenance
from quire.jobs.images import process
from quire.jobs.mail import comment_mail, digest
from quire.jobs.mail.smtp import mail
from quire.jobs.webhooks import send
from quire.monitoring.requests import CONTEXT_KEY
from quire.monitoring.setup import init_monitoring
from quire.records import site_settings
from quire.records.accounts import email_links, known_devices, second_factors
from quire.security.passwords import bcrypt
from quire.site import preferences
from quire.site.errors import error_page, redirect_for, wants_json
from quire.site.routes import init_site
from quire.store import database_state, engine, import_origins, late_audit, replica
from quire.store.connections import statement_timer
from quire.store.connections.kept_connection import allow_keeping, close_kept
from quire.store.db import REPLICA, db
from quire.store.files.local import full_disk_problem
from quire.web import (
    body_limits,
    caching,
    compression,
    headers,
    hosts,
    language,
    response,
)
from quire.web.form_parser import FormRequest
from quire.web.request_hooks import before_request
from quire.web.response_cache import ResponseCache
from quire.web.safe_requests import READS

DECLARING_MODULES = (
    records, comment_mail, digest, maintenance, process, send,
    email_links, import_origins, known_devices, second_factors,
)  # fmt: skip
"""Modules that declare record types, tables and handlers of jobs by being imported."""


class RequestContext(BaseRequestContext):
    """A request with an application context of its own, even inside another one.

    What is kept on `flask.g`, by Flask-Login and Flask-WTF too, is then that of one request: Flask
    itself reuses a context that is open, as in tests and scripts that hold one over many requests.
    """

    def __init__(self, app: Flask, *args: Any, **kwargs: Any):
        super().__init__(app, *args, **kwargs)
        self.app_context = app.app_context()

    def push(self) -> None:
        """Make it the current one."""
        self.app_context.push()
        super().push()

    def pop(self, *exc: Any) -> None:
        """Leave it."""
        try:
            super().pop(*exc)
        finally:
            self.app_context.pop(*exc)


def _normalize(environ: dict[str, Any], config: Mapping[str, Any]) -> None:
    """Make the environment of a request ready for us, once."""
    if compression.SENT_TAGS not in environ:
        hosts.normalize_host(environ, config)
        compression.normalize_request(environ)


class LazyRule(Rule):
    """A route whose builders of addresses are compiled when first used.

    Werkzeug compiles two functions per route at the start; few of hundreds are ever called.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        return LazyRule._first_build_unknown if append_unknown else LazyRule._first_build

    def _first_build(self, /, **values: Any) -> tuple[str, str]:
        self._build = super()._compile_builder(False).__get__(self, None)
        return self._build(**values)

    def _first_build_unknown(self, /, **values: Any) -> tuple[str, str]:
        self._build_unknown = super()._compile_builder(True).__get__(self, None)
        return self._build_unknown(**values)

    def forget_parts(self) -> None:
        """Drop what only the map needs to add the route: 1.5 MB of all routes."""
        self._parts = []


class CompactMap(Map):
    """The routes, without what they were added from."""

    def add(self, rulefactory: RuleFactory) -> None:
        """Add a route."""
        super().add(rulefactory)
        if isinstance(rulefactory, LazyRule):
            rulefactory.forget_parts()


class Quire(Flask):
    """The application, whose requests have a normalized host and a context of their own."""

    request_class = FormRequest
    url_rule_class = LazyRule
    url_map_class = CompactMap
    response_cache: ResponseCache | None = None

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func` as it is: Flask would inspect it at every call, and no view here is a coroutine."""
        return func

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a request: from the cache, where it has the answer."""
        _normalize(environ, self.config)
        if environ["REQUEST_METHOD"] in READS and REPLICA not in self.extensions:
            allow_keeping(environ)
        try:
            if self.response_cache is None:
                return super().wsgi_app(environ, start_response)
            return self.response_cache.respond(environ, start_response, super().wsgi_app)
        finally:
            close_kept(environ)

    def preprocess_request(self) -> Any:
        """What comes before the view; once more where a replica of the database was lost in it."""
        return replica.read_again(super().preprocess_request)

    def dispatch_request(self) -> Any:
        """What the view returns; once more where a replica of the database was lost in it."""
        return replica.read_again(super().dispatch_request)

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """The context of the request that `environ` describes, made ready for us."""
        _normalize(environ, self.config)
        context = environ[CONTEXT_KEY] = RequestContext(self, environ)
        return context

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Addresses for `request`, whose host is settled: Flask would check it and leave it without,
        Werkzeug would check it and decode the address anew."""
        if request is None:
            return super().create_url_adapter(None)
        query = request.query_string.decode(errors="replace")
        host, scheme = hosts.host_of(request.environ), request.scheme
        place = host, request.root_path, "", scheme, request.path
        return MapAdapter(self.url_map, *place, request.method, query)


def create_app(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """An application for the environment `name` (development, testing, production).

    None follows QUIRE_ENV; `config` overrides settings. Raises UnsafeConfig.
    """
    app = Quire("quire", static_folder=None)
    app.config.update(load(name, config))
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    compression.init_app(app)
    headers.init_app(app)
    cors.init_app(app)
    statement_timer.init_app(app)
    caching.init_app(app, database_state.next_scheduled_change)
    language.init_app(
        app, (chosen_language, preferences.chosen_language), site_settings.site_language
    )
    response.init_app(app)
    hosts.init_app(app)
    cross_origin.init_app(app)
    body_limits.init_app(app)
    maintenance_mode.init_app(app)
    before_request(app, block_writes_when_impersonating)
    late_audit.init_app(app)
    audit_denials.init_app(app)
    engine.init_app(app)
    replica.init_app(app)
    bcrypt.init_app(app)
    sessions.init_app(app)
    mail.init_app(app)
    rate_limits.init_app(app)
    csrf.init_app(app)
    init_api(app)
    app.extensions["csrf"].exempt(app.blueprints["api"])  # it checks requests by session itself
    json_server.init_app(app)
    ghost.init_app(app)
    init_admin(app)
    init_site(app)
    app.register_error_handler(Problem, handle_error)
    app.register_error_handler(OSError, handle_full_disk)
    app.register_error_handler(HTTPException, handle_error)
    cache_responses(app)
    trust_proxy(app)
    init_monitoring(app)
    background.init_app(app)
    return app


def cache_responses(app: Quire) -> None:
    """Keep finished answers to anonymous requests, where the operator gives memory for them."""
    if size := app.config["RESPONSE_CACHE_BYTES"]:
        with app.app_context():
            database = database_state.EngineState(db.engine)
        app.response_cache = ResponseCache(app, size, database, (preferences.COOKIE,))


def trust_proxy(app: Flask) -> None:
    """Believe one proxy who asks and by which scheme, and nobody else, under any WSGI server."""
    if proxy := app.config["TRUSTED_PROXY"]:
        app.wsgi_app = proxy_headers_middleware(  # type: ignore[method-assign]
            app.wsgi_app,
            trusted_proxy=proxy,
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-proto"},
        )


def handle_error(error: Exception) -> Any:
    """One answer to every failure: JSON for programs, a page for people."""
    if isinstance(error, RequestRedirect):
        return error
    problem = as_problem(error)
    if (other := redirect_for(problem)) is not None:
        return other
    return problem_response(problem) if wants_json() else error_page(problem)


def handle_full_disk(error: OSError) -> Any:
    """A body that is too large for memory waits on the disk, which may be full."""
    problem = full_disk_problem(error)
    if problem is None:
        raise error
    return handle_error(problem)
