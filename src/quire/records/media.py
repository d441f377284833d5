"""Media: uploaded images, documents and audio files; images are resized."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from sqlalchemy import Index
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
from quire.declare.mixins import HasId, Timestamped, Versioned, table_args
from quire.declare.record import Access, Record
from quire.declare.references import Ref, reference, unique
from quire.declare.rules import all_of, any_of, owner, role, shown_by, where
from quire.declare.value_kinds import Kind
from quire.declare.value_kinds_files import ANY_FILE, Point, Upload, Variants
from quire.errors import Conflict, NotFound, Unavailable
from quire.records.media_files import (
    ADDRESS,
    REPLACE,
    delete_record_files,
    replace_content,
    set_file,
)
from quire.security.tokens import Digest
from quire.store import read
from quire.store.db import (
    Model,
    in_transaction,
    on_rollback,
    savepoint,
    transaction,
)
from quire.store.events.outbox import enqueue
from quire.store.files.detect import FileType, UnsupportedFile, detect
from quire.store.files.local import ORIGINAL
from quire.store.files.public_use import PublicUse
from quire.store.files.receive import hard_link
from quire.store.files.storage import file_storage
from quire.store.write import Saved, create

MAX_ATTEMPTS = 20
"""How often to retry an upload while others upload and delete the same file."""
ALT_HELP = "Describe the image for people who cannot see it. Leave empty if it is only decorative."
FOCAL_HELP = "The point that stays visible when the image is cropped."


class Media(HasId, Timestamped, Versioned, Model):
    """An uploaded image, document or audio file.

    An image that is `given_up` can be processed again, one that is `broken` cannot; `fault` says why.
    """

    __tablename__ = "media"
    __table_args__ = table_args(
        # a user uploads the same file only once, apart from a copy used as an avatar
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


_media = Media.__table__.c
OWN = owner(_media.owner_id)
LIBRARY = where(lambda: _media.is_avatar.is_(False), "that it is in the media library")
PUBLIC = shown_by(PublicUse(Media.__table__), "that it is used in public content")
TEAM, INSIDE = role("author"), role("moderator")
WRITE = any_of(all_of(OWN, TEAM), INSIDE)


def _with_detected_type(upload: Upload) -> tuple[Upload, FileType]:
    try:
        return upload, detect(upload)
    except UnsupportedFile as refusal:
        raise PydanticCustomError(refusal.code, refusal.words) from None


FILE = Kind("upload", Annotated[ANY_FILE, AfterValidator(_with_detected_type)], "file")


def upload(actor: Actor, received: Upload, raw: dict[str, Any]) -> Saved:
    """Store a received file as a new record, or return the record that its owner already has for it.

    `raw` contains other values such as `alt`. Raises what `create` raises.
    """
    for _ in range(MAX_ATTEMPTS):
        saved = _same_file(actor, received, raw)
        if saved is not None:
            return saved
        try:
            with hard_link(received) as file, _savepoint():
                return create(MEDIA, actor, {**raw, "file": file})
        except Conflict as error:  # another request of the same account came first
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
    except NotFound:  # there is no such record, or it has been deleted meanwhile
        return None
    return Saved(state["id"], state, state, changed=False)


@contextmanager
def _savepoint() -> Iterator[None]:
    """Return a context for an attempt that may be repeated, even inside an open transaction."""
    if not in_transaction():
        yield
        return
    with transaction() as connection, savepoint(connection):
        yield


def before_transaction(actor: Actor, id: int | None, values: dict[str, Any]) -> dict[str, Any]:
    """Store the file of a new record under a `name`. Raises Unavailable.

    The file is stored before the row, so a crash leaves at most an orphaned file behind.
    """
    if id is not None or values.get("file") is None:
        return {}
    received, content = values["file"]
    name = f"{received.sha256[:32]}-{received.path.stem[:8]}.{content.suffix}"
    is_raw = content.is_picture and received.processed is None
    more = {} if received.processed is None else received.processed.files
    files = {ORIGINAL + name if is_raw else name: received.path, **more}
    on_rollback(lambda: file_storage().delete(*files))
    for stored, path in files.items():
        file_storage().put(stored, path)
    return {"name": name}


def before_save(change: Change) -> None:
    """Set the values of a new file; delete the files of a deleted record unless it is in use."""
    if change.verb == "delete":
        delete_record_files(change)
    elif change.state is None:
        received = change.pop("file")
        if received is None:  # users may omit these fields, but a record must have them
            change.refuse("file", "required", "File is required.")
        else:
            change.set(url=ADDRESS + (received[0].address or change.prepared["name"]))
            set_file(change, *received)


def retry(change: Change) -> None:
    """Process an image again that took too much time or memory."""
    if change.before("state") != "given_up":
        raise Conflict("This file cannot be processed again.")
    change.set(state="pending", fault=None)
    enqueue("picture.draw", change.before("id"))


MEDIA = Record(
    Media,
    path="media",
    newest_first=True,
    fields=[
        InputOnly("file", FILE, on_create=True, on_update=False, required=True),
        Shown("id", sort=True, filter=True),
        Shown("url", computed=True, label="URL", example="/uploads/2c26b46b-3f8a9c21.jpg"),
        Shown("original_name", computed=True, tracked=True, search=True, sort=True, filter=True),
        Shown("media_type", computed=True, sort=True, filter=True),
        Shown("bytes", computed=True, sort=True, filter=True, label="Size"),
        Shown("width", computed=True, sort=True, filter=True),
        Shown("height", computed=True, sort=True, filter=True),
        Editable("alt", search=True, label="Alternative text", help=ALT_HELP),
        Editable("focal_point", help=FOCAL_HELP),
        Shown("sha256", computed=True, tracked=True, filter=True, label="SHA-256"),
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
        ),
        Action(REPLACE, replace_content, WRITE, inputs=(("file", FILE),), past="replaced"),
    ],
    before_save=before_save,
    before_transaction=before_transaction,
    reference_fields=("id", "url", "alt"),
    title_field="original_name",
    singular_label="Media file", tabs=(("Images", "media_type__startswith=image/"),),
)  # fmt: skip
