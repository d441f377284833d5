"""Settings: what administrators decide about the site, one row of it."""

from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.columns import Dated, Numbered, Versioned
from quire.declare.fields import Editable, Shown
from quire.declare.kinds import Label, Name, choice, number
from quire.declare.record import Access, Record
from quire.declare.rules import ANYONE, NOBODY, role
from quire.store.db import Model
from quire.store.site import ONLY_ROW


class Setting(Numbered, Dated, Versioned, Model):
    """The site's name, and who may register and comment."""

    __tablename__ = "settings"

    site_name: Mapped[Label] = mapped_column(default="Quire")
    tagline: Mapped[Name] = mapped_column(default="")
    posts_per_page: Mapped[int] = number(least=1, most=100, default=10)
    registration: Mapped[str] = choice("open", "invitation", "closed")
    comments: Mapped[str] = choice("moderated", "open", "closed")
    comments_close_after_days: Mapped[int] = number(least=0, most=36_500, default=0)
    comment_edit_minutes: Mapped[int] = number(least=0, most=525_600, default=60)


def _make_row(table, connection, **_) -> None:  # type: ignore[no-untyped-def]
    """The one row is born with its table; the migration does the same."""
    moment = now()
    connection.execute(table.insert().values(id=ONLY_ROW, created_at=moment, updated_at=moment))


event.listen(Setting.__table__, "after_create", _make_row)

ADMIN = role("admin")

SETTINGS = Record(
    Setting,
    path="settings",
    fields=[
        Shown("id", to=NOBODY),
        Editable("site_name"),
        Editable("tagline"),
        Editable("posts_per_page"),
        Editable("registration"),
        Editable("comments"),
        Editable("comments_close_after_days", to=ADMIN),
        Editable("comment_edit_minutes", to=ADMIN),
        Shown("version"),
        Shown("updated_at"),
    ],
    access=Access(read=ANYONE, update=ADMIN, panel=ADMIN),
    title="site_name",
    single=True,
    section="Site",
)
