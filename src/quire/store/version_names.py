"""The names of the versions (data_versions.py) that a statement depends on and of those that it raises.

They are derived from the tables in the text of the statement, so that no reader or writer can forget one.
Tables that readers never see, such as that of jobs, have no version. A counter that must be current
(`posts.comment_count`) has a version of its own, as have choices that are stored without a new version of
their record; counters of use, such as views, have none.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from quire.declare.record import REGISTRY, find_record
from quire.declare.rules import NOBODY
from quire.store.db import HAS_VERSION, Model
from quire.store.search.documents import FTS_TABLE, SearchDocument

UNKNOWN = ""
"""The name that a statement depends on if it reads a table without a version."""
USE = "use of "
"""The prefix of the names of counters of use, which have no version either."""
ANY_ROW = ".*"
"""The suffix, after the name of a table, of the version raised by changes whose rows no event names."""
_WRITES = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)
_SET = re.compile(r"\bSET\s(.*?)(?:\bWHERE\b|\bRETURNING\b|$)", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(r"(?:^|,)\s*(\w+)\s*=")
_WORD = re.compile(r"(?<![\w.'])(?<!\bAS )(\w+)(?![\w.'(])")
_REAL_TABLES = {FTS_TABLE: SearchDocument.__tablename__}


class Access(NamedTuple):
    """The names of the versions that a statement depends on, and of those that it raises."""

    reads: frozenset[str]
    writes: frozenset[str]


@lru_cache(2000)
def access_of(statement: str) -> Access:
    """What a statement reads and writes, judged by the names in its text; never less than it really does."""
    words = (_REAL_TABLES.get(word, word) for word in _WORD.findall(statement))
    tables = set(words) & Model.metadata.tables.keys()
    reads = {name for table in tables for name in _names_read(table, statement)}
    writes = {
        name
        for verb, table in _WRITES.findall(statement)
        if table in Model.metadata.tables
        for name in _names_written(verb.upper(), table, statement)
    }
    return Access(frozenset(reads), frozenset(writes))


def _names_read(table: str, statement: str) -> Iterator[str]:
    if not has_version(table):
        yield UNKNOWN
        return
    yield table
    for column, is_followed in _counters(table).items():
        if f".{column}" in statement:
            yield f"{table}.{column}" if is_followed else f"{USE}{table}.{column}"


def _names_written(verb: str, table: str, statement: str) -> Iterator[str]:
    if verb == "DELETE FROM":
        for one in filter(has_version, _changed_by_deletion(table)):
            yield from (one, one + ANY_ROW)
        return
    if not has_version(table):
        return
    assigned = _SET.search(statement)
    columns = set(_ASSIGNED.findall(assigned[1])) if assigned and verb == "UPDATE" else set()
    counters, unseen = _counters(table), _unseen_columns(table)
    if not columns or columns - counters.keys() - unseen:
        yield from (table, table + ANY_ROW)
    else:
        yield from (f"{table}.{one}" for one in columns if counters.get(one))


def _changed_by_deletion(table: str, visited_tables: frozenset[str] = frozenset()) -> set[str]:
    """A table, and those in which the database deletes or changes rows as a consequence of its deletions."""
    names = {table}
    for column, deletes in referring_columns(table):
        other = column.table.name
        names.add(other)
        if deletes and other not in visited_tables:
            names |= _changed_by_deletion(other, visited_tables | {table, other})
    return names


def referring_columns(table: str) -> Iterator[tuple[Any, bool]]:
    """The columns that refer to a table and make the database change their rows when it deletes the table's rows; and
    whether it deletes them."""
    for other in Model.metadata.tables.values():
        for key in other.foreign_keys:
            if key.column.table.name == table and key.ondelete != "RESTRICT":
                yield key.parent, key.ondelete == "CASCADE"


def has_version(table: str) -> bool:
    """Whether a table has a version: those of records that people change, of their links, and those that declare it."""
    if Model.metadata.tables[table].info.items() >= HAS_VERSION.items():
        return True
    record = find_record(table)
    if record is not None:
        return record.is_versioned and record.access.update is not NOBODY
    links = (field.many for one in REGISTRY.values() for field in one.many_fields)
    return any(one is not None and one.table.name == table for one in links)


def _counters(table: str) -> dict[str, bool]:
    """The columns that change without a new version of the record, and whether readers must see them immediately."""
    record = find_record(table)
    if record is None:
        return {}
    return {
        one.column.name: not one.counts_use
        for one in record.fields
        if one.counter and one.is_stored
    }


def _unseen_columns(table: str) -> set[str]:
    record = find_record(table)
    if record is None:
        return set()
    order = {name.removeprefix("-") for name in record.order}
    hidden = (one for one in record.fields if one.read_rule is NOBODY and one.computed)
    return {one.column.name for one in hidden if one.is_stored and one.name not in order}
