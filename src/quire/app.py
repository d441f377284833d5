"""Creates the application: all its parts on one page, in order."""

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
"""Modules that declare record types, tables and job handlers when they are imported."""


class RequestContext(BaseRequestContext):
    """A request with an application context of its own, even inside another one.

    What Flask-Login, Flask-WTF and we store on `flask.g` then belongs to one request: Flask itself reuses an open
    context, as in tests and scripts that keep one open over many requests.
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
    """Prepare the environment of a request, once."""
    if compression.SENT_TAGS not in environ:
        hosts.normalize_host(environ, config)
        compression.normalize_request(environ)


class LazyRule(Rule):
    """A route whose URL builders are compiled on first use.

    Werkzeug compiles two functions per route on startup; few of hundreds are ever called.
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
        """Drop what is only needed for adding the route: 1.5 MB for all routes."""
        self._parts = []


class CompactMap(Map):
    """The routes, without the parts they were added from."""

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
        """Return `func` unchanged: Flask would inspect it at every call, and no view here is a coroutine."""
        return func

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer a request, from the cache if possible."""
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
        """Run what precedes the view; run it again if a database replica fails meanwhile."""
        return replica.read_again(super().preprocess_request)

    def dispatch_request(self) -> Any:
        """Run the view; run it again if a database replica fails meanwhile."""
        return replica.read_again(super().dispatch_request)

    def request_context(self, environ: dict[str, Any]) -> RequestContext:
        """Return the context of the request that `environ` describes."""
        _normalize(environ, self.config)
        context = environ[CONTEXT_KEY] = RequestContext(self, environ)
        return context

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return URLs for `request`, whose host is normalized.

        Flask would check the host and then omit it, and Werkzeug would check it and decode the URL again.
        """
        if request is None:
            return super().create_url_adapter(None)
        query = request.query_string.decode(errors="replace")
        host, scheme = hosts.host_of(request.environ), request.scheme
        place = host, request.root_path, "", scheme, request.path
        return MapAdapter(self.url_map, *place, request.method, query)


def create_app(name: str | None = None, config: Mapping[str, Any] | None = None) -> Flask:
    """Create an application for the environment `name` (development, testing, production).

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
    app.extensions["csrf"].exempt(
        app.blueprints["api"]
    )  # the API itself checks requests that use a session
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
    """Cache finished responses to anonymous requests, if the operator allows memory for them."""
    if size := app.config["RESPONSE_CACHE_BYTES"]:
        with app.app_context():
            database = database_state.EngineState(db.engine)
        app.response_cache = ResponseCache(app, size, database, (preferences.COOKIE,))


def trust_proxy(app: Flask) -> None:
    """Trust one proxy for the client's address and the scheme, under any WSGI server."""
    if proxy := app.config["TRUSTED_PROXY"]:
        app.wsgi_app = proxy_headers_middleware(  # type: ignore[method-assign]
            app.wsgi_app,
            trusted_proxy=proxy,
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-proto"},
        )


def handle_error(error: Exception) -> Any:
    """Return the response to an error: JSON for programs, a page for people."""
    if isinstance(error, RequestRedirect):
        return error
    problem = as_problem(error)
    if (other := redirect_for(problem)) is not None:
        return other
    return problem_response(problem) if wants_json() else error_page(problem)


def handle_full_disk(error: OSError) -> Any:
    """A body that is too large for memory is stored on the disk, which may be full."""
    problem = full_disk_problem(error)
    if problem is None:
        raise error
    return handle_error(problem)
