"""Redirects: old addresses and where they lead."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.columns import Dated, Numbered, Versioned, unique
from quire.declare.fields import Editable, Shown
from quire.declare.kinds import Flag, Path, Target
from quire.declare.record import Access, Record
from quire.declare.rules import role
from quire.store.db import Model


class Redirect(Numbered, Dated, Versioned, Model):
    """An old address and where it leads."""

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
    title="path",
    section="Site",
)
