"""The avatar of a user, uploaded with the profile; replaces the previous one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import request

from quire.actor import Actor
from quire.errors import ValidationFailed, detail
from quire.records import MEDIA, USERS
from quire.records.media import upload
from quire.store import read
from quire.store.files.receive import receive
from quire.store.write import delete, update

FIELD = "picture"


def change_avatar(actor: Actor, user: dict[str, Any], remove: bool) -> None:
    """Save the uploaded avatar, or delete the current one with `remove`. Raises ValidationFailed
    with errors for the form's field."""
    file = request.files.get(FIELD)
    if file is not None and file.filename:
        more = {"owner": actor.user_id, "is_avatar": True}
        with receive(file.stream, file.filename) as received, _upload_errors():
            id = upload(actor.as_system(), received, more).id
            _set_avatar(actor, user, id)
    elif remove and user["avatar"]:
        _set_avatar(actor, user, None)


@contextmanager
def _upload_errors() -> Iterator[None]:
    """The errors of the file, for the form's field."""
    try:
        yield
    except ValidationFailed as problem:
        raise ValidationFailed(
            [detail(FIELD, one["code"], one["message"]) for one in problem.details]
        ) from None


def _set_avatar(actor: Actor, user: dict[str, Any], id: int | None) -> None:
    """Set another avatar, or none; the previous one has no other use and is deleted."""
    update(USERS, actor, user["id"], {"avatar": id})
    old = (user["avatar"] or {}).get("id")
    program = actor.as_system()
    if old not in (None, id) and read.find_id(MEDIA, program, id=old, is_avatar=True):
        delete(MEDIA, program, old, permanent=True)
