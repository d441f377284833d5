"""The Api: every record type bound to its addresses, and the resources written by hand."""

from typing import Any

import flask_restful
from flask import Blueprint, Flask, Response, request
from werkzeug.routing import IntegerConverter

from quire.api import (
    documents,
    drafting,
    explain,
    history,
    media,
    own,
    previewing,
    resources,
    search,
    sign_in,
)
from quire.api.problems import in_order
from quire.api.respond import empty
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import NOBODY
from quire.declare.values import MAX_ID

PREFIX = "/api/v1"

BY_HAND = {
    "/auth/token": (sign_in.Token, "signing in is no record"),
    "/auth/refresh": (sign_in.Refresh, "nor is refreshing"),
    "/auth/revoke": (sign_in.Revoke, "nor is revoking"),
    "/csrf-token": (sign_in.Csrf, "a token of the browser session"),
    "/access/explain": (explain.Explain, "asks the rules themselves"),
    "/media/<id:id>/uses": (media.Uses, "asks all other types"),
    "/search": (search.Search, "over all types at once"),
    "/openapi.json": (documents.OpenApi, "describes the others"),
    "/docs": (documents.Docs, "shows the document to people"),
}
"""Resources that are not made from a declaration, with the reason."""


LISTS = {"sessions": own.OwnSessions, "users": own.Accounts, "media": media.Uploads}
"""Lists that can do more than others: all other sessions end at once, people register, files come."""
ITEMS = {"media": media.Item}
"""Single records that can do more: what is in use is deleted only by who says so."""


class Api(flask_restful.Api):
    """Flask-RESTful without its error handling: one handler of ours serves every door.

    Its own answers HTML or a bare 500 depending on debug mode (flask-restful issues 783, 796).
    """

    def error_router(self, original_handler: Any, e: Exception) -> Any:
        """Leave errors to the application."""
        return original_handler(e)

    def make_response(self, data: Any, *args: Any, **kwargs: Any) -> Response:
        """Every resource answers a response already."""
        assert isinstance(data, Response)
        return data


class IdConverter(IntegerConverter):
    """Ids in addresses: what no table can hold leads nowhere."""

    regex = r"\d{1,10}"

    def __init__(self, url_map: Any):
        super().__init__(url_map, min=1, max=MAX_ID)


def _class(kind: type[Any], record: Record, suffix: str, **attributes: Any) -> type[Any]:
    return type(f"{record.model.__name__}{suffix}", (kind,), {"record": record, **attributes})


def _methods(record: Record) -> tuple[set[str], set[str]]:
    """The methods of list and item: those that somebody may use."""
    access = record.access
    listed = {"GET"} | ({"POST"} if access.create is not NOBODY else set())
    item = {"GET"}
    item |= {"PUT", "PATCH"} if access.update is not NOBODY else set()
    item |= {"DELETE"} if access.delete is not NOBODY else set()
    return listed, item


def bind(api: Api, record: Record) -> None:
    """Give a record type its addresses."""
    path, name = f"/{record.path}", record.path
    if record.single:
        single = _class(own.Single, record, "Single", methods=own.Single.methods)
        api.add_resource(single, path, endpoint=name)
    else:
        listed, item = _methods(record)
        if name in LISTS:
            many = _class(LISTS[name], record, "List", methods=LISTS[name].methods)
        else:
            many = _class(resources.RecordList, record, "List", methods=listed)
        one = _class(ITEMS.get(name, resources.RecordItem), record, "Item", methods=item)
        api.add_resource(many, path, endpoint=f"{name}_list")
        api.add_resource(one, f"{path}/<id:id>", endpoint=f"{name}_item")
    if "slug" in record.by_name:
        by_slug = _class(resources.BySlug, record, "BySlug")
        api.add_resource(by_slug, f"{path}/by-slug/<slug>", endpoint=f"{name}_by_slug")
    for action in record.actions:
        verb = _class(resources.RecordAction, record, action.label, action=action)
        api.add_resource(verb, f"{path}/<id:id>/{action.name}", endpoint=f"{name}_{action.name}")
    _bind_below(api, record)


def _bind_below(api: Api, record: Record) -> None:
    if record.versioned and record.history and record.access.update is not NOBODY:
        below = f"/{record.path}/<id:id>/revisions"
        every = _class(resources.History, record, "History")
        revision = _class(resources.Revision, record, "Revision")
        difference = _class(history.Difference, record, "Difference")
        restore = _class(history.Restore, record, "RestoreRevision")
        one = f"{below}/<id:version>"
        api.add_resource(every, below, endpoint=f"{record.path}_revisions")
        api.add_resource(revision, one, endpoint=f"{record.path}_revision")
        api.add_resource(difference, f"{one}/diff", endpoint=f"{record.path}_revision_diff")
        api.add_resource(restore, f"{one}/restore", endpoint=f"{record.path}_revision_restore")
    if record.drafts:
        draft = _class(drafting.Draft, record, "Draft")
        api.add_resource(draft, f"/{record.path}/<id:id>/draft", endpoint=f"{record.path}_draft")
        previews = _class(previewing.Previews, record, "Previews")
        address = f"/{record.path}/<id:id>/previews"
        api.add_resource(previews, address, endpoint=f"{record.path}_previews")
    for reference in record.nested:
        parent = next(
            r for r in REGISTRY.values() if r.table.name == record.field(reference).target
        )
        nested = _class(
            resources.NestedList,
            record,
            f"Of{parent.model.__name__}",
            parent=parent,
            name=reference,
        )
        below = f"/{parent.path}/<id:id>/{record.path}"
        api.add_resource(nested, below, endpoint=f"{parent.path}_{record.path}")


def _answer_options(response: Response) -> Response:
    """OPTIONS says which methods there are, and nothing of a type that nobody reads."""
    if request.method != "OPTIONS" or response.status_code != 200:
        return response
    return empty(204, {"Allow": in_order(response.headers["Allow"])})


def init_app(app: Flask) -> None:
    """Open the door."""
    app.url_map.converters["id"] = IdConverter
    blueprint = Blueprint(
        "api",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    api = Api(blueprint)
    me = _class(own.Me, REGISTRY["users"], "Me", methods=own.Me.methods)
    api.add_resource(me, "/users/me", endpoint="me")
    for record in REGISTRY.values():
        bind(api, record)
    for path, (resource, _) in BY_HAND.items():
        api.add_resource(resource, path, endpoint=resource.__name__.lower())
    blueprint.after_request(_answer_options)
    app.register_blueprint(blueprint, url_prefix=PREFIX)
