"""SQL that SQLite and PostgreSQL spell differently, under one name each."""

from typing import Any

from sqlalchemy import Integer, String, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from quire.declare.sql_types import UTCDateTime

ACTOR_ID = bindparam("actor_id", type_=Integer)
"""The actor's id, for conditions that are built once and used for everyone."""

SESSION_ID = bindparam("session_id", None, type_=Integer)
"""The actor's session; null if there is none."""

NOW = bindparam("now", type_=UTCDateTime)
"""The current time, for conditions that are built once and used at any time."""


class time_text(FunctionElement[str]):  # noqa: N801 - reads as an SQL function
    """A UTCDateTime column as RFC 3339 text, which is how SQLite stores it."""

    type = String()
    inherit_cache = True


class date_text(FunctionElement[str]):  # noqa: N801
    """A date column as `YYYY-MM-DD`."""

    type = String()
    inherit_cache = True


class fold(FunctionElement[str]):  # noqa: N801
    """Text without differences of case, also beyond ASCII."""

    type = String()
    inherit_cache = True


class position(FunctionElement[int]):  # noqa: N801
    """The position of the second text in the first, from 1; 0 if it does not occur. Case-sensitive."""

    type = Integer()
    inherit_cache = True


class json_object(FunctionElement[str]):  # noqa: N801
    """An object from name, value, name, value ..."""

    type = String()
    inherit_cache = True


class json_list(FunctionElement[str]):  # noqa: N801
    """All values of a group as one JSON array, as text."""

    type = String()
    inherit_cache = True


def _arguments(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(time_text, "sqlite")
@compiles(date_text, "sqlite")
def _stored_as_text(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return _arguments(element, compiler, **kw)


@compiles(time_text)
def _time_text(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    pattern = '\'YYYY-MM-DD"T"HH24:MI:SS"Z"\''
    return f"to_char({_arguments(element, compiler, **kw)} AT TIME ZONE 'UTC', {pattern})"


@compiles(date_text)
def _date_text(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"to_char({_arguments(element, compiler, **kw)}, 'YYYY-MM-DD')"


@compiles(fold, "sqlite")
def _fold_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"quire_fold({_arguments(element, compiler, **kw)})"  # created in store/db.py


@compiles(fold)
def _fold(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"lower({_arguments(element, compiler, **kw)})"


@compiles(position, "sqlite")
def _position_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"instr({_arguments(element, compiler, **kw)})"


@compiles(position)
def _position(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strpos({_arguments(element, compiler, **kw)})"


@compiles(json_object, "sqlite")
def _object_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_object({_arguments(element, compiler, **kw)})"


@compiles(json_object)
def _object(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_build_object({_arguments(element, compiler, **kw)})"


@compiles(json_list, "sqlite")
def _list_sqlite(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array({_arguments(element, compiler, **kw)})"


@compiles(json_list)
def _list(element: Any, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(json_agg({_arguments(element, compiler, **kw)}), '[]')::text"
