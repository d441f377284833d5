"""Categories: each post is in one of them or in none."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.column_types import Label, Slug, Summary
from quire.declare.fields import Editable, Shown
from quire.declare.mixins import HasId, Timestamped, Versioned, table_args
from quire.declare.publication import live_references
from quire.declare.record import Access, Record
from quire.declare.references import case_insensitive_index, case_insensitive_unicode, unique
from quire.declare.rules import ANYONE, role
from quire.store.changes.slugs import slug_from
from quire.store.db import Model


class Category(HasId, Timestamped, Versioned, Model):
    """A category that posts are filed under."""

    __tablename__ = "categories"
    __table_args__ = table_args(case_insensitive_index("categories", "name"))

    name: Mapped[Label] = unique()
    name_folded: Mapped[str] = case_insensitive_unicode("name", 100)
    slug: Mapped[Slug] = unique()
    description: Mapped[Summary] = mapped_column(default="")


CATEGORIES = Record(
    Category,
    path="categories",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("name", search=True, sort=True, filter=True, example="Travel"),
        Editable("slug", sort=True, filter=True, default_from=slug_from("name"), example="travel"),
        Editable("description", search=True),
        live_references("post_count", "posts", "category", Category.__table__),
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
    reference_fields=("id", "name", "slug"),
    title_field="name",
    public_path="/categories/{slug}",
)  # fmt: skip
