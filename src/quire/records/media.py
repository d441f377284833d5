"""Media: pictures, documents and sounds that were uploaded; pictures are drawn anew in sizes."""

from typing import Annotated, Any

from flask import current_app
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.columns import Dated, Numbered, Ref, Versioned, refer, table_args, unique
from quire.declare.fields import Editable, Given, Shown
from quire.declare.kinds import (
    Bytes,
    Count,
    FileName,
    Flag,
    MediaType,
    Path,
    Summary,
    Title,
    choice,
)
from quire.declare.record import Access, Action, Record
from quire.declare.rules import all_of, any_of, owner, role, where
from quire.declare.uploads import ANY_FILE, Point, Upload, Variants
from quire.declare.values import Kind
from quire.errors import Conflict, detail
from quire.store import read
from quire.store.blobs import ORIGINAL, blobs
from quire.store.contents import Content, NotTaken, content_of
from quire.store.credentials import Digest
from quire.store.db import Model, once_committed, once_failed, reading
from quire.store.outbox import owe
from quire.store.uses import uses_of
from quire.store.write import Saved, create

ADDRESS = "/uploads/"
ALT_HELP = "What is to be seen, for those who do not see it. Empty: it only decorates."
FOCAL_HELP = "What must stay in sight when the picture is cropped."


class Media(Numbered, Dated, Versioned, Model):
    """A picture, document or sound that was uploaded.

    A picture that is `given_up` may still be drawn, what is `broken` never; `fault` says why.
    """

    __tablename__ = "media"
    __table_args__ = table_args(
        # one person uploads one file once; an avatar is a thing of its own
        Index("ix_media_twice", "owner_id", "sha256", "is_avatar", unique=True),
    )

    url: Mapped[Path] = unique()
    original_name: Mapped[FileName]
    media_type: Mapped[MediaType]
    bytes: Mapped[Bytes]
    width: Mapped[Count | None]
    height: Mapped[Count | None]
    alt: Mapped[Summary] = mapped_column(default="")
    focal_point: Mapped[Point | None]
    sha256: Mapped[Digest] = mapped_column(index=True)
    variants: Mapped[Variants] = mapped_column(default=dict)
    owner_id: Mapped[Ref | None] = refer("users", on_delete="SET NULL")
    is_avatar: Mapped[Flag] = mapped_column(default=False)
    state: Mapped[str] = choice("pending", "ready", "given_up", "broken")
    fault: Mapped[Title | None]


OWN = owner(Media.owner_id)
LIBRARY = where(lambda: Media.is_avatar.is_(False), "to be in the library")
WRITE = any_of(all_of(OWN, role("author")), role("moderator"))
TEAM, INSIDE = role("author"), role("moderator")


def _known(upload: Upload) -> tuple[Upload, Content]:
    """The upload with what it is."""
    try:
        return upload, content_of(upload)
    except NotTaken as refusal:
        raise PydanticCustomError(refusal.code, refusal.words) from None


FILE = Kind("upload", Annotated[ANY_FILE, AfterValidator(_known)], "file")


def upload(actor: Actor, received: Upload, raw: dict[str, Any]) -> Saved:
    """Keep a file that was received: a new record, or the one that its owner made of it before.

    `raw` are other values such as `alt`. Raises what `create` raises.
    """
    whose = raw.get("owner", actor.user_id)
    same = {"owner_id": whose, "sha256": received.sha256, "is_avatar": raw.get("is_avatar", False)}
    id = None if whose is None else read.find_id(MEDIA, actor, **same)
    if id is not None and MEDIA.access.create(actor) is True:
        state = read.one(MEDIA, actor, id)
        return Saved(id, state, state, changed=False)
    return create(MEDIA, actor, {**raw, "file": received})


def put_ahead(actor: Actor, id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    """Put the file of a new record where it stays, under a `name`; raises Unavailable.

    The file first, the row second: what a crash leaves behind is a file that nobody knows.
    """
    if id is not None or values.get("file") is None:
        return {}
    received, content = values["file"]
    name = f"{received.sha256[:32]}-{received.path.stem[:8]}.{content.suffix}"
    stored = ORIGINAL + name if content.is_picture else name
    blobs().put(stored, received.path)
    once_failed(lambda: blobs().delete(stored))
    return {"name": name}


def prepare(change: Change) -> None:
    """Keep the file of a new record; let those of one go that is deleted, unless it is in use."""
    if change.verb == "delete":
        _let_go(change)
    elif change.state is None:
        received = change.take("file")
        if received is None:  # the program itself need not give it, and cannot do without
            change.refuse("file", "required", "File is required.")
        else:
            _keep(change, *received)


def _keep(change: Change, received: Upload, content: Content) -> None:
    _check_quota(change, received.size)
    change.set(
        url=ADDRESS + change.ready["name"],
        original_name=received.name,
        media_type=content.media_type,
        bytes=received.size,
        width=content.width,
        height=content.height,
        sha256=received.sha256,
        state="pending" if content.is_picture else "ready",
    )
    if content.is_picture:
        change.afterwards(lambda state: owe("picture.draw", state["id"]))


def _check_quota(change: Change, more: int) -> None:
    quota = current_app.config["UPLOAD_QUOTA_BYTES"]
    whose = change["owner"]
    if not quota or whose is None:
        return
    held = select(func.sum(Media.bytes)).where(Media.owner_id == whose)
    with reading() as connection:
        used = connection.execute(held).scalar() or 0
    if used + more > quota:
        words = f"File has no room: {used:,} of {quota:,} bytes are taken. Delete what is not used."
        change.refuse("file", "too_large", words)


def _let_go(change: Change) -> None:
    """`permanent` is for who knows that it is in use."""
    state = change.state or {}
    if not change.ready.get("permanent"):
        _refuse_if_used(change, state)
    names = file_names(state)
    change.afterwards(lambda _: once_committed(lambda: blobs().delete(*names)))


def _refuse_if_used(change: Change, state: dict[str, Any]) -> None:
    seen, count = uses_of(change.actor, state)
    if count:
        places = "1 place" if count == 1 else f"{count} places"
        raise Conflict(
            f"It is used in {places}; say with force=true that it shall go all the same.",
            details=[
                detail(f"{one['type']}.{one['field']}", "not_allowed", _said(one)) for one in seen
            ],
        )


def _said(use: dict[str, Any]) -> str:
    return f"{use['type'].capitalize()} {use['id']}, “{use['title']}”, uses it."


def draw_again(change: Change) -> None:
    """Draw a picture that was given up once more, for want of time or memory then."""
    if change.before("state") != "given_up":
        raise Conflict("This is nothing that another attempt could draw.")
    change.set(state="pending", fault=None)
    owe("picture.draw", change.before("id"))


def file_names(state: dict[str, Any]) -> list[str]:
    """The names of all files of a record: as it came, as it is served, and its variants."""
    addresses = [state["url"]]
    for variant in state["variants"].values():
        addresses += [variant["url"], variant["webp"]]
    names = [address.removeprefix(ADDRESS) for address in addresses]
    return [ORIGINAL + names[0], *names]


MEDIA = Record(
    Media,
    path="media",
    fields=[
        Given("file", FILE, on_create=True, on_update=False, required=True, help="The file."),
        Shown("id", sort=True, filter=True),
        Shown("url", made=True),
        Shown("original_name", made=True, search=True, sort=True, filter=True),
        Shown("media_type", made=True, sort=True, filter=True),
        Shown("bytes", made=True, sort=True, filter=True, label="Size"),
        Shown("width", made=True, sort=True, filter=True),
        Shown("height", made=True, sort=True, filter=True),
        Editable("alt", search=True, label="Alternative text", help=ALT_HELP),
        Editable("focal_point", help=FOCAL_HELP),
        Shown("sha256", made=True, filter=True),
        Shown("variants", made=True),
        Shown("version"),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", to=INSIDE),
        Shown(
            "owner", to=INSIDE, filter=("id", "username"), fill=lambda change: change.actor.user_id
        ),
        Shown(
            "is_avatar",
            to=TEAM,
            made=True,
            seldom=True,
            filter=True,
            preset="false",
            label="Avatar",
        ),
        Shown("state", to=TEAM, made=True, seldom=True, filter=True),
        Shown("fault", to=TEAM, made=True, seldom=True),
    ],
    access=Access(
        read=any_of(LIBRARY, OWN, role("moderator")),
        create=role("author"),
        update=WRITE,
        delete=WRITE,
        permanent=WRITE,
        panel=WRITE,
    ),
    actions=[Action("draw_again", draw_again, WRITE, fits=lambda s: s["state"] == "given_up")],
    before=prepare,
    ahead=put_ahead,
    small=("id", "url", "alt"),
    title="original_name",
)
