"""Posts: what a site publishes."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.columns import Dated, Many, Numbered, Ref, Versioned, refer, table_args, unique
from quire.declare.fields import Derived, Editable, Shown
from quire.declare.kinds import Count, Flag, Html, Prose, Slug, Summary, Time, Title
from quire.declare.markup import render, render_ahead
from quire.declare.publication import (
    STATUSES,
    is_live,
    live,
    publication_actions,
    published_short,
    restore_action,
    status,
)  # fmt: skip
from quire.declare.record import Access, Action, Record
from quire.declare.rules import NOBODY, all_of, any_of, owner, role, where
from quire.declare.seo import Findable, seo_fields
from quire.declare.values import FLAG, TEXT, time_from_text
from quire.store.db import Model
from quire.store.moved import leave_address
from quire.store.pictures import check_picture
from quire.store.slugs import slug_from


class Post(Numbered, Dated, Versioned, Findable, Model):
    """Something to read, with an author and a date."""

    __tablename__ = "posts"
    __table_args__ = table_args(
        # the order of lists, with all that says whether a post is live: pages are found in it alone
        Index(
            "ix_posts_listed", "deleted_at", "sorted_at", "id", "published_at", "unpublish_at",
            "author_id",
        ),
    )  # fmt: skip

    title: Mapped[Title]
    slug: Mapped[Slug] = unique()
    body: Mapped[Prose]
    body_html: Mapped[Html]
    excerpt: Mapped[Summary] = mapped_column(default="")
    category_id: Mapped[Ref | None] = refer("categories", on_delete="SET NULL", index=True)
    tags = Many("tags")
    cover_id: Mapped[Ref | None] = refer("media", on_delete="SET NULL", index=True)
    author_id: Mapped[Ref] = refer("users", index=True)
    published_at: Mapped[Time | None] = mapped_column(index=True)
    unpublish_at: Mapped[Time | None] = mapped_column(index=True)
    deleted_at: Mapped[Time | None]
    comments_open: Mapped[Flag] = mapped_column(default=True)
    views: Mapped[Count] = mapped_column(default=0)
    comment_count: Mapped[Count] = mapped_column(default=0)
    sorted_at: Mapped[Time] = mapped_column(default=now)


OWN = owner(Post.author_id)
LIVE = where(lambda: live(Post), "to be published")
TRASHED = where(lambda: Post.deleted_at.is_not(None), "to be in the trash")
READ = any_of(LIVE, OWN, role("moderator"))
WRITE = any_of(all_of(OWN, role("author")), role("moderator"))


def prepare(change: Change) -> None:
    """Dates, HTML, and the old address when the slug changes."""
    published_short(change)
    render(change)
    _set_order(change)
    leave_address(change)
    check_picture(change, "cover")
    ends, starts = change["unpublish_at"], change["published_at"]
    if change.gives("unpublish_at") and ends and starts and ends <= starts:
        change.refuse("unpublish_at", "too_small", "Unpublish at must be after published at.")


def _set_order(change: Change) -> None:
    """Lists run along one column: the date of publication, that of creation for drafts."""
    if change.state is None or {"published_at", "created_at"} & change.values.keys():
        made = change["created_at"] or change.time
        change.set(sorted_at=time_from_text(change["published_at"] or made))


def duplicate(change: Change) -> dict[str, object]:
    """Make a draft with the same content."""
    copied = ("title", "body", "excerpt", "seo_title", "seo_description", "comments_open")
    references = {
        "tags": [tag["id"] for tag in change["tags"]],
        "category": change.reference("category"),
        "cover": change.reference("cover"),
    }
    return {name: change[name] for name in copied} | references


POSTS = Record(
    Post,
    path="posts",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("title", search=True, sort=True, filter=True),
        Editable("slug", sort=True, filter=True, fill=slug_from("title")),
        Editable("body", search=True),
        Shown("body_html", made=True),
        Editable("excerpt", search=True),
        *seo_fields(),
        Derived("status", lambda: status(Post), TEXT, words=STATUSES, filter=True, sort=True),
        Derived("published", lambda: is_live(Post), FLAG, settable=True, filter=True, sort=True),
        Editable("published_at", sort=True, filter=True),
        Editable("unpublish_at"),
        Editable(
            "author", filter=("id", "username"), by=role("moderator"),
            fill=lambda change: change.actor.user_id,
        ),
        Editable("category", filter=("id", "slug", "name")),
        Editable("tags", filter=("id", "name", "slug"), create_missing=True),
        Editable("cover"),
        Editable("comments_open"),
        Shown("comment_count", counter=True, made=True),
        Shown("views", sort=True, filter=True, counter=True),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", sort=True, filter=True),
        Shown("version"),
        Shown("deleted_at", to=TRASHED),
        Shown("sorted_at", to=NOBODY, made=True),
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
    before=prepare,
    ahead=render_ahead,
    key="slug",
    small=("id", "title", "slug"),
    title="title",
    drafts=True,
    order=("-sorted_at",),
    page="/posts/{slug}",
)  # fmt: skip
