"""Resource classes for every record type: list, item, action, what is nested below, history."""

import dataclasses
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import Response, request
from flask_restful import Resource
from sqlalchemy import select

from quire.access.request import check_csrf, current_actor
from quire.actor import SYSTEM, Actor
from quire.api import respond
from quire.api.front_door import only, read_object
from quire.declare.parse import same
from quire.declare.query import Condition, Query, flag, parse_query
from quire.declare.record import REGISTRY, Action, Record
from quire.errors import Invalid, Missing, Problem, VersionRequired, detail
from quire.store import drafting, read, write
from quire.store.db import reading
from quire.store.rows import find


def checked(view: Callable[..., Response]) -> Callable[..., Response]:
    """Refuse requests by cookie that another site could have made, before anything is done."""

    def guarded(*args: Any, **kwargs: Any) -> Response:
        check_csrf(current_actor())
        return view(*args, **kwargs)

    return guarded


class RecordResource(Resource):
    """What all resources of a record type share."""

    record: Record
    method_decorators = [checked]

    def saved(self, actor: Actor, saved: write.Saved) -> Response:
        """The object as the change left it: 200, or 201 with its address when it is new."""
        if saved.shown is None:
            raise Missing(f"This {self.record.one.lower()} is no longer visible to you.")
        shown = {name: saved.shown[name] for name in self.record.ordinary(saved.shown)}
        if not saved.created:
            return respond.one(actor, shown)
        address = f"/api/v1/{self.record.path}/{saved.id}"
        return respond.one(actor, shown, 201, revealed=saved.revealed, Location=address)

    def one(self, actor: Actor, id: int, query: Query) -> Response:
        """The object as it is read; its ETag names the version, whichever fields are shown."""
        wanted = query
        if query.fields is not None and self.record.versioned:
            wanted = dataclasses.replace(query, fields=(*query.fields, "version"))
        data = read.one(self.record, actor, id, wanted)
        version = data.get("version")
        if query.fields is not None and "version" not in query.fields:
            data.pop("version", None)
        return respond.one(actor, data, version=version)

    def based_on(self, actor: Actor, id: int, raw: dict[str, Any]) -> int | None:
        """The version that If-Match names. Raises VersionRequired where one is demanded."""
        if respond.lacks_version(raw):
            read.one(self.record, actor, id, Query(fields=("id",)))  # first of all it must be there
            raise VersionRequired("Send If-Match or version: which version is this based on?")
        return self.expected(id)

    def expected(self, id: int) -> int | None:
        """The version that If-Match names, compared with the present one where there are several."""
        if not self.record.versioned:
            return None
        sent = request.headers.get("If-Match", "")
        several = "," in sent or sent.strip() == "*"
        return respond.expected_version(_version(self.record, id) if several else None)


def _version(record: Record, id: int) -> int | None:
    table = record.table.c
    with reading() as connection:
        return connection.execute(select(table.version).where(table.id == id)).scalar()


class RecordList(RecordResource):
    """GET a page of them, POST a new one."""

    def get(self) -> Response:
        """A page of the records that the asker may see."""
        actor = current_actor()
        write.pass_door(self.record.access.read, actor)
        query = parse_query(self.record, actor, request.args.items(multi=True))
        return respond.listing(actor, self.record.path, read.page(self.record, actor, query), query)

    def post(self) -> Response:
        """A new record: 201 with the object and its address."""
        actor = current_actor()
        write.pass_door(self.record.access.create, actor)
        only()
        return self.created(actor, read_object())

    def created(self, actor: Actor, raw: dict[str, Any]) -> Response:
        """201."""
        return self.made(actor, write.create(self.record, actor, raw))

    def made(self, actor: Actor, saved: write.Saved) -> Response:
        """201; whoever has just registered sees himself."""
        if actor.is_anonymous:
            actor = Actor(saved.state["role"], saved.id, saved.state["username"])
            saved = dataclasses.replace(saved, shown=read.one(self.record, actor, saved.id))
        return self.saved(actor, saved)


class RecordItem(RecordResource):
    """GET, PUT, PATCH, DELETE one."""

    @property
    def for_good(self) -> str | None:
        """The parameter that asks to delete for good, where deleting alone is less than that."""
        return "permanent" if self.record.trashes else None

    def get(self, id: int) -> Response:
        """The object."""
        actor = current_actor()
        write.pass_door(self.record.access.read, actor)
        only("fields", "include")
        query = parse_query(self.record, actor, request.args.items(multi=True))
        return self.one(actor, id, query)

    def put(self, id: int) -> Response:
        """Replace it: what is not sent goes back to its default."""
        return self._change(id, replace=True)

    def patch(self, id: int) -> Response:
        """Change the fields that are sent (RFC 7396)."""
        return self._change(id, replace=False)

    def _change(self, id: int, *, replace: bool) -> Response:
        actor = current_actor()
        write.pass_door(self.record.access.update, actor)
        only()
        raw = read_object()
        version = self.based_on(actor, id, raw)
        saved = write.update(self.record, actor, id, raw, replace=replace, version=version)
        return self.saved(actor, saved)

    def delete(self, id: int) -> Response:
        """Delete it, or put it into the trash; for good where `for_good` is asked for."""
        actor = current_actor()
        write.pass_door(self.record.access.delete, actor)
        name = self.for_good
        only(*([name] if name else []))
        permanent = name is not None and flag(name, request.args.get(name, "false"))
        raw = read_object(optional=True)
        version = self.based_on(actor, id, raw)
        write.delete(self.record, actor, id, raw, permanent=permanent, version=version)
        return respond.empty(204)


class RecordAction(RecordResource):
    """POST a verb."""

    action: Action

    def post(self, id: int) -> Response:
        """Do it: 200 with the object, 201 when it made a new one."""
        actor = current_actor()
        write.pass_door(self.action.allow, actor)
        only()
        raw = read_object(optional=True)
        saved = write.act(
            self.record, actor, id, self.action.name, raw, **self._named(actor, id, raw)
        )
        return self.saved(actor, saved)

    def _named(self, actor: Actor, id: int, raw: dict[str, Any]) -> dict[str, int | None]:
        """The version of the record that this is based on, or of the draft that it takes."""
        if self.action.creates:
            return {"version": self.expected(id)}
        if self.action.takes_draft and self.record.drafts and respond.names_draft():
            current = drafting.version_of(self.record, id)
            return {"draft_version": respond.expected_version(current, respond.DRAFT)}
        return {"version": self.based_on(actor, id, raw)}


class BySlug(RecordResource):
    """GET one by its slug; an old slug leads to the new one."""

    def get(self, slug: str) -> Response:
        """The object, or 301."""
        actor = current_actor()
        write.pass_door(self.record.access.read, actor)
        only("fields", "include")
        query = parse_query(self.record, actor, request.args.items(multi=True))
        if "\x00" in slug:  # no slug has it, and PostgreSQL cannot be asked
            raise Missing(f"There is no such {self.record.one.lower()}.")
        id = read.find_id(self.record, actor, slug=slug)
        return self._moved(actor, slug) if id is None else self.one(actor, id, query)

    def _moved(self, actor: Actor, slug: str) -> Response:
        start = f"/{self.record.path}/"
        target = redirect_target(start + slug) or ""
        new = target.removeprefix(start)
        if not target.startswith(start) or read.find_id(self.record, actor, slug=new) is None:
            raise Missing(f"There is no such {self.record.one.lower()}.")
        asked = request.query_string.decode("ascii", "ignore")
        address = f"/api/v1{start}by-slug/{quote(new)}" + (f"?{asked}" if asked else "")
        headers = {"Location": address, "Cache-Control": "no-cache"}
        return respond.answer({"location": address}, 301, headers)


def redirect_target(path: str) -> str | None:
    """Where an old path leads."""
    table = REGISTRY["redirects"].table.c
    with reading() as connection:
        return connection.execute(select(table.target).where(table.path == path)).scalar()


class NestedList(RecordList):
    """GET and POST what belongs to a record: `/posts/7/comments`."""

    parent: Record
    name: str

    def get(self, id: int) -> Response:  # type: ignore[override]
        """A page of what the asker may see below this record."""
        actor = current_actor()
        write.pass_door(self.record.access.read, actor)
        query = parse_query(self.record, actor, request.args.items(multi=True))
        self._parent(actor, id)
        query = dataclasses.replace(query, nested=(self.name, id))
        return respond.listing(actor, self.record.path, read.page(self.record, actor, query), query)

    def post(self, id: int) -> Response:  # type: ignore[override]
        """A new record below this one."""
        actor = current_actor()
        write.pass_door(self.record.access.create, actor)
        only()
        try:
            return self.created(actor, self._below(actor, id, read_object()))
        except Problem:
            self._parent(actor, id)  # a record that is not there comes before what is wrong with it
            raise

    def _below(self, actor: Actor, id: int, raw: dict[str, Any]) -> dict[str, Any]:
        if self.name in raw:
            names = tuple(dict.fromkeys(("id", self.parent.key)))
            parent = read.one(self.parent, actor, id, Query(fields=names))
            if not same(parent, raw[self.name]):
                message = f"{self.record.field(self.name).label} is not the one of this address."
                raise Invalid([detail(self.name, "not_allowed", message)])
        return {**raw, self.name: id}

    def _parent(self, actor: Actor, id: int) -> None:
        read.one(self.parent, actor, id, Query(fields=("id",)))


class History(RecordResource):
    """GET the revisions of a record, oldest first, for whoever may edit it."""

    def get(self, id: int) -> Response:
        """A page of revisions."""
        actor = current_actor()
        self._door(actor, id)
        revisions = REGISTRY["revisions"]
        query = parse_query(revisions, SYSTEM, request.args.items(multi=True))
        own = (Condition("type", "eq", (self.record.path,)), Condition("record_id", "eq", (id,)))
        query = dataclasses.replace(query, conditions=(*own, *query.conditions))
        page = read.page(revisions, SYSTEM, query)
        return respond.listing(actor, revisions.path, page, query)

    def _door(self, actor: Actor, id: int) -> None:
        rule = self.record.access.update
        write.pass_door(rule, actor)
        with reading() as connection:
            find(connection, self.record, actor, id, rule)


class Revision(History):
    """GET the revision of one version."""

    def get(self, id: int, version: int) -> Response:  # type: ignore[override]
        """What the record held at that version."""
        actor = current_actor()
        only()
        self._door(actor, id)
        revisions = REGISTRY["revisions"]
        found = read.find_id(
            revisions, SYSTEM, type=self.record.path, record_id=id, version=version
        )
        if found is None:
            raise Missing("There is no such revision.")
        return respond.one(actor, read.one(revisions, SYSTEM, found))
