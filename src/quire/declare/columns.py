"""Columns that many tables have: id, dates, version, references, names that ignore case."""

from collections.abc import Sequence
from typing import Annotated, Any

from sqlalchemy import Column, Computed, ForeignKey, Integer, MetaData, String, Table
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from quire.declare.clock import UTCDateTime, now
from quire.declare.kinds import Time
from quire.declare.values import ID, TIME, WHOLE, Kind

Ref = Annotated[int, mapped_column(Integer())]
"""The id of a record of another type; say which with `refer`."""


def refer(
    table: str, *, on_delete: str = "RESTRICT", mutual: bool = False, **more: Any
) -> MappedColumn[int]:
    """A reference to a record, by the name of its table.

    `on_delete` is what the database does here when that record goes: RESTRICT, CASCADE, SET NULL.
    `mutual`: that type refers to this one too, so neither table can be made before the other.
    """
    kind = Kind("ref", int | str | dict[str, Any], "ref", from_text=ID.from_text, asked=ID.asked)
    return mapped_column(
        ForeignKey(f"{table}.id", ondelete=on_delete, use_alter=mutual),
        info={"kind": kind, "ref": table},
        **more,
    )


def unique(**more: Any) -> MappedColumn[Any]:
    """A value that no other row may have."""
    return mapped_column(unique=True, **more)


def ignoring_case(column: str, length: int) -> MappedColumn[str]:
    """A hidden companion that makes `column` unique without regard to case.

    Call it `<column>_folded`: that name is how a broken rule finds its way back to the field.
    """
    return mapped_column(String(length), Computed(f"lower({column})", persisted=True), unique=True)


class Many:
    """Records of another type that belong to this one, in a link table `<table>_<name>`."""

    def __init__(self, target: str):
        self.target = target
        self.kind = Kind(
            "refs", list[int | str | dict[str, Any]], "refs", from_text=ID.from_text, asked=ID.asked
        )

    def __set_name__(self, model: Any, name: str) -> None:
        metadata: MetaData = model.metadata
        table = model.__tablename__
        self.name = name
        self.table = Table(
            f"{table}_{name}",
            metadata,
            Column("source_id", ForeignKey(f"{table}.id", ondelete="CASCADE"), primary_key=True),
            Column(
                "target_id",
                ForeignKey(f"{self.target}.id", ondelete="CASCADE"),
                primary_key=True,
                index=True,
            ),
            sqlite_with_rowid=False,
        )


class Numbered:
    """Rows with an id that is never used again."""

    __table_args__: Any = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(Integer(), primary_key=True, info={"kind": ID})


class Dated:
    """Rows that know when they were made and last changed."""

    created_at: Mapped[Time] = mapped_column(UTCDateTime(), default=now, info={"kind": TIME})
    updated_at: Mapped[Time] = mapped_column(UTCDateTime(), default=now, info={"kind": TIME})


class Versioned:
    """Rows whose every change is counted; clients and forms say which count they started from."""

    version: Mapped[int] = mapped_column(Integer(), default=1, info={"kind": WHOLE})


def table_args(*items: Any) -> Sequence[Any]:
    """Indexes and constraints of a table, with ids that SQLite never uses again."""
    return (*items, {"sqlite_autoincrement": True})
