"""Columns with references and unique values: foreign keys, link tables, names that ignore case."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Column, Computed, ForeignKey, Index, Integer, MetaData, Table
from sqlalchemy.orm import MappedColumn, mapped_column

from quire.declare.unicode_text import CaseFolded
from quire.declare.value_kinds import ID, Kind

Ref = Annotated[int, mapped_column(Integer())]
"""The id of a record of another type, which `reference` names."""

ACCOUNTS = "users"
"""The table of actors: the store records who made each change."""

FOLDING_GROWTH = 3
"""How many characters one can become when its case is folded (Unicode Standard, 5.18)."""


def reference(
    table: str, *, on_delete: str = "RESTRICT", use_alter: bool = False, **more: Any
) -> MappedColumn[int]:
    """A reference to a record, by the name of its table.

    `on_delete` is what the database does when that record is deleted: RESTRICT, CASCADE, SET NULL. `use_alter`:
    that type refers to this one too, so neither table can be created before the other.
    """
    kind = Kind(
        "ref",
        int | str | dict[str, Any],
        "ref",
        from_text=ID.from_text,
        query_schema=ID.query_schema,
    )
    return mapped_column(
        ForeignKey(f"{table}.id", ondelete=on_delete, use_alter=use_alter),
        info={"kind": kind, "ref": table},
        **more,
    )


def actor_reference(**more: Any) -> MappedColumn[int]:
    """A reference to the account of the actor; null when the account is deleted."""
    return reference(ACCOUNTS, on_delete="SET NULL", **more)


def unique(**more: Any) -> MappedColumn[Any]:
    """A value that no other row may have."""
    return mapped_column(unique=True, **more)


def case_insensitive(column: str, length: int) -> MappedColumn[str]:
    """A hidden companion that makes `column` unique regardless of case.

    Call it `<column>_folded`: by this name, a violation is attributed to the field.
    """
    lower = Computed(f"lower({column})", persisted=True)
    return mapped_column(CaseFolded(length), lower, unique=True)


def case_insensitive_unicode(column: str, length: int) -> MappedColumn[str]:
    """The same for names beyond ASCII, which no database folds like any other.

    The store fills it in. Call it `<column>_folded`, and index it with `case_insensitive_index`.
    """
    return mapped_column(
        CaseFolded(length * FOLDING_GROWTH),
        default=lambda context: context.get_current_parameters()[column],
    )


def case_insensitive_index(table: str, column: str) -> Index:
    """The unique index of a column of `case_insensitive_unicode`."""
    name = f"{column}_folded"
    return Index(f"uq_{table}_{name}", name, unique=True)


class Many:
    """At most `max_items` records of another type that belong to this one, in a link table `<table>_<name>`.

    `copied` are the record's columns that the links have too (`copy_columns`).
    """

    def __init__(self, target: str, max_items: int = 50):
        self.target, self.max_items = target, max_items
        references = Annotated[list[int | str | dict[str, Any]], Field(max_length=max_items)]
        self.kind = Kind(
            "refs", references, "refs", from_text=ID.from_text, query_schema=ID.query_schema
        )
        self.copied: tuple[str, ...] = ()

    def __set_name__(self, model: Any, name: str) -> None:
        metadata: MetaData = model.metadata
        table = model.__tablename__
        self.name = name
        self.table = Table(
            f"{table}_{name}",
            metadata,
            Column("source_id", ForeignKey(f"{table}.id", ondelete="CASCADE"), primary_key=True),
            Column(
                "target_id", ForeignKey(f"{self.target}.id", ondelete="CASCADE"), primary_key=True
            ),
            sqlite_with_rowid=False,
        )

    @property
    def index_name(self) -> str:
        """The index that yields the records that refer to a target in list order."""
        return f"ix_{self.table.name}_target_id"

    def copy_columns(self, order: Sequence[Any], visible_by: Sequence[Any]) -> None:
        """Copy the columns that sort lists and decide who sees a row, so that `index_name` covers all that a list
        needs.

        Otherwise all records that refer to a target would be looked up and sorted for each page.
        """
        if self.table.indexes:
            return
        copied = {one.name: one for one in [*order, *visible_by]}
        for name, one in copied.items():
            self.table.append_column(Column(name, one.type))
        self.copied = tuple(copied)
        ordered, others = (tuple(one.name for one in some) for some in (order, visible_by))
        columns = "target_id", *ordered, "source_id", *others
        Index(self.index_name, *(self.table.c[name] for name in columns))
