"""Profiles: what the public sees of a user."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.column_types import Flag, Name, Object, Time, Url, Urls, choice
from quire.declare.fields import Editable, Shown
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import Access, Record
from quire.declare.reference_rules import via
from quire.declare.references import Ref, reference
from quire.declare.rules import any_of, owner, role
from quire.store.db import Model


class Profile(HasId, Timestamped, Versioned, Model):
    """Details that users choose to publish about themselves."""

    __tablename__ = "profiles"

    user_id: Mapped[Ref] = reference("users", on_delete="CASCADE", unique=True)
    display_name: Mapped[Name] = mapped_column(default="")
    website: Mapped[Url | None]
    location: Mapped[Name] = mapped_column(default="")
    links: Mapped[Urls] = mapped_column(default=list)
    comment_mail: Mapped[Flag] = mapped_column(default=True)
    digest: Mapped[str] = choice("never", "daily", "weekly")
    digest_sent_at: Mapped[Time | None]
    density: Mapped[str] = choice("comfortable", "compact")
    list_columns: Mapped[Object] = mapped_column(default=dict)
    default_views: Mapped[Object] = mapped_column(default=dict)
    list_layouts: Mapped[Object] = mapped_column(default=dict)


_profiles = Profile.__table__.c

OWN = owner(_profiles.user_id)
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
        Editable("comment_mail", read_rule=PRIVATE, label="Emails about comments"),
        Editable("digest", read_rule=PRIVATE, label="Digest of pending comments"),
        Editable("density", read_rule=PRIVATE, on_request=True, label="Density of lists"),
        Shown("list_columns", read_rule=PRIVATE, on_request=True, counter=True),
        Shown("default_views", read_rule=PRIVATE, on_request=True, counter=True),
        Shown("list_layouts", read_rule=PRIVATE, on_request=True, counter=True),
        Shown("created_at", read_rule=PRIVATE),
        Shown("version", read_rule=PRIVATE),
    ],
    access=Access(
        read=via(_profiles.user_id, "users", "read"),
        update=PRIVATE,
        panel=PRIVATE,
    ),
    reference_fields=("id",),
    title_field="display_name",
    section="People",
)
