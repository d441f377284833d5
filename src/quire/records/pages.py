"""Pages: what stands beside the posts, such as About."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.change import Change
from quire.declare.columns import Dated, Numbered, Versioned, unique
from quire.declare.fields import Derived, Editable, Shown
from quire.declare.kinds import Count, Html, Prose, Slug, Time, Title
from quire.declare.markup import render, render_ahead
from quire.declare.publication import is_live, live, publication_actions, published_short, status
from quire.declare.record import Access, Record
from quire.declare.rules import any_of, role, where
from quire.declare.seo import Findable, seo_fields
from quire.declare.values import FLAG, TEXT
from quire.store.db import Model
from quire.store.moved import leave_address
from quire.store.slugs import slug_from


class Page(Numbered, Dated, Versioned, Findable, Model):
    """A text with an address of its own."""

    __tablename__ = "pages"

    title: Mapped[Title]
    slug: Mapped[Slug] = unique()
    body: Mapped[Prose]
    body_html: Mapped[Html]
    position: Mapped[Count] = mapped_column(default=0)
    published_at: Mapped[Time | None] = mapped_column(index=True)


LIVE = where(lambda: live(Page), "to be published")
EDITOR = role("moderator")


def prepare(change: Change) -> None:
    """Dates, HTML, and the old address when the slug changes."""
    published_short(change)
    render(change)
    leave_address(change)


PAGES = Record(
    Page,
    path="pages",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("title", search=True, sort=True, filter=True),
        Editable("slug", sort=True, filter=True, fill=slug_from("title")),
        Editable("body", search=True),
        Shown("body_html", made=True),
        *seo_fields(),
        Editable("position"),
        Derived("status", lambda: status(Page), TEXT, words=("draft", "scheduled", "published")),
        Derived("published", lambda: is_live(Page), FLAG, settable=True),
        Editable("published_at", sort=True, filter=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at"),
        Shown("version"),
    ],
    access=Access(
        read=any_of(LIVE, EDITOR), create=EDITOR, update=EDITOR, delete=EDITOR, panel=EDITOR
    ),
    actions=publication_actions(EDITOR),
    before=prepare,
    ahead=render_ahead,
    key="slug",
    small=("id", "title", "slug"),
    title="title",
    drafts=True,
    page="/pages/{slug}",
)
