"""Resource classes for every record type: lists, items, actions, nested lists and revisions."""

import dataclasses
from collections.abc import Container
from typing import Any

from flask import Request, Response
from flask_restful import Resource
from sqlalchemy import select

from quire.actor import SYSTEM, Actor
from quire.api import feed_cursor, responses
from quire.api.idempotency import idempotent
from quire.api.query_parameters import allow_params, flag_param
from quire.api.request_body import read_object
from quire.auth.current_actor import check_csrf, current_actor
from quire.declare.action import Action
from quire.declare.input_validation import is_same_value
from quire.declare.query import Query, parse_query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import Rule, require_possible
from quire.errors import NotFound, Problem, ValidationFailed, detail
from quire.store import read, write
from quire.store.changes.preconditions import refuse_without_version
from quire.store.changes.rows import load_for_update
from quire.store.db import read_connection
from quire.store.drafts import draft_service
from quire.web.caching import note_shown
from quire.web.current import current_request

VERBS = {
    "GET": "read",
    "HEAD": "read",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
}
"""The rule of a record type that decides who may use each method."""


class RecordResource(Resource):
    """The base of all resources of a record type.

    `verb` is the permission that every method needs, if it differs from VERBS; `prefix` is the beginning
    of the addresses of records.
    """

    record: Record
    verb: str | None = None
    actor: Actor
    request: Request
    prefix = "/api/v1"
    method_decorators = {one: [idempotent] for one in ("post", "put", "patch", "delete")}

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Any:
        """Authenticate and authorize the request once, before anything is read or done.

        Raises Unauthenticated and PermissionDenied.
        """
        self.request = current_request()
        self.actor = current_actor()
        check_csrf(self.actor)
        require_possible(self.rule, self.actor)
        return super().dispatch_request(*args, **kwargs)

    @property
    def rule(self) -> Rule:
        """The rule that this request must satisfy."""
        return self.record.rule(self.verb or VERBS[self.request.method])

    def query(self, *own: str, without: Container[str] = ()) -> Query:
        """The query of this request. Raises BadRequest.

        `own` are the resource's own parameters; list parameters in `without` are treated as unknown.
        """
        pairs = [pair for pair in self.request.args.items(multi=True) if pair[0] not in own]
        return parse_query(self.record, self.actor, pairs, without)

    def saved_response(self, saved: write.Saved) -> Response:
        """The object after the change: 200, or 201 with its address if it is new."""
        if saved.visible is None:
            raise NotFound(f"This {self.record.noun} is no longer visible to you.")
        default_values = self.record.default_values(saved.visible)
        path = f"{self.prefix}/{self.record.path}"
        address = path if self.record.singleton else f"{path}/{saved.id}"
        revealed = self.record.shown_once(saved.revealed)
        status = 201 if saved.created else 200
        response = responses.object_response(default_values, status, revealed=revealed)
        if saved.created:
            response.headers["Location"] = address
        return responses.changed_response(response, address)

    def one(self, id: int, query: Query) -> Response:
        """The object, with an ETag that names its version whichever fields are shown."""
        versioned = query
        if query.fields is not None and self.record.is_versioned:
            versioned = dataclasses.replace(query, fields=(*query.fields, "version"))
        data = read.get_record(self.record, self.actor, id, versioned, responses.size_limit())
        version = data.get("version")
        if query.fields is not None and "version" not in query.fields:
            data.pop("version", None)
        note_shown(self.record, [data], has_included=bool(query.include))
        # a record included in several places is in memory once, but in JSON once for each place
        return responses.object_response(data, version=version, is_counted=not query.include)

    def list_response(self, query: Query) -> Response:
        """A page of the list."""
        page = read.list_records(self.record, self.actor, query, responses.size_limit())
        note_shown(self.record, page.rows, has_included=bool(query.include))
        response = responses.list_response(self.record.path, page, query)
        if page.feed is not None and self.record.is_versioned:
            response.headers["X-Changes-Cursor"] = feed_cursor.after_list(self.actor, page.feed)
        return response

    def based_on(self, id: int, raw: dict[str, Any]) -> int | None:
        """The version in If-Match. Raises VersionRequired if it is missing but required."""
        if self.record.is_versioned and responses.requires_version(raw):
            refuse_without_version(self.record, self.actor, id, self.rule)
        return self.expected_version(id)

    def expected_version(self, id: int) -> int | None:
        """The version in If-Match; if it lists several, the current one when it is among them."""
        if not self.record.is_versioned:
            return None
        if_match = self.request.headers.get("If-Match", "")
        several = "," in if_match or if_match.strip() == "*"
        return responses.expected_version(_version(self.record, id) if several else None)


def _version(record: Record, id: int) -> int | None:
    table = record.table.c
    with read_connection() as connection:
        return connection.execute(select(table.version).where(table.id == id)).scalar()


class RecordList(RecordResource):
    """GET a page of records, POST a new record."""

    def get(self) -> Response:
        """A page of the records that the actor may see."""
        return self.list_response(self.query())

    def post(self) -> Response:
        """201 with the new object and its address."""
        return self.created_response(read_object())

    def created_response(self, raw: dict[str, Any]) -> Response:
        """201."""
        return self.saved_response(write.create(self.record, self.actor, raw))


class RecordItem(RecordResource):
    """GET, PUT, PATCH, DELETE a record."""

    @property
    def permanent(self) -> str | None:
        """The parameter that requests permanent deletion, for types that have a trash."""
        return "permanent" if self.record.has_trash else None

    def get(self, id: int) -> Response:
        """The object."""
        allow_params("fields", "include")
        return self.one(id, self.query())

    def put(self, id: int) -> Response:
        """Replace the record; fields that are not sent are reset to their defaults."""
        return self._change(id, replace=True)

    def patch(self, id: int) -> Response:
        """Change the fields that are sent (RFC 7396)."""
        return self._change(id, replace=False)

    def _change(self, id: int, *, replace: bool) -> Response:
        raw = read_object()
        version = self.based_on(id, raw)
        saved = write.update(self.record, self.actor, id, raw, replace=replace, version=version)
        return self.saved_response(saved)

    def delete(self, id: int) -> Response:
        """Move the record to the trash, or delete it permanently if requested or if there is no trash."""
        name = self.permanent
        raw = read_object(*([name] if name else []), optional=True)
        permanent = name is not None and flag_param(name)
        version = self.based_on(id, raw)
        write.delete(self.record, self.actor, id, raw, permanent=permanent, version=version)
        return responses.empty_response(204)


class RecordAction(RecordResource):
    """POST an action."""

    action: Action

    @property
    def rule(self) -> Rule:
        """The rule of the action."""
        return self.action.allow

    def post(self, id: int) -> Response:
        """Perform the action: 200 with the object, or 201 if it created a new one."""
        raw = read_object(optional=True)
        versions = self._versions(id, raw)
        return self.saved_response(
            write.act(self.record, self.actor, id, self.action.name, raw, **versions)
        )

    def _versions(self, id: int, raw: dict[str, Any]) -> dict[str, Any]:
        """The version that the action is based on: of the record, or of the draft it publishes."""
        if self.action.creates:
            return {"version": self.expected_version(id)}
        if self.action.takes_draft and self.record.drafts and responses.names_draft():
            current = draft_service.get_draft_version(self.record, id)
            return {"draft_version": responses.expected_version(current, responses.DRAFT)}
        return {"version": self.based_on(id, raw)}


class NestedList(RecordList):
    """GET and POST the records that belong to another record: `/posts/7/comments`."""

    parent: Record
    name: str

    def get(self, id: int) -> Response:  # type: ignore[override]
        """A page of the nested records that the actor may see."""
        query = dataclasses.replace(self.query(), nested=(self.name, id))
        self._require_parent(id)
        return self.list_response(query)

    def post(self, id: int) -> Response:  # type: ignore[override]
        """201 with the new nested record."""
        allow_params()
        try:
            return self.created_response(self._nested_input(id, read_object()))
        except Problem:
            self._require_parent(id)  # a missing parent takes precedence over errors in the input
            raise

    def _nested_input(self, id: int, raw: dict[str, Any]) -> dict[str, Any]:
        if self.name in raw:
            names = tuple(dict.fromkeys(("id", self.parent.key)))
            parent = read.get_record(self.parent, self.actor, id, Query(fields=names))
            if not is_same_value(parent, raw[self.name]):
                message = f"{self.record.field(self.name).label} does not match the one in the URL."
                raise ValidationFailed([detail(self.name, "not_allowed", message)])
        return {**raw, self.name: id}

    def _require_parent(self, id: int) -> None:
        note_shown(
            self.parent, [read.get_record(self.parent, self.actor, id, Query(fields=("id",)))]
        )


class RevisionList(RecordResource):
    """GET the revisions of a record, oldest first, for actors who may edit it."""

    verb = "update"

    def get(self, id: int) -> Response:
        """A page of revisions."""
        self._require_editable(id)
        revisions = REGISTRY["revisions"]
        query = parse_query(revisions, SYSTEM, self.request.args.items(multi=True))
        own = (Condition("type", "eq", (self.record.path,)), Condition("record_id", "eq", (id,)))
        query = dataclasses.replace(query, conditions=(*own, *query.conditions))
        page = read.list_records(revisions, SYSTEM, query, responses.size_limit())
        return responses.list_response(revisions.path, page, query)

    def _require_editable(self, id: int) -> None:
        with read_connection() as connection:
            load_for_update(connection, self.record, self.actor, id, self.rule)


class RevisionItem(RevisionList):
    """GET the revision of one version."""

    def get(self, id: int, version: int) -> Response:  # type: ignore[override]
        """The state of the record at that version."""
        allow_params()
        self._require_editable(id)
        revisions = REGISTRY["revisions"]
        known_id = read.find_id(
            revisions, SYSTEM, type=self.record.path, record_id=id, version=version
        )
        if known_id is None:
            raise NotFound("There is no such revision.")
        return responses.object_response(read.get_record(revisions, SYSTEM, known_id))
