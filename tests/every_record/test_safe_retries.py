"""Every type supports safe retries with an Idempotency-Key: one effect, one response."""

import secrets

import pytest
from sqlalchemy import func, select

from quire.declare.rules import NOBODY
from quire.store.db import read_connection
from tests.every_record.bodies import a_row, body, send, settable, value_for
from tests.every_record.conftest import address


@pytest.fixture
def admin(by_role):
    """An administrator, all of whose requests have the same key."""
    client = by_role("admin")
    client.environ_base["HTTP_IDEMPOTENCY_KEY"] = secrets.token_hex(16)
    return client


def count(record):
    with read_connection() as connection:
        return connection.execute(select(func.count()).select_from(record.table)).scalar_one()


def same(first, again):
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    for name in ("ETag", "Location"):
        assert again.headers.get(name) == first.headers.get(name)


def test_repeated_creation(made, admin, in_app_context):
    given = in_app_context(body, made, whole=True)
    first = send(admin, made.path, given)
    assert first.status_code == 201, first.text
    rows = in_app_context(count, made)
    again = send(admin, made.path, given)
    if made.shown_once_fields:
        assert (again.status_code, again.json["code"]) == (409, "already_created")
        assert again.headers["Location"] == first.headers["Location"]
    else:
        same(first, again)
    assert in_app_context(count, made) == rows


def test_repeated_change(changed, admin, in_app_context):
    id = in_app_context(a_row, changed)
    field = next(f for f in settable(changed, new=False) if f.kind.is_text and not f.choices)
    given = {field.name: in_app_context(value_for, field)}
    first, again = (admin.patch(address(changed, id), json=given) for _ in range(2))
    assert first.status_code == 200, first.text
    same(first, again)


def test_repeated_deletion(record, admin, in_app_context):
    if record.access.delete is NOBODY or record.access.create is NOBODY:
        return
    id = in_app_context(a_row, record)
    first, again = (admin.delete(address(record, id)) for _ in range(2))
    assert first.status_code == 204, first.text
    same(first, again)


def test_invalid_key(made, admin, in_app_context):
    admin.environ_base["HTTP_IDEMPOTENCY_KEY"] = "two words"
    answer = send(admin, made.path, in_app_context(body, made))
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_parameter")
