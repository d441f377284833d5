"""Valid and invalid bodies for any record type, made from its declaration alone."""

import hashlib
import itertools
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from quire.actor import SYSTEM, Actor
from quire.declare.clock import now, rfc3339
from quire.declare.fields import Computed, Field, InputOnly
from quire.declare.pydantic_models import is_required
from quire.declare.record import REGISTRY, Record, record_of
from quire.declare.rules import NOBODY
from quire.declare.value_kinds_files import Upload
from quire.records.webhooks import add_deliveries
from quire.store.db import transaction
from quire.store.files.local import incoming_dir
from quire.store.history.undoable_batches import BULK, RowChange, begin, store_changes
from quire.store.write import create
from tests.sample_images import picture

_numbers = itertools.count(1)
VALUES = {
    "color": "#0b6b5f", "language": "de", "menu": [{"label": "Home", "url": "/"}],
    "flag": True, "day": "2027-01-31", "decimal": "12.50",
    "point": {"x": 0.5, "y": 0.25}, "whole": 3, "count": 3, "number": 3, "urls": ["https://example.org/"], "names": ["one"], "scopes": ["posts:read"], "event_names": ["posts.*"], "record_type": "posts", "networks": ["192.0.2.0/24"], "object": {"a": 1},
}  # fmt: skip


@dataclass(frozen=True)
class Wrong:
    """A value that a field must refuse, and the code of the error."""

    field: str
    value: Any
    code: str


def settable(record: Record, *, new: bool) -> list[Field]:
    """Return the fields that a client sets and that are stored as they are sent."""
    return [
        field
        for field in record.fields
        if (field.on_create if new else field.on_update)
        and field.readable
        and not isinstance(field, Computed | InputOnly)
        and not (field.target and field.target == record.table.name)
    ]


def value_for(field: Field) -> Any:
    """Return a value that `field` accepts, a new one at each call if it is text."""
    if field.choices:
        return field.choices[0]
    if field.target is not None:
        id = a_row(record_of(field.target))
        return [id] if field.many is not None else id
    if field.kind.example:
        return field.kind.example
    number = next(_numbers)
    if field.name == "expires_at":
        return f"2099-01-01T10:{number % 60:02}:00Z"
    texts = {
        "email": f"person{number}@example.org", "url": f"https://example.org/{number}", "path": f"/old/{number}",
        "target": f"/new/{number}", "markdown": f"*Text {number}*", "time": _moment(number), "username": f"person{number}", "slug": f"slug-{number}",
    }  # fmt: skip
    return VALUES.get(field.kind.name, texts.get(field.kind.name, f"Text {number}"))


def _moment(number: int) -> str:
    """Return a time later than all earlier ones, so that ends come after beginnings."""
    return rfc3339(datetime(2026, 2, 1, tzinfo=UTC) + timedelta(minutes=number))


def body(record: Record, *, whole: bool = False, system: bool = False) -> dict[str, Any]:
    """Return the values of a new record of this type: the minimum, or the `whole`."""
    fields = settable(record, new=True)
    chosen = [field for field in fields if whole or is_required(field)]
    made = {field.name: value_for(field) for field in chosen}
    secrets = [
        f
        for f in record.fields
        if not f.readable and not isinstance(f, InputOnly) and is_required(f)
    ]
    made |= {field.name: "a long password" for field in secrets}
    made |= {field.name: a_file() for field in record.fields if field.kind.name == "upload"}
    return made | (_by_the_program(record, made) if system else {})


def _by_the_program(record: Record, made: dict[str, Any]) -> dict[str, Any]:
    """Return values that only the program sets: those the table needs, and public visibility."""
    needed = {
        field.name: value_for(field)
        for field in record.fields
        if field.name not in made and field.is_stored and not field.nullable and field.target
    }
    columns = record.fields_by_name
    if "published_at" in columns:
        needed["published_at"] = "2026-01-31T12:00:00Z"
    if "status" in columns and "approved" in columns["status"].choices:
        needed["status"] = "approved"
    return needed


def a_file() -> Upload:
    """Return an image that has just been uploaded."""
    content = picture()
    path = incoming_dir() / f"{secrets.token_hex(16)}.part"
    path.write_bytes(content)
    return Upload("picture.png", path, len(content), hashlib.sha256(content).hexdigest())


def send(client: Any, path: str, raw: dict[str, Any]) -> Any:
    """POST the values of a new record: as JSON, or as a form if there is a file among them."""
    files = {k: (v.path.open("rb"), v.name) for k, v in raw.items() if isinstance(v, Upload)}
    if not files and path != "media":
        return client.post(path, json=raw)
    rest = {k: v for k, v in raw.items() if k not in files}
    texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in rest.items()}
    return client.post(path, data={**texts, **files}, content_type="multipart/form-data")


def a_row(record: Record, **more: Any) -> int:
    """Return the id of a record of this type: the only one, an existing one if none can be created, or a new one."""
    if record.singleton:
        return 1
    if record.path == "batches":
        return a_batch()
    if record.path == "deliveries":
        return a_delivery()
    if record.access.create is NOBODY:
        return 2
    return create(record, SYSTEM, {**body(record, system=True), **more}).id


def a_batch() -> int:
    """Create a batch with one new tag; return its id."""
    with transaction() as connection:
        tag = create(REGISTRY["tags"], SYSTEM, body(REGISTRY["tags"]))
        id = begin(connection, SYSTEM, BULK)
        store_changes(connection, id, [RowChange(0, "create", "tags", tag.id, 1, None)])
    return id


def a_delivery() -> int:
    """Create a delivery that has failed; return its id."""
    webhook = create(REGISTRY["webhooks"], SYSTEM, body(REGISTRY["webhooks"])).id
    about = {"type": "posts", "record_id": 1, "event_at": now(), "status": "failed"}
    row = {"webhook_id": webhook, "event": "posts.created", **about}
    with transaction() as connection:
        return add_deliveries(connection, [row])[0]


def wrong_values(record: Record) -> list[Wrong]:
    """Return values that each settable field must refuse."""
    found = []
    for field in settable(record, new=True):
        found += [Wrong(field.name, value, code) for value, code in _wrong(field)]
    return found


def _wrong(field: Field) -> list[tuple[Any, str]]:
    bad: list[tuple[Any, str]] = []
    if not field.nullable:
        bad.append((None, "not_allowed" if field.choices else "wrong_type"))
    if field.target is not None:
        nowhere = 2**31 - 1
        return [
            *bad,
            ([nowhere] if field.many is not None else nowhere, "not_found"),
            (True, "wrong_type"),
        ]
    if field.choices:
        return [*bad, ("no such word", "not_allowed")]
    bad.append(({"a": 1} if field.kind.name != "object" else "text", "wrong_type"))
    if field.kind.length and field.kind.is_text:
        bad.append(("x" * (field.kind.length + 1), "too_long"))
    if field.kind.name in ("time", "day", "decimal", "email", "url", "slug", "path"):
        bad.append(("no such thing", "bad_format"))
    if field.kind.example:
        bad.append(("-", "bad_format"))
    if field.kind.minimum is not None and field.kind.minimum == 0:
        bad.append(("-1" if field.kind.name == "decimal" else -1, "too_small"))
    if field.kind.name == "flag":
        bad.append((1, "wrong_type"))
    if field.kind.name in ("whole", "count", "number"):
        bad += [("5", "wrong_type"), (1.5, "wrong_type"), (2**62, "too_large")]
    return bad


def roles() -> list[str]:
    """Return the kinds of actors, from the least to the most permissions."""
    return ["anonymous", "member", "author", "moderator", "admin"]


def typical(role: str) -> Actor:
    """Return an actor with a role, for questions to rules."""
    return Actor(role, None if role == "anonymous" else 0)
