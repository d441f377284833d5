"""Media: pictures, documents and sounds that were uploaded; images are resized."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from flask import current_app
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.action import Action
from quire.declare.change import Change, actor_id
from quire.declare.column_types import (
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
from quire.declare.fields import Editable, InputOnly, Shown
from quire.declare.kinds import Kind
from quire.declare.kinds_files import ANY_FILE, Point, Upload, Variants
from quire.declare.mixins import HasId, Timestamped, Versioned, table_args
from quire.declare.record import Access, Record
from quire.declare.references import Ref, reference, unique
from quire.declare.rules import all_of, any_of, owner, role, shown, where
from quire.errors import Conflict, NotFound, Unavailable, detail
from quire.security.tokens import Digest
from quire.store import read
from quire.store.advisory_locks import advisory_lock
from quire.store.db import (
    Model,
    in_transaction,
    on_commit,
    on_rollback,
    read_connection,
    savepoint,
    transaction,
)
from quire.store.files.detect import FileType, UnsupportedFile, detect
from quire.store.files.local import ORIGINAL
from quire.store.files.public_use import PublicUse
from quire.store.files.receive import hard_link
from quire.store.files.storage import delete_files, file_storage
from quire.store.files.usage import find_usage
from quire.store.outbox import enqueue
from quire.store.write import Saved, create

ADDRESS = "/uploads/"
MAX_ATTEMPTS = 20
"""How often to retry an upload while others upload and delete the same file."""
ALT_HELP = "Describe the image for people who cannot see it. Leave empty if it is only decorative."
FOCAL_HELP = "The point that stays visible when the image is cropped."


class Media(HasId, Timestamped, Versioned, Model):
    """An uploaded image, document or audio file.

    A picture that is `given_up` may still be drawn, what is `broken` never; `fault` says why.
    """

    __tablename__ = "media"
    __table_args__ = table_args(
        # a user uploads the same file once, and once more as an avatar
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
    owner_id: Mapped[Ref | None] = reference("users", on_delete="SET NULL")
    is_avatar: Mapped[Flag] = mapped_column(default=False)
    state: Mapped[str] = choice("pending", "ready", "given_up", "broken")
    fault: Mapped[Title | None]


OWN = owner(Media.owner_id)
LIBRARY = where(lambda: Media.is_avatar.is_(False), "that it is in the media library")
PUBLIC = shown(PublicUse(Media.__table__), "that it is used in public content")
WRITE = any_of(all_of(OWN, role("author")), role("moderator"))
TEAM, INSIDE = role("author"), role("moderator")


def _with_detected_type(upload: Upload) -> tuple[Upload, FileType]:
    try:
        return upload, detect(upload)
    except UnsupportedFile as refusal:
        raise PydanticCustomError(refusal.code, refusal.words) from None


FILE = Kind("upload", Annotated[ANY_FILE, AfterValidator(_with_detected_type)], "file")


def upload(actor: Actor, received: Upload, raw: dict[str, Any]) -> Saved:
    """Store a received file: as a new record, or the one that its owner has for the same file.

    `raw` are other values such as `alt`. Raises what `create` raises.
    """
    for _ in range(MAX_ATTEMPTS):
        saved = _same_file(actor, received, raw)
        if saved is not None:
            return saved
        try:
            with hard_link(received) as file, _savepoint():
                return create(MEDIA, actor, {**raw, "file": file})
        except Conflict as error:  # another request of the same account was faster
            if error.code != "duplicate":
                raise
    raise Unavailable("This file is being uploaded. Try again soon.", headers={"Retry-After": "1"})


def _same_file(actor: Actor, received: Upload, raw: dict[str, Any]) -> Saved | None:
    owner = raw.get("owner", actor.user_id)
    if owner is None or MEDIA.access.create(actor) is not True:
        return None
    same = {"owner_id": owner, "sha256": received.sha256, "is_avatar": raw.get("is_avatar", False)}
    id = read.find_id(MEDIA, actor, **same)
    try:
        state = read.get_record(MEDIA, actor, id or 0)
    except NotFound:  # there is none, or it was deleted meanwhile
        return None
    return Saved(state["id"], state, state, changed=False)


@contextmanager
def _savepoint() -> Iterator[None]:
    """Around an attempt that may be retried, also within an open transaction."""
    if not in_transaction():
        yield
        return
    with transaction() as connection, savepoint(connection):
        yield


def before_transaction(actor: Actor, id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    """Store the file of a new record under a `name`. Raises Unavailable.

    The file first, the row second: a crash leaves at most an orphaned file behind.
    """
    if id is not None or values.get("file") is None:
        return {}
    received, content = values["file"]
    name = f"{received.sha256[:32]}-{received.path.stem[:8]}.{content.suffix}"
    is_raw = content.is_picture and received.processed is None
    files = {ORIGINAL + name if is_raw else name: received.path}
    if received.processed is not None:
        files |= received.processed.files
    on_rollback(lambda: file_storage().delete(*files))
    for stored, path in files.items():
        file_storage().put(stored, path)
    return {"name": name}


def before_save(change: Change) -> None:
    """Set the values of a new file; delete the files of a deleted record, unless it is in use."""
    if change.verb == "delete":
        _delete_files(change)
    elif change.state is None:
        received = change.pop("file")
        if received is None:  # the program itself can leave it out, but not do without
            change.refuse("file", "required", "File is required.")
        else:
            _store_file(change, *received)


def _store_file(change: Change, received: Upload, content: FileType) -> None:
    _check_quota(change, received.size)
    processed = received.processed
    is_pending = content.is_picture and processed is None
    change.set(
        url=ADDRESS + change.prepared["name"],
        original_name=received.name,
        media_type=content.media_type,
        bytes=received.size if processed is None else processed.original_bytes,
        width=content.width,
        height=content.height,
        sha256=received.sha256,
        variants={} if processed is None else processed.variants,
        state="pending" if is_pending else "ready",
    )
    if is_pending:
        change.after_save(lambda state: enqueue("picture.draw", state["id"]))


def _check_quota(change: Change, more: int) -> None:
    quota, owner = current_app.config["UPLOAD_QUOTA_BYTES"], change["owner"]
    if not quota or owner is None:
        return
    advisory_lock(f"uploads of {owner}")
    sizes = select(func.sum(Media.bytes)).where(Media.owner_id == owner)
    with read_connection() as connection:
        total = connection.execute(sizes).scalar() or 0
    if total + more > quota:
        words = f"File exceeds the quota: {total:,} of {quota:,} bytes in use. Delete other files."
        change.refuse("file", "too_large", words)


def _delete_files(change: Change) -> None:
    """With `permanent`, even if the file is in use."""
    state = change.state or {}
    if not change.prepared.get("permanent"):
        _refuse_if_used(change, state)
    change.after_save(lambda _: on_commit(lambda: delete_files(*file_names(state))))


def _refuse_if_used(change: Change, state: dict[str, Any]) -> None:
    uses, count = find_usage(MEDIA, change.actor, state)
    if count:
        places = "1 place" if count == 1 else f"{count} places"
        raise Conflict(
            f"This file is used in {places}. To delete it anyway, send force=true.",
            details=[
                detail(f"{one['type']}.{one['field']}", "not_allowed", _usage(one)) for one in uses
            ],
        )


def _usage(use: dict[str, Any]) -> str:
    return f"Used in {use['type'].removesuffix('s')} {use['id']}, “{use['title']}”."


def retry(change: Change) -> None:
    """Process an image again after it failed for lack of time or memory."""
    if change.before("state") != "given_up":
        raise Conflict("This file cannot be processed again.")
    change.set(state="pending", fault=None)
    enqueue("picture.draw", change.before("id"))


def file_names(state: dict[str, Any]) -> list[str]:
    """The names of all files of a record: as uploaded, as served, and its variants."""
    addresses = [state["url"]]
    for variant in state["variants"].values():
        addresses += [variant["url"], variant["webp"]]
    names = [address.removeprefix(ADDRESS) for address in addresses]
    return [ORIGINAL + names[0], *names]


MEDIA = Record(
    Media,
    path="media",
    newest_first=True,
    fields=[
        InputOnly("file", FILE, on_create=True, on_update=False, required=True),
        Shown("id", sort=True, filter=True),
        Shown("url", computed=True, label="URL", example="/uploads/2c26b46b-3f8a9c21.jpg"),
        Shown("original_name", computed=True, search=True, sort=True, filter=True),
        Shown("media_type", computed=True, sort=True, filter=True),
        Shown("bytes", computed=True, sort=True, filter=True, label="Size"),
        Shown("width", computed=True, sort=True, filter=True),
        Shown("height", computed=True, sort=True, filter=True),
        Editable("alt", search=True, label="Alternative text", help=ALT_HELP),
        Editable("focal_point", help=FOCAL_HELP),
        Shown("sha256", computed=True, filter=True, label="SHA-256"),
        Shown("variants", computed=True),
        Shown("version"),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", read_rule=INSIDE),
        Shown("owner", read_rule=INSIDE, filter=("id", "username"), default_from=actor_id),
        Shown(
            "is_avatar", read_rule=TEAM, computed=True, on_request=True, filter=True,
            default_filter="false",
        ),
        Shown("state", read_rule=TEAM, computed=True, on_request=True, filter=True, label="Status"),
        Shown("fault", read_rule=TEAM, computed=True, on_request=True, label="Error"),
    ],
    access=Access(
        read=any_of(all_of(LIBRARY, any_of(TEAM, PUBLIC)), OWN, role("moderator")),
        create=role("author"),
        update=WRITE,
        delete=WRITE,
        permanent=WRITE,
        panel=WRITE,
    ),
    actions=[
        Action(
            "regenerate_variants", retry, WRITE, past="queued for processing",
            available=lambda s: s["state"] == "given_up",
        )
    ],
    before_save=before_save,
    before_transaction=before_transaction,
    reference_fields=("id", "url", "alt"),
    title_field="original_name",
    singular_label="Media file", tabs=(("Images", "media_type__startswith=image/"),),
)  # fmt: skip
