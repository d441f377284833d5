"""Posts: what a site publishes."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.action import Action
from quire.declare.change import Change, actor_id
from quire.declare.clock import now
from quire.declare.column_types import Count, Flag, Html, Prose, Slug, Summary, Time, Title
from quire.declare.fields import Computed, Editable, Shown
from quire.declare.fieldsets import SUMMARY
from quire.declare.markdown import render_before_transaction, render_field
from quire.declare.mixins import HasId, HasSeo, Timestamped, Versioned, seo_fields, table_args
from quire.declare.publication import (
    STATUSES,
    apply_published_flag,
    is_live,
    live_condition,
    publication_actions,
    restore_action,
    status,
)  # fmt: skip
from quire.declare.record import Access, Record
from quire.declare.references import Many, Ref, reference, unique
from quire.declare.rules import NOBODY, all_of, any_of, owner, role, where
from quire.declare.value_kinds import FLAG, TEXT, time_from_text
from quire.records.image_references import check_image
from quire.records.slug_redirects import redirect_old_slug
from quire.store.changes.slugs import slug_from
from quire.store.db import Model


class Post(HasId, Timestamped, Versioned, HasSeo, Model):
    """A post with an author and a publication date."""

    __tablename__ = "posts"
    __visible_by__ = ("deleted_at", "published_at", "unpublish_at", "author_id")
    __table_args__ = table_args(
        # the order of lists, with everything that determines whether a post is live: pages are read from the index
        # alone, as are the months of the archive with their last change
        Index(
            "ix_posts_listed", "deleted_at", "sorted_at", "id", "published_at", "unpublish_at",
            "author_id", "updated_at",
        ),
        # the same columns by id: a search yields ids, and the rows are long
        Index(
            "ix_posts_visible", "id", "deleted_at", "published_at", "unpublish_at", "author_id",
            "sorted_at",
        ),
        # the same columns for each category and author
        Index(
            "ix_posts_category_id", "category_id", "deleted_at", "sorted_at", "id", "published_at",
            "unpublish_at", "author_id",
        ),
        Index(
            "ix_posts_listed_by_author", "author_id", "deleted_at", "sorted_at", "id", "published_at",
            "unpublish_at",
        ),
        # an author's drafts have no publication date
        Index("ix_posts_author_id", "author_id", "published_at"),
        Index("ix_posts_created_at", "created_at"),
        Index("ix_posts_views", "views", "id", *__visible_by__),
    )  # fmt: skip

    title: Mapped[Title]
    slug: Mapped[Slug] = unique()
    body: Mapped[Prose]
    body_html: Mapped[Html]
    excerpt: Mapped[Summary] = mapped_column(default="")
    category_id: Mapped[Ref | None] = reference("categories", on_delete="SET NULL")
    tags = Many("tags")
    cover_id: Mapped[Ref | None] = reference("media", on_delete="SET NULL", index=True)
    author_id: Mapped[Ref] = reference("users")
    published_at: Mapped[Time | None] = mapped_column(index=True)
    unpublish_at: Mapped[Time | None] = mapped_column(index=True)
    deleted_at: Mapped[Time | None]
    comments_open: Mapped[Flag] = mapped_column(default=True)
    views: Mapped[Count] = mapped_column(default=0)
    comment_count: Mapped[Count] = mapped_column(default=0)
    sorted_at: Mapped[Time] = mapped_column(default=now)


_posts = Post.__table__.c

OWN = owner(_posts.author_id)
LIVE = where(lambda: live_condition(_posts), "that it is published")
TRASHED = where(lambda: _posts.deleted_at.is_not(None), "that it is in the trash")
READ = any_of(LIVE, OWN, role("moderator"))
WRITE = any_of(all_of(OWN, role("author")), role("moderator"))


def before_save(change: Change) -> None:
    """Set dates and HTML, and redirect the old URL when the slug changes."""
    apply_published_flag(change)
    render_field(change)
    _set_order(change)
    redirect_old_slug(change)
    check_image(change, "cover")
    ends, starts = change["unpublish_at"], change["published_at"]
    if change.changes("unpublish_at") and ends and starts and ends <= starts:
        change.refuse("unpublish_at", "too_small", "Unpublish at must be after published at.")


def _set_order(change: Change) -> None:
    """Set the column that lists are sorted by: the publication date, or the creation date of drafts."""
    values = change.values
    if change.state is None:
        moment = values.get("published_at") or values.get("created_at") or change.moment
        change.set(sorted_at=moment)
    elif {"published_at", "created_at"} & values.keys():
        change.set(sorted_at=time_from_text(change["published_at"] or change["created_at"]))


def duplicate(change: Change) -> dict[str, object]:
    """Create a draft with the same content."""
    names = ("title", "body", "excerpt", "seo_title", "seo_description", "comments_open")
    references = {
        "tags": [tag["id"] for tag in change["tags"]],
        "category": change.reference("category"),
        "cover": change.reference("cover"),
    }
    return {name: change[name] for name in names} | references


POSTS = Record(
    Post,
    path="posts",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("title", search=True, sort=True, filter=True),
        Editable("slug", sort=True, filter=True, default_from=slug_from("title")),
        Editable("body", search=True),
        Shown("body_html", computed=True),
        Editable("excerpt", search=True, fieldset=SUMMARY),
        *seo_fields(),
        Computed("status", lambda: status(_posts), TEXT, choice_words=STATUSES, filter=True, sort=True, example="published"),
        Computed("published", lambda: is_live(_posts), FLAG, settable=True, filter=True, sort=True),
        Editable("published_at", sort=True, filter=True),
        Editable("unpublish_at", example="2027-03-01T09:30:00Z"),
        Editable(
            "author", filter=("id", "username"), write_rule=role("moderator"),
            default_from=actor_id,
        ),
        Editable("category", filter=("id", "slug", "name")),
        Editable("tags", filter=("id", "name", "slug"), create_missing=True),
        Editable("cover", fieldset=SUMMARY),
        Editable("comments_open"),
        Shown("comment_count", counter=True, computed=True),
        Shown("views", sort=True, filter=True, counter=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", sort=True, filter=True),
        Shown("version"),
        Shown("deleted_at", read_rule=TRASHED),
        Shown("sorted_at", read_rule=NOBODY, computed=True),
    ],
    access=Access(
        read=READ,
        create=role("author"),
        update=WRITE,
        delete=WRITE,
        permanent=role("moderator"),
        panel=WRITE,
    ),
    actions=[
        *publication_actions(WRITE),
        restore_action(WRITE),
        Action("duplicate", duplicate, all_of(READ, role("author")), creates=True),
    ],
    before_save=before_save,
    before_transaction=render_before_transaction,
    key="slug",
    reference_fields=("id", "title", "slug"),
    title_field="title",
    drafts=True,
    order=("-sorted_at",),
    public_path="/posts/{slug}",
)  # fmt: skip
