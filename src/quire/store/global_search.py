"""Search over all types with a public page: visible matches, ranked, with marked snippets."""

from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from operator import add
from string import Formatter
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    union_all,
)

from quire.actor import Actor
from quire.declare.query import Query
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions, rule_params, scopes_of
from quire.errors import PermissionDenied
from quire.store.cache import last_value, total, totals
from quire.store.database_state import DatabaseState, database_state
from quire.store.db import db, read_connection
from quire.store.lists.statements import from_matches
from quire.store.read import Page
from quire.store.search import search_index
from quire.store.search.snippets import Highlighter


def search(actor: Actor, query: Query, types: tuple[str, ...] | None = None) -> Page:
    """A page of `{type, id, title, snippet, url}`; the snippet is HTML with only <mark> in it.

    `types` restricts the search to some of `searchable_types`; None means all that `actor` may see.
    Raises PermissionDenied if there are none.
    """
    words = query.search or ""
    dialect = db.engine.dialect.name
    typical = _typical(actor)
    records = _visible_types(typical, types)
    if not records:
        raise PermissionDenied(
            "This requires the scope of a type that can be searched, such as posts:read."
        )
    number = query.page or 1
    values = {**rule_params(actor), "search": search_index.expression(words, dialect)}
    limits = {"limit": query.per_page, "offset": (number - 1) * query.per_page}
    rows_of, counting = _statements(typical, dialect, types)
    with read_connection() as connection:
        state = database_state(connection, values["now"])
        hits = count_hits(connection, state, records, words, values)
        key = (typical, types, *(value for name, value in values.items() if name != "now"))
        count = total(connection, state, ("all types", *key), counting, values)
        among_ranked = limits["offset"] < search_index.MAX_RANKED * len(records)
        for reach in search_index.reaches(among_ranked, among_ranked, hits):
            rows = connection.execute(rows_of, values | limits | reach).all()
            if len(rows) == query.per_page or hits <= reach["depth"]:
                break
    highlighter = Highlighter(words)
    return Page(
        rows=[_shape(row, highlighter) for row in rows],
        total=count,
        page=number,
        per_page=query.per_page,
        has_next=number * query.per_page < count,
        has_prev=number > 1,
        next_cursor=None,
        prev_cursor=None,
        total_is_minimum=hits > search_index.MAX_HITS,
    )


def count_hits(
    connection: Connection,
    state: DatabaseState,
    records: list[Record],
    words: str,
    values: dict[str, Any],
) -> int:
    """Add to `values` the parameters about hits that other statements need; return the number of hits of
    the type that has most."""
    paths, dialect = tuple(one.path for one in records), connection.dialect.name

    def key(values: dict[str, Any]) -> tuple[Any, ...]:
        return "hits of types", paths, values["search"]

    def count(values: dict[str, Any]) -> Sequence[int]:
        return totals(connection, state, key(values), _hits(paths, dialect), values)

    def last_count(values: dict[str, Any]) -> Sequence[int]:
        return last_value(connection.engine, key(values)) or (0,)

    search_index.prefer_whole_words(
        values,
        words,
        dialect,
        lambda one: max(count(one)[::2]),
        lambda one: max(last_count(one)[::2]),
    )
    numbers = count(values)
    for one, *pair in zip(records, numbers[::2], numbers[1::2], strict=True):
        values |= search_index.hit_values(one, *pair)
    return max(numbers[::2])


def _with_page() -> list[Record]:
    return [one for one in REGISTRY.values() if one.public_path is not None and one.search_fields]


def _typical(actor: Actor) -> Actor:
    """The representative of all actors who find the same types, with only the scopes that matter for reading them."""
    return actor.cache_key_actor_for(scopes_of(record.access.read for record in _with_page()))


def searchable_types() -> list[str]:
    """The types that can be searched together: those with a public page."""
    return [record.path for record in _with_page()]


def _visible_types(actor: Actor, types: tuple[str, ...] | None) -> list[Record]:
    """The searchable `types`, or all of them if None, of which `actor` may see some records."""
    requested = [one for one in _with_page() if types is None or one.path in types]
    return [record for record in requested if record.allows(actor, "read") is not False]


@lru_cache(100)
def _statements(
    actor: Actor, dialect: str, types: tuple[str, ...] | None
) -> tuple[Select[Any], Select[Any]]:
    """The statement that finds a page of results with their texts, and the one that counts them."""
    records = _visible_types(actor, types)
    results = union_all(*(_part(one, actor, dialect, True) for one in records)).subquery("results")
    limits = bindparam("limit", type_=BigInteger), bindparam("offset", type_=BigInteger)
    ranked_rows = select(results).order_by(results.c.rank, results.c.type, results.c.id.desc())
    page = ranked_rows.limit(limits[0]).offset(limits[1]).subquery("page")
    rows = select(page, *_display_columns(records, page))
    rows = rows.order_by(page.c.rank, page.c.type, page.c.id.desc())
    parts = (_part(record, actor, dialect, False) for record in records)
    counts = [select(func.count()).select_from(part.subquery()).scalar_subquery() for part in parts]
    return rows, select(reduce(add, counts))


@lru_cache(100)
def _hits(paths: tuple[str, ...], dialect: str) -> Select[Any]:
    """A statement for one row with the counts of each type."""
    records = (REGISTRY[path] for path in paths)
    hits = [
        search_index.count_hits(one, dialect).subquery(f"hits_of_{one.path}") for one in records
    ]
    all_hits: Any = reduce(lambda left, right: left.join(right, true()), hits)
    return select(*(column for one in hits for column in one.c)).select_from(all_hits)


def _part(record: Record, actor: Actor, dialect: str, ranked: bool) -> Select[Any]:
    table, matches = record.table, search_index.matches(record, dialect, ranked)
    part = select(literal(record.path).label("type"), table.c.id)
    part = from_matches(part.add_columns(matches.c.rank) if ranked else part, record, matches)
    part = part.where(*row_conditions(record.allows(actor, "read")))
    return part.where(table.c.deleted_at.is_(None)) if record.has_trash else part


def _display_columns(records: list[Record], page: Any) -> list[Any]:
    """Titles, URLs and texts, read only for the rows that are shown."""
    columns = {"title": _title, "place": _place, "text": _text}
    return [
        case(
            *((page.c.type == one.path, _of_row(one, page.c.id, column)) for one in records),
            else_="",
        ).label(name)
        for name, column in columns.items()
    ]


def _of_row(record: Record, id: Any, column: Callable[[Record, Any], Any]) -> Any:
    table = record.table.alias(f"{record.path}_shown")
    return select(column(record, table)).where(table.c.id == id).scalar_subquery()


def _title(record: Record, table: Any) -> Any:
    return table.c[record.title_field]


def _place(record: Record, table: Any) -> Any:
    return table.c[page_field(record)]


def _text(record: Record, table: Any) -> Any:
    """The text of all searched fields except the title."""
    others = [table.c[field.column.key] for field in record.search_fields[1:]]
    return reduce(add, (func.coalesce(one, "") + "\n" for one in others), literal(""))


def page_field(record: Record) -> str:
    """The field that identifies a record in the URL of its public page."""
    return next(name for _, name, _, _ in Formatter().parse(record.public_path or "") if name)


def _shape(row: Any, highlighter: Highlighter) -> dict[str, Any]:
    record = REGISTRY[row.type]
    return {
        "type": row.type,
        "id": row.id,
        "title": row.title,
        "snippet": highlighter.snippet(row.text or ""),
        "url": (record.public_path or "").format(**{page_field(record): row.place}),
    }
