"""The API in the dialect of json-server: bare arrays, `_sort`, `_order`, `_start`, `_end`, repeated filters.

Only the format of lists, PUT and DELETE differs from the API itself. See
https://github.com/typicode/json-server/tree/v0 and react-admin's `ra-data-json-server`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, Response, request

from quire.api import responses
from quire.api.media import MediaItem
from quire.api.query_parameters import allow_params
from quire.api.resources import RecordItem, RecordList, RecordResource
from quire.api.routes import Api, record_methods
from quire.api.special_resources import AccountList, Singleton
from quire.declare.query import PARAMETERS, Query, parse_number, parse_query, split_list
from quire.declare.query_conditions import MAX_VALUES, Condition, Group
from quire.declare.query_fields import filter_paths
from quire.declare.record import REGISTRY, Record
from quire.declare.value_kinds import INT64
from quire.errors import invalid_parameter, unknown_parameter
from quire.store import read
from quire.web.caching import note_shown

PREFIX = "/api/compat/json-server"
OWN = ("_sort", "_order", "_start", "_end", "_embed")
"""List parameters that have other names in the API."""
SAME = ("q", "trashed")
"""List parameters that have the same names in the API."""
DEFAULT_ROWS, MAX_ROWS = 100, 1000
"""Rows of a list without `_end`, and the maximum: react-admin's export requests 1,000 at once."""


@dataclasses.dataclass(frozen=True)
class Window:
    """The requested rows of a list: `size` rows from `start`."""

    start: int
    size: int

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "Window":
        """The window given by `_start` and `_end`. Raises BadRequest."""
        start = parse_number("_start", parameters.get("_start", "0"), 0, INT64 // 200)
        end = parameters.get("_end", str(start + DEFAULT_ROWS))
        return cls(start, parse_number("_end", end, start + 1, start + MAX_ROWS) - start)

    def pages(self) -> range:
        """The numbers of the pages of this size that the window overlaps: one if aligned, otherwise two."""
        first = self.start // self.size + 1
        return range(first, first + (2 if self.start % self.size else 1))

    def cut(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows in the window, from the rows of its pages."""
        return rows[self.start % self.size :][: self.size]


class BareResource(RecordResource):
    """The base of lists and single records here."""

    prefix = PREFIX

    def parse(self, pairs: list[tuple[str, str]]) -> Query:
        """Parse `pairs`, and the relations that `_embed` names. Raises BadRequest."""
        embedded = [("include", text) for text in request.args.getlist("_embed")]
        return parse_query(self.record, self.actor, [*pairs, *embedded])


class BareList(BareResource, RecordList):
    """GET rows, POST a new record."""

    def get(self) -> Response:
        """The rows as a bare array, their total in `X-Total-Count`."""
        window = Window.from_parameters(request.args)
        query = self.parse([*self._filters(), *_sort(request.args)])
        query = dataclasses.replace(query, conditions=_any_of_repeated(query), per_page=window.size)
        rows, total = self._rows(query, window)
        note_shown(self.record, rows)
        return responses.array_response(rows, total, query)

    def _filters(self) -> list[tuple[str, str]]:
        for name in request.args:
            if name in PARAMETERS and name not in SAME:
                names = [*filter_paths(self.record, self.actor), *SAME, *OWN]
                raise unknown_parameter(name, "parameter", names)
        return [pair for pair in request.args.items(multi=True) if pair[0] not in OWN]

    def _rows(self, query: Query, window: Window) -> tuple[list[dict[str, Any]], int]:
        rows, total, limit = [], 0, responses.size_limit()
        for number in window.pages():
            page_query = dataclasses.replace(query, page=number)
            page = read.list_records(self.record, self.actor, page_query, limit)
            rows += page.rows
            total = page.total or 0
        return window.cut(rows), total


def _sort(parameters: Mapping[str, str]) -> list[tuple[str, str]]:
    """Convert `_sort=a,b&_order=desc,asc` to the API's `sort`. Raises BadRequest."""
    orders = [one.lower() for one in split_orders(parameters.get("_order", ""))]
    if set(orders) - {"asc", "desc"}:
        raise invalid_parameter("_order", "_order must be ASC or DESC.")
    names = split_list(parameters.get("_sort", ""))
    down = ["-" if one == "desc" else "" for one in orders] + [""] * len(names)
    return [("sort", ",".join(f"{mark}{name}" for mark, name in zip(down, names, strict=False)))]


def split_orders(text: str) -> list[str]:
    """The directions in `_order`, which may repeat."""
    return [one for one in text.split(",") if one]


def _any_of_repeated(query: Query) -> tuple[Condition | Group, ...]:
    """Merge repeated filters: `id=1&id=2` matches either. Raises BadRequest for too many values."""
    values: dict[str, list[Any]] = {}
    others: list[Condition | Group] = []
    for one in query.conditions:
        if isinstance(one, Condition) and one.operator == "eq":
            values.setdefault(one.path, []).extend(one.values)
        else:
            others.append(one)
    for path, some in values.items():
        if len(some) > MAX_VALUES:
            raise invalid_parameter(path, f"{path} takes at most {MAX_VALUES} values.")
    repeated = [Condition(p, "in" if len(v) > 1 else "eq", tuple(v)) for p, v in values.items()]
    return (*repeated, *others)


class BareItem(BareResource, RecordItem):
    """GET, PUT, PATCH, DELETE a record."""

    def get(self, id: int) -> Response:
        """The object."""
        allow_params("_embed")
        return self.one(id, self.parse([]))

    def put(self, id: int) -> Response:
        """The same as PATCH: clients send a whole object or, for many records at once, only the changes."""
        return self.patch(id)

    def delete(self, id: int) -> Response:
        """Delete the record as the API does, and return its id: clients expect an object."""
        super().delete(id)
        return responses.object_response({"id": id})


class BareAccountList(BareList, AccountList):
    """GET and POST accounts; registration works as in the API."""


class BareMediaItem(BareItem, MediaItem):
    """GET, PUT, PATCH, DELETE a file."""


class BareSingleton(BareItem, Singleton):
    """GET, PUT, PATCH a singleton."""


LISTS: Mapping[str, type[BareList]] = {"users": BareAccountList}
ITEMS: Mapping[str, type[BareItem]] = {"media": BareMediaItem}
FILES = frozenset({"media"})
"""Types that are not created from JSON: files are uploaded to the API itself."""


def _add_routes(api: Api, record: Record) -> None:
    listed, item = record_methods(record)
    if record.path in FILES:
        listed -= {"POST"}
    path, name = f"/{record.path}", record.model.__name__
    kinds: list[tuple[type[Any], str, set[str]]] = [
        (LISTS.get(record.path, BareList), path, listed),
        (ITEMS.get(record.path, BareItem), f"{path}/<id:id>", item),
    ]
    if record.singleton:
        kinds = [(BareSingleton, path, item)]
    for kind, address, methods in kinds:
        resource = type(f"{kind.__name__}{name}", (kind,), {"record": record, "methods": methods})
        api.add_resource(resource, address, endpoint=resource.__name__.lower())


def init_app(app: Flask) -> None:
    """Add these routes if the operator has enabled them."""
    if not app.config["COMPAT_JSON_SERVER"]:
        return
    blueprint = Blueprint("json_server", __name__)
    api = Api(blueprint)
    for record in REGISTRY.values():
        _add_routes(api, record)
    blueprint.after_request(responses.answer_options)
    app.register_blueprint(blueprint, url_prefix=PREFIX)
    app.extensions["csrf"].exempt(blueprint)  # checked for session requests, as in the API
