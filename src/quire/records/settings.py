"""Settings: what administrators decide about the site; a single row."""

from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Label, Name, choice, number
from quire.declare.fields import Editable, Shown
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import Access, Record
from quire.declare.rules import ANYONE, NOBODY, role
from quire.records.site_settings import ONLY_ROW
from quire.store.db import Model


class Setting(HasId, Timestamped, Versioned, Model):
    """The site's name, and who can register and comment."""

    __tablename__ = "settings"

    site_name: Mapped[Label] = mapped_column(default="Quire")
    tagline: Mapped[Name] = mapped_column(default="")
    posts_per_page: Mapped[int] = number(minimum=1, maximum=100, default=10)
    registration: Mapped[str] = choice("open", "invitation", "closed")
    comments: Mapped[str] = choice("moderated", "open", "closed")
    comments_close_after_days: Mapped[int] = number(minimum=0, maximum=36_500, default=0)
    comment_edit_minutes: Mapped[int] = number(minimum=0, maximum=525_600, default=60)


def _make_row(table, connection, **_) -> None:  # type: ignore[no-untyped-def]
    """Create the single row with the table, as the migration does."""
    moment = now()
    connection.execute(table.insert().values(id=ONLY_ROW, created_at=moment, updated_at=moment))


event.listen(Setting.__table__, "after_create", _make_row)

ADMIN = role("admin")

SETTINGS = Record(
    Setting,
    path="settings",
    fields=[
        Shown("id", read_rule=NOBODY),
        Editable("site_name", help="Appears at the top of every page, in feeds and in emails."),
        Editable(
            "tagline",
            help="One sentence below the name on the front page, and what search engines show for it.",
        ),
        Editable("posts_per_page", help="Posts on one page of the site's lists."),
        Editable(
            "registration",
            help="Open: anyone can create an account. Invitation: only those you invite. Closed: nobody.",
        ),
        Editable(
            "comments",
            help="Moderated: members' comments wait until someone approves them. Open: they appear at once. Closed: nobody can comment.",
        ),
        Editable(
            "comments_close_after_days",
            read_rule=ADMIN,
            label="Days until comments close",
            help="Counted from the publication of a post. With 0, comments never close.",
        ),
        Editable(
            "comment_edit_minutes",
            read_rule=ADMIN,
            label="Minutes to edit a comment",
            help="How long authors can edit their own comments. 0 sets no limit.",
        ),
        Shown("version"),
        Shown("updated_at"),
    ],
    access=Access(read=ANYONE, update=ADMIN, panel=ADMIN),
    title_field="site_name",
    singleton=True,
    section="Site",
)
