"""The routes of the API: those of every record type, and those of hand-written resources."""

from typing import Any

import flask_restful
from flask import Blueprint, Flask, Response
from werkzeug.routing import IntegerConverter

from quire.api import (
    bulk,
    by_slug,
    counts,
    drafts,
    export,
    media,
    preview_links,
    query,
    resources,
    revisions,
    special_resources,
)
from quire.api.custom_resources import RESOURCES
from quire.api.deprecations import add_deprecation
from quire.api.openapi import views
from quire.api.responses import answer_options
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import NOBODY
from quire.declare.value_kinds import MAX_ID
from quire.records.media_files import REPLACE

PREFIX = "/api/v1"

CUSTOM_RESOURCES = RESOURCES | {
    "/openapi.json": (views.OpenApi, "describes the others"),
    "/docs": (views.Docs, "shows the document to people"),
}
"""All resources that are not generated from a declaration, with the reason."""
LISTS = {
    "sessions": special_resources.OwnSessions,
    "users": special_resources.AccountList,
    "media": media.MediaList,
}
"""Lists with special behaviour: ending all other sessions, registration, uploads."""
ITEMS = {"media": media.MediaItem}
"""Single records with special behaviour: a file in use is deleted only on explicit request."""
ACTIONS = {
    ("batches", "undo"): bulk.BatchUndo,
    ("media", REPLACE): media.MediaReplacement,
    ("webhooks", "test"): special_resources.WebhookTest,
}
"""Actions with special requests or responses: undo results by row, a file upload, a test delivery."""


class Api(flask_restful.Api):
    """Flask-RESTful without its error handling: our own handler serves every interface.

    Flask-RESTful's returns HTML or a bare 500 depending on debug mode (flask-restful issues 783, 796).
    """

    def error_router(self, original_handler: Any, e: Exception) -> Any:
        """Leave errors to the application."""
        return original_handler(e)

    def mediatypes_method(self) -> Any:
        """None: Flask-RESTful would store a bound method of this API on the resource classes, which
        outlive it and would keep the application and its 40,000 objects alive."""
        return None

    def make_response(self, data: Any, *args: Any, **kwargs: Any) -> Response:
        """Return `data`: every resource already returns a Response."""
        assert isinstance(data, Response)
        return data


class RecordIdConverter(IntegerConverter):
    """Ids in URLs: ids too large for the database do not match, and each id has one spelling."""

    regex = r"[1-9][0-9]{0,9}"

    def __init__(self, url_map: Any):
        super().__init__(url_map, min=1, max=MAX_ID)


def _resource_class(kind: type[Any], record: Record, suffix: str, **attributes: Any) -> type[Any]:
    return type(f"{record.model.__name__}{suffix}", (kind,), {"record": record, **attributes})


def record_methods(record: Record) -> tuple[set[str], set[str]]:
    """The methods of list and item that someone may use."""
    access = record.access
    listed = {"GET"} | ({"POST"} if access.create is not NOBODY else set())
    item = {"GET"}
    item |= {"PUT", "PATCH"} if access.update is not NOBODY else set()
    item |= {"DELETE"} if access.delete is not NOBODY else set()
    return listed, item


def add_record_routes(api: Api, record: Record) -> None:
    """Add the routes of a record type."""
    path, name = f"/{record.path}", record.path
    if record.singleton:
        single = _resource_class(
            special_resources.Singleton,
            record,
            "Single",
            methods=special_resources.Singleton.methods,
        )
        api.add_resource(single, path, endpoint=name)
    else:
        listed, item = record_methods(record)
        if name in LISTS:
            many = _resource_class(LISTS[name], record, "List", methods=LISTS[name].methods)
        else:
            many = _resource_class(resources.RecordList, record, "List", methods=listed)
        one = _resource_class(ITEMS.get(name, resources.RecordItem), record, "Item", methods=item)
        api.add_resource(many, path, endpoint=f"{name}_list")
        api.add_resource(one, f"{path}/<id:id>", endpoint=f"{name}_item")
        _add_list_readers(api, record)
    if "slug" in record.fields_by_name:
        one = _resource_class(by_slug.BySlug, record, "BySlug")
        api.add_resource(one, f"{path}/by-slug/<slug>", endpoint=f"{name}_by_slug")
    for action in record.actions:
        kind = ACTIONS.get((name, action.name), resources.RecordAction)
        verb = _resource_class(kind, record, action.label, action=action)
        api.add_resource(verb, f"{path}/<id:id>/{action.name}", endpoint=f"{name}_{action.name}")
    if bulk.write_rules(record):
        many = _resource_class(bulk.RecordBulk, record, "Bulk")
        api.add_resource(many, f"{path}/bulk", endpoint=f"{name}_bulk")
    _add_nested_routes(api, record)


def _add_list_readers(api: Api, record: Record) -> None:
    """Add the routes that read a list by query, as an export or as counts."""
    by_body = _resource_class(query.RecordQuery, record, "Query")
    counts_resource = _resource_class(counts.RecordCounts, record, "Counts")
    api.add_resource(by_body, f"/{record.path}/query", endpoint=f"{record.path}_query")
    exported = _resource_class(export.RecordExport, record, "Export")
    api.add_resource(exported, f"/{record.path}/export", endpoint=f"{record.path}_export")
    api.add_resource(counts_resource, f"/{record.path}/counts", endpoint=f"{record.path}_counts")


def _add_nested_routes(api: Api, record: Record) -> None:
    if record.is_versioned and record.history and record.access.update is not NOBODY:
        below = f"/{record.path}/<id:id>/revisions"
        every = _resource_class(resources.RevisionList, record, "History")
        revision = _resource_class(resources.RevisionItem, record, "Revision")
        difference = _resource_class(revisions.RevisionDiff, record, "Difference")
        restore = _resource_class(revisions.RevisionRestore, record, "RestoreRevision")
        one = f"{below}/<id:version>"
        api.add_resource(every, below, endpoint=f"{record.path}_revisions")
        api.add_resource(revision, one, endpoint=f"{record.path}_revision")
        api.add_resource(difference, f"{one}/diff", endpoint=f"{record.path}_revision_diff")
        api.add_resource(restore, f"{one}/restore", endpoint=f"{record.path}_revision_restore")
    if record.drafts:
        draft = _resource_class(drafts.DraftItem, record, "Draft")
        api.add_resource(draft, f"/{record.path}/<id:id>/draft", endpoint=f"{record.path}_draft")
        previews = _resource_class(preview_links.Previews, record, "Previews")
        address = f"/{record.path}/<id:id>/previews"
        api.add_resource(previews, address, endpoint=f"{record.path}_previews")
    for reference in record.nested_under:
        parent = next(
            r for r in REGISTRY.values() if r.table.name == record.field(reference).target
        )
        nested = _resource_class(
            resources.NestedList,
            record,
            f"Of{parent.model.__name__}",
            parent=parent,
            name=reference,
        )
        below = f"/{parent.path}/<id:id>/{record.path}"
        api.add_resource(nested, below, endpoint=f"{parent.path}_{record.path}")


def init_api(app: Flask) -> None:
    """Add the API to the application."""
    app.url_map.converters["id"] = RecordIdConverter
    blueprint = Blueprint(
        "api",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    api = Api(blueprint)
    me = _resource_class(
        special_resources.OwnAccount,
        REGISTRY["users"],
        "Me",
        methods=special_resources.OwnAccount.methods,
    )
    api.add_resource(me, "/users/me", endpoint="me")
    for record in REGISTRY.values():
        add_record_routes(api, record)
    for path, (resource, _) in CUSTOM_RESOURCES.items():
        api.add_resource(resource, path, endpoint=resource.__name__.lower())
    blueprint.after_request(answer_options)
    blueprint.after_request(add_deprecation)
    app.register_blueprint(blueprint, url_prefix=PREFIX)
