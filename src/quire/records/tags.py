"""Tags: words that gather posts."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.columns import Dated, Numbered, Versioned, unique
from quire.declare.fields import Editable, Shown
from quire.declare.kinds import Label, Slug, Summary
from quire.declare.record import Access, Record
from quire.declare.rules import ANYONE, role
from quire.store.db import Model
from quire.store.slugs import slug_from


class Tag(Numbered, Dated, Versioned, Model):
    """A word that gathers posts."""

    __tablename__ = "tags"

    name: Mapped[Label] = unique()
    slug: Mapped[Slug] = unique()
    description: Mapped[Summary] = mapped_column(default="")


TAGS = Record(
    Tag,
    path="tags",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("name", search=True, sort=True, filter=True),
        Editable("slug", sort=True, filter=True, fill=slug_from("name")),
        Editable("description", search=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at"),
        Shown("version"),
    ],
    access=Access(
        read=ANYONE,
        create=role("author"),
        update=role("moderator"),
        delete=role("moderator"),
        panel=role("author"),
    ),
    key="name",
    small=("id", "name", "slug"),
    title="name",
    page="/tags/{slug}",
)
