"""Deletion of one's own account, and the export of one's personal data."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import orjson
from sqlalchemy import func, select

from quire.actor import Actor
from quire.auth.passwords import require_current_password
from quire.auth.totp import reset
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.record import REGISTRY, Record
from quire.records.users import delete_avatars
from quire.store import read
from quire.store.audit import record_event
from quire.store.db import read_connection, transaction
from quire.store.write import delete, update

AT_ONCE = 100
OWNER_FIELDS = {
    "profiles": "user",
    "posts": "author",
    "media": "owner",
    "comments": "author",
    "api_keys": "owner",
    "sessions": "user",
    "saved_views": "owner",
}
"""Types whose records belong to people, and the field with the owner."""


def export_personal_data(actor: Actor) -> bytes:
    """Return the account and all records of the user, as that user sees them: indented JSON."""
    personal_data: dict[str, Any] = {
        "users": [read.get_record(REGISTRY["users"], actor, actor.user_id or 0)]
    }
    for path, field in OWNER_FIELDS.items():
        personal_data[path] = list(_rows(REGISTRY[path], actor, field))
    return orjson.dumps(personal_data, option=orjson.OPT_INDENT_2)


def _rows(record: Record, actor: Actor, field: str) -> Iterator[dict[str, Any]]:
    mine = (Condition(field, "eq", (actor.user_id,)),)
    for number in count(1):
        query = Query(conditions=mine, page=number, per_page=AT_ONCE, fields=record.field_names)
        page = read.list_records(record, actor, query)
        yield from page.rows
        if not page.has_next:
            return


def count_posts(actor: Actor) -> int:
    """Return how many posts the user has written, including those in the trash."""
    posts = REGISTRY["posts"].table
    with read_connection() as connection:
        statement = select(func.count()).where(posts.c.author_id == actor.user_id)
        return int(connection.execute(statement).scalar_one())


def delete_account(actor: Actor, password: str) -> None:
    """Delete the actor's account. Raises ValidationFailed for a wrong password, Conflict `last_admin`.

    Posts keep their author, but only by name: without email, password, profile or any way to sign in. Comments keep the
    name they were signed with.
    """
    users, id = REGISTRY["users"], actor.user_id or 0
    require_current_password(actor, password)
    program = actor.as_system()
    with transaction():
        record_event(actor, "leave", "users", id)
        if not count_posts(actor):
            delete(users, program, id)
            return
        delete_avatars(program, id)
        nothing = {"email": None, "password": None, "bio": "", "is_active": False, "role": "author"}
        update(users, program, id, nothing)
        reset(program, id)
        profile = read.find_id(REGISTRY["profiles"], program, user_id=id)
        blank: dict[str, Any] = {"display_name": "", "website": None, "location": "", "links": []}
        update(REGISTRY["profiles"], program, profile or 0, blank)
