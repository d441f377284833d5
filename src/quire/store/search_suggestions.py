"""Suggestions while a person types: the best few matches of several types, found in one statement."""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, String, cast, func, literal, select, union_all

from quire.actor import Actor
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions, rule_params
from quire.store.database_state import database_state
from quire.store.db import db, read_connection
from quire.store.global_search import count_hits
from quire.store.lists.statements import from_matches
from quire.store.search import search_index

MAX_TITLE = 200
"""The length to which titles are read, since the title of a comment is its whole text."""


class Suggestion(NamedTuple):
    """A match: the beginning of its title, and its file if the type has files."""

    type: str
    id: int
    title: str
    url: str
    rank: float


def title_column(record: Record) -> Any:
    """The beginning of a record's title as text, empty if the title is not text."""
    field = record.field(record.title_field)
    is_text = field.column is not None and field.target is None
    return func.substr(cast(field.column, String) if is_text else literal(""), 1, MAX_TITLE)


def suggestions(records: list[Record], actor: Actor, words: str, per_type: int) -> list[Suggestion]:
    """At most `per_type` matches for each of `records` that `actor` can see in the panel, best first."""
    dialect = db.engine.dialect.name
    values = {**rule_params(actor), "search": search_index.expression(words, dialect)}
    paths = tuple(one.path for one in records)
    if not paths:
        return []
    statement = _statement(paths, actor.cache_key_actor, dialect, per_type)
    with read_connection() as connection:
        state = database_state(connection, values["now"])
        hits = count_hits(connection, state, records, words, values)
        for reach in search_index.reaches(True, True, hits):
            rows = [Suggestion(*row) for row in connection.execute(statement, values | reach)]
            if len(rows) == per_type * len(paths) or hits <= reach["depth"]:
                break
    return sorted(rows, key=lambda one: (paths.index(one.type), one.rank, -one.id))


@lru_cache(50)
def _statement(paths: tuple[str, ...], actor: Actor, dialect: str, per_type: int) -> Any:
    parts = (_part(REGISTRY[path], actor, dialect, per_type) for path in paths)
    return union_all(*(select(part.subquery()) for part in parts))


def _part(record: Record, actor: Actor, dialect: str, per_type: int) -> Select[Any]:
    table, matches = record.table, search_index.matches(record, dialect)
    url = record.fields_by_name.get("url")
    part = select(
        literal(record.path).label("type"),
        table.c.id,
        title_column(record).label("title"),
        (literal("") if url is None else cast(url.column, String)).label("url"),
        matches.c.rank,
    )
    part = from_matches(part, record, matches)
    part = part.where(*row_conditions(record.allows(actor, "panel")))
    if record.has_trash:
        part = part.where(table.c.deleted_at.is_(None))
    return part.order_by(matches.c.rank, table.c.id.desc()).limit(per_type)
