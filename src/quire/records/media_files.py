"""The files of media records: their names, their metadata, and how they are replaced and deleted."""

from typing import Any

from flask import current_app
from sqlalchemy import func, select

from quire.declare.change import Change
from quire.declare.record import REGISTRY
from quire.declare.value_kinds_files import Upload
from quire.errors import Conflict, ValidationFailed, detail
from quire.store.db import on_commit, read_connection
from quire.store.events.outbox import enqueue
from quire.store.file_usage import find_usage
from quire.store.files.detect import FileType
from quire.store.files.local import ORIGINAL
from quire.store.files.storage import delete_files
from quire.store.files.usage_in_texts import SHA
from quire.store.transactions.advisory_locks import advisory_lock
from quire.translations.messages import Message

ADDRESS = "/uploads/"
REPLACE = "replace_file"
"""The name of the action that replaces a file."""

State = dict[str, Any]


def stored_name(url: str, sha256: str) -> str:
    """Return the name under which a record's file is stored: the one in its URL, until the file is replaced.

    After that, it begins with a hash of the new content, so that stored files never change.
    """
    return sha256[:SHA] + url.removeprefix(ADDRESS)[SHA:]


def file_names(state: State) -> list[str]:
    """Return the names of all files of a record: as uploaded, as served, and its variants."""
    name = stored_name(state["url"], state["sha256"])
    variants = [one[key] for one in state["variants"].values() for key in ("url", "webp")]
    return [ORIGINAL + name, name, *(address.removeprefix(ADDRESS) for address in variants)]


def set_file(change: Change, received: Upload, content: FileType) -> None:
    """Set the values of a new file, and request processing if it is an image."""
    processed = received.processed
    is_pending = content.is_picture and processed is None
    _check_quota(change, received.size - (change.before("bytes") or 0))
    change.set(
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


def replace_content(change: Change) -> None:
    """Replace the file with another of the same type; its id and URL stay the same."""
    file = change.pop("file")
    if file is None:
        raise ValidationFailed([detail("file", "required", "File is required.")])
    (received, content), state = file, change.state or {}
    if content.media_type != state["media_type"]:
        words = Message(
            "The new file must be of the same type as the old one: %(type)s.",
            type=state["media_type"],
        )
        raise ValidationFailed([detail("file", "not_allowed", words)])
    if received.sha256 == state["sha256"]:
        return
    set_file(change, received, content)
    change.set(fault=None)
    change.after_save(lambda _: on_commit(lambda: delete_files(*file_names(state))))


def _check_quota(change: Change, more: int) -> None:
    quota, owner = current_app.config["UPLOAD_QUOTA_BYTES"], change.reference("owner")
    if not quota or owner is None:
        return
    advisory_lock(f"uploads of {owner}")
    media = REGISTRY["media"].table.c
    used_bytes = select(func.sum(media.bytes)).where(media.owner_id == owner)
    with read_connection() as connection:
        used = connection.scalar(used_bytes) or 0
    if used + more > quota:
        words = Message(
            "File exceeds the quota: %(used)s of %(quota)s bytes in use. Delete other files.",
            used=f"{used:,}", quota=f"{quota:,}",
        )  # fmt: skip
        change.refuse("file", "too_large", words)


def delete_record_files(change: Change) -> None:
    """Delete the files of a deleted record; with `permanent`, even those in use."""
    state = change.state or {}
    if not change.prepared.get("permanent"):
        _refuse_if_used(change, state)
    change.after_save(lambda _: on_commit(lambda: delete_files(*file_names(state))))


def _refuse_if_used(change: Change, state: dict[str, Any]) -> None:
    uses, count = find_usage(change.record, change.actor, state)
    if count:
        raise Conflict(
            Message(
                "This file is used in %(count)s place. To delete it anyway, send force=true.",
                "This file is used in %(count)s places. To delete it anyway, send force=true.",
                count=count,
            ),
            details=[
                detail(f"{one['type']}.{one['field']}", "not_allowed", _usage(one)) for one in uses
            ],
        )


def _usage(use: dict[str, Any]) -> Message:
    return Message(
        "Used in %(noun)s %(id)s, “%(title)s”.",
        noun=Message(REGISTRY[use["type"]].noun),
        id=use["id"],
        title=use["title"],
    )
