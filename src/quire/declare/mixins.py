"""Columns that many tables have: id, timestamps, version, title and description for search engines."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import SeoDescription, SeoTitle, Time
from quire.declare.fields import Editable, Field
from quire.declare.fieldsets import SEARCH_ENGINES
from quire.declare.sql_types import UTCDateTime
from quire.declare.value_kinds import ID, TIME, WHOLE


class HasId:
    """Rows with an id that is never reused."""

    __table_args__: Any = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(Integer(), primary_key=True, info={"kind": ID})


class Timestamped:
    """Rows with the times of their creation and their last change."""

    created_at: Mapped[Time] = mapped_column(UTCDateTime(), default=now, info={"kind": TIME})
    # clients ask for changes since a time, and for the latest changes
    updated_at: Mapped[Time] = mapped_column(
        UTCDateTime(), default=now, index=True, info={"kind": TIME}
    )


class Versioned:
    """Rows that count their changes; clients and forms send the version they are based on."""

    version: Mapped[int] = mapped_column(Integer(), default=1, info={"kind": WHOLE})


def table_args(*items: Any) -> Sequence[Any]:
    """Return indexes and constraints of a table, with ids that SQLite never reuses."""
    return (*items, {"sqlite_autoincrement": True})


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index of the rows that meet the SQL condition `where`, on both databases."""
    # store/connections/postgresql.py handles it for PostgreSQL, since its own argument would load SQLAlchemy's dialect
    return Index(name, *columns, unique=unique, sqlite_where=text(where), info={"where": where})


class HasSeo:
    """Rows with their own title and description for search engines and link previews."""

    seo_title: Mapped[SeoTitle] = mapped_column(default="")
    seo_description: Mapped[SeoDescription] = mapped_column(default="")


def seo_fields() -> list[Field]:
    """Return the fields of HasSeo, which few records fill and few API clients want."""
    return [
        Editable(
            "seo_title", on_request=True, fieldset=SEARCH_ENGINES, recommended_length=60, label="SEO title",
            help="Shown instead of the title in search results and shared links. About 60 characters are visible.",
        ),
        Editable(
            "seo_description", on_request=True, fieldset=SEARCH_ENGINES, recommended_length=160, label="SEO description",
            help="Shown below the title in search results and shared links, instead of the excerpt. About 160 characters are visible.",
        ),
    ]  # fmt: skip
