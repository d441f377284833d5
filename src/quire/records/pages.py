"""Pages: standalone texts outside the stream of posts, such as About."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.change import Change
from quire.declare.column_types import Count, Html, Prose, Slug, Time, Title
from quire.declare.fields import Computed, Editable, Shown
from quire.declare.markdown import render_before_transaction, render_field
from quire.declare.mixins import HasId, HasSeo, Timestamped, Versioned, seo_fields
from quire.declare.publication import (
    apply_published_flag,
    is_live,
    live_condition,
    publication_actions,
    status,
)
from quire.declare.record import Access, Record
from quire.declare.references import unique
from quire.declare.rules import any_of, role, where
from quire.declare.value_kinds import FLAG, TEXT
from quire.records.slug_redirects import redirect_old_slug
from quire.store.changes.slugs import slug_from
from quire.store.db import Model


class Page(HasId, Timestamped, Versioned, HasSeo, Model):
    """A standalone page, such as “About”."""

    __tablename__ = "pages"

    title: Mapped[Title]
    slug: Mapped[Slug] = unique()
    body: Mapped[Prose]
    body_html: Mapped[Html]
    position: Mapped[Count] = mapped_column(default=0)
    published_at: Mapped[Time | None] = mapped_column(index=True)


_pages = Page.__table__.c

LIVE = where(lambda: live_condition(_pages), "that it is published")
EDITOR = role("moderator")


def before_save(change: Change) -> None:
    """Set dates and HTML, and redirect the old URL when the slug changes."""
    apply_published_flag(change)
    render_field(change)
    redirect_old_slug(change)


PAGES = Record(
    Page,
    path="pages",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("title", search=True, sort=True, filter=True, example="About us"),
        Editable(
            "slug", sort=True, filter=True, default_from=slug_from("title"), example="about-us"
        ),
        Editable("body", search=True),
        Shown("body_html", computed=True),
        *seo_fields(),
        Editable("position"),
        Computed(
            "status", lambda: status(_pages), TEXT, choice_words=("draft", "scheduled", "published")
        ),
        Computed("published", lambda: is_live(_pages), FLAG, settable=True),
        Editable("published_at", sort=True, filter=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at"),
        Shown("version"),
    ],
    access=Access(
        read=any_of(LIVE, EDITOR), create=EDITOR, update=EDITOR, delete=EDITOR, panel=EDITOR
    ),
    actions=publication_actions(EDITOR),
    before_save=before_save,
    before_transaction=render_before_transaction,
    key="slug",
    reference_fields=("id", "title", "slug"),
    title_field="title",
    drafts=True,
    public_path="/pages/{slug}",
)
