"""Categories: the shelves of a site; a post stands on one of them or none."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.columns import Dated, Numbered, Versioned, unique
from quire.declare.fields import Editable, Shown
from quire.declare.kinds import Label, Slug, Summary
from quire.declare.record import Access, Record
from quire.declare.rules import ANYONE, role
from quire.store.db import Model
from quire.store.slugs import slug_from


class Category(Numbered, Dated, Versioned, Model):
    """A shelf for posts."""

    __tablename__ = "categories"

    name: Mapped[Label] = unique()
    slug: Mapped[Slug] = unique()
    description: Mapped[Summary] = mapped_column(default="")


CATEGORIES = Record(
    Category,
    path="categories",
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
        create=role("moderator"),
        update=role("moderator"),
        delete=role("moderator"),
        panel=role("moderator"),
    ),
    key="slug",
    small=("id", "name", "slug"),
    title="name",
    page="/categories/{slug}",
)
