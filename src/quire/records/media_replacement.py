"""Replaces the file of a media record with an upload of the same type; its id and URL stay the same."""

from dataclasses import replace

from quire.actor import Actor
from quire.declare.rules import require_possible
from quire.declare.value_kinds_files import Upload
from quire.errors import Conflict, Unavailable
from quire.records.media import MEDIA, WRITE
from quire.records.media_files import REPLACE, stored_name
from quire.store import read
from quire.store.changes.rows import State, load_for_update
from quire.store.db import on_rollback, read_connection, rollback_scope
from quire.store.files.detect import PICTURES
from quire.store.files.local import ORIGINAL
from quire.store.files.receive import hard_link
from quire.store.files.storage import file_storage
from quire.store.instance_locks import is_backup_running
from quire.store.write import Saved, act
from quire.translations.messages import Message


def replace_file(actor: Actor, id: int, received: Upload, version: int | None = None) -> Saved:
    """Replace the file of record `id`; everything that refers to it shows the new one.

    The same content changes nothing. Raises Unauthenticated, PermissionDenied, NotFound, Conflict, VersionConflict,
    ValidationFailed, Unavailable.
    """
    require_possible(WRITE, actor)
    received = replace(received, processed=None)
    with read_connection() as connection:
        state = load_for_update(connection, MEDIA, actor, id, WRITE).state
    _refuse_same_file(actor, state, received)
    with rollback_scope(), hard_link(received) as file:
        if received.sha256 != state["sha256"]:
            _store(state, file)
        return act(MEDIA, actor, id, REPLACE, {"file": received}, version=version)


def _store(state: State, file: Upload) -> None:
    """Store the file before the row, so that a crash leaves at most an orphaned file behind."""
    if is_backup_running():  # restoring it would keep the old file, which would then be served
        words = Message("A backup is running. Replace the file when it is done.")
        raise Unavailable(words, headers={"Retry-After": "60"})
    is_image = state["media_type"] in [one[0] for one in PICTURES.values()]
    name = (ORIGINAL if is_image else "") + stored_name(state["url"], file.sha256)
    on_rollback(lambda: file_storage().delete(name))
    file_storage().put(name, file.path)


def _refuse_same_file(actor: Actor, state: State, received: Upload) -> None:
    """Refuse a file that the user already has."""
    owner = (state["owner"] or {}).get("id")
    same = {"owner_id": owner, "sha256": received.sha256, "is_avatar": state["is_avatar"]}
    id = read.find_id(MEDIA, actor, **same) if owner else None
    if id not in (None, state["id"]):
        name = read.get_record(MEDIA, actor, id)["original_name"]
        words = Message("This file is in the media library already, as “%(name)s”.", name=name)
        raise Conflict(words, code="duplicate")
