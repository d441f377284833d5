"""Redirects from old addresses to new ones."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.column_types import Flag, Path, Target
from quire.declare.fields import Editable, Shown
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import Access, Record
from quire.declare.references import unique
from quire.declare.rules import role
from quire.store.db import Model


class Redirect(HasId, Timestamped, Versioned, Model):
    """An old path and the address it redirects to."""

    __tablename__ = "redirects"

    path: Mapped[Path] = unique()
    target: Mapped[Target] = mapped_column(index=True)
    permanent: Mapped[Flag] = mapped_column(default=True)


EDITOR = role("moderator")

REDIRECTS = Record(
    Redirect,
    path="redirects",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("path", search=True, sort=True, filter=True),
        Editable("target"),
        Editable("permanent"),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at"),
        Shown("version"),
    ],
    access=Access(read=EDITOR, create=EDITOR, update=EDITOR, delete=EDITOR, panel=EDITOR),
    title_field="path",
    section="Site",
)
