"""Profiles: the public face of a user."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.columns import Dated, Numbered, Ref, Versioned, refer
from quire.declare.fields import Editable, Shown
from quire.declare.kinds import Flag, Name, Time, Url, Urls, choice
from quire.declare.record import Access, Record
from quire.declare.rules import any_of, owner, role
from quire.declare.through import through
from quire.store.db import Model


class Profile(Numbered, Dated, Versioned, Model):
    """What a user says about himself."""

    __tablename__ = "profiles"

    user_id: Mapped[Ref] = refer("users", on_delete="CASCADE", unique=True)
    display_name: Mapped[Name] = mapped_column(default="")
    website: Mapped[Url | None]
    location: Mapped[Name] = mapped_column(default="")
    links: Mapped[Urls] = mapped_column(default=list)
    comment_mail: Mapped[Flag] = mapped_column(default=True)
    digest: Mapped[str] = choice("never", "daily", "weekly")
    digest_sent_at: Mapped[Time | None]


OWN = owner(Profile.user_id)
PRIVATE = any_of(OWN, role("admin"))

PROFILES = Record(
    Profile,
    path="profiles",
    fields=[
        Shown("id", sort=True, filter=True),
        Shown("user", filter=("id", "username")),
        Editable("display_name", search=True),
        Editable("website"),
        Editable("location"),
        Editable("links"),
        Editable("comment_mail", to=PRIVATE),
        Editable("digest", to=PRIVATE),
        Shown("created_at", to=PRIVATE),
        Shown("version", to=PRIVATE),
    ],
    access=Access(
        read=through(Profile.user_id, "users", "read"),
        update=PRIVATE,
        panel=PRIVATE,
    ),
    small=("id",),
    title="display_name",
    section="People",
)
