"""Redirects from old addresses to new ones."""

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.change import Change
from quire.declare.column_types import Flag, Path, Target
from quire.declare.fields import Editable, Shown
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import Access, Record
from quire.declare.references import unique
from quire.declare.rules import role
from quire.store.db import Model, read_connection
from quire.store.transactions.advisory_locks import advisory_lock
from quire.translations.messages import Message

MAX_STEPS = 10
"""The number of redirects followed to see where one leads; browsers follow twenty."""


class Redirect(HasId, Timestamped, Versioned, Model):
    """An old path and the address it redirects to."""

    __tablename__ = "redirects"

    path: Mapped[Path] = unique()
    target: Mapped[Target] = mapped_column(index=True)
    permanent: Mapped[Flag] = mapped_column(default=True)


def before_save(change: Change) -> None:
    """Refuse a redirect that leads back to its own path, directly or through others."""
    if change.verb == "delete":
        return
    advisory_lock("redirects")
    path, target = _bare(change["path"] or ""), change["target"]
    for _ in range(MAX_STEPS):
        if not target:
            return
        if _bare(target) == path:
            words = Message("This leads back to %(path)s.", path=change["path"])
            change.refuse("target", "not_allowed", words)
            return
        target = _next_target(_bare(target), change.id)


def _bare(address: str) -> str:
    """Return the path of a URL without the parts that the site ignores when it looks for a redirect."""
    return address.partition("#")[0].partition("?")[0].rstrip("/") or "/"


def _next_target(path: str, own_id: int | None) -> str | None:
    """Return the target of a path's redirect, or None if there is none other than the one being saved."""
    rows = Redirect.__table__.c
    statement = select(rows.target).where(
        rows.path.in_((path, f"{path}/")), rows.id != (own_id or 0)
    )
    with read_connection() as connection:
        target: str | None = connection.execute(statement.limit(1)).scalar()
    return target


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
    before_save=before_save,
    title_field="path",
    section="Site",
)
