"""Every verb for every role: the rules decide what happens."""

import pytest

from quire.actor import SYSTEM
from quire.declare.query import Query
from quire.declare.rules import NOBODY
from quire.store.read import list_records
from tests.every_record.bodies import a_row, body, roles, send, typical
from tests.every_record.conftest import address


def expected(rule, role):
    """Return the statuses that a rule permits for a user who owns nothing."""
    answer = rule(typical(role))
    if answer is False:
        return {401} if role == "anonymous" else {403}
    if answer is True:
        return {200, 201, 204, 409}
    return {200, 201, 204, 403, 404, 409}


@pytest.mark.parametrize("role", roles())
def test_reading(record, role, by_role, in_app_context):
    id = (
        in_app_context(a_row, record)
        if record.access.create is not NOBODY or record.singleton
        else None
    )
    client = by_role(role)
    assert client.get(address(record)).status_code in expected(record.access.read, role)
    if id is not None:
        assert client.get(address(record, id)).status_code in expected(record.access.read, role)


@pytest.mark.parametrize("role", roles())
def test_creating(made, role, by_role, in_app_context):
    rule = made.access.create
    answer = send(by_role(role), made.path, in_app_context(body, made))
    if not rule.cacheable and role == "anonymous":
        assert answer.status_code in (201, 401)
        return
    assert answer.status_code in expected(rule, role), answer.text
    if rule(typical(role)) is True:
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/api/v1/{made.path}/{answer.json['id']}"


@pytest.mark.parametrize("role", roles())
def test_changing(changed, role, by_role, in_app_context):
    id = in_app_context(a_row, changed)
    for method in ("patch", *(() if changed.singleton else ("put",))):
        now = by_role("admin").get(address(changed, id)).json
        answer = by_role(role).open(address(changed, id), method=method.upper(), json=now)
        if changed.path == "users" and role != "admin" and answer.status_code == 422:
            continue  # not everyone may send what an administrator reads about another user
        assert answer.status_code in expected(changed.access.update, role), answer.text


@pytest.mark.parametrize("role", roles())
def test_deleting(made, role, by_role, in_app_context):
    id = in_app_context(a_row, made)
    answer = by_role(role).delete(address(made, id))
    assert answer.status_code in expected(made.access.delete, role), answer.text
    if answer.status_code == 204:
        rows = in_app_context(list_records, made, SYSTEM, Query(per_page=100, sort=("-id",))).rows
        assert id not in [row["id"] for row in rows]
        trash = (
            made.has_trash
            and in_app_context(
                list_records, made, SYSTEM, Query(per_page=100, sort=("-id",), trashed=True)
            ).rows
        )
        assert not made.has_trash or id in [row["id"] for row in trash]


@pytest.mark.parametrize("role", roles())
def test_actions(record, role, by_role, in_app_context):
    for action in record.actions:
        id = in_app_context(a_row, record)
        answer = by_role(role).post(f"{record.path}/{id}/{action.name}")
        if action.takes_file and answer.status_code == 422:  # permitted, but no file was sent
            continue
        assert answer.status_code in expected(action.allow, role), (action.name, answer.text)


@pytest.mark.parametrize("role", roles())
def test_fields_that_are_hidden_do_not_appear(record, role, by_role, in_app_context):
    in_app_context(a_row, record)
    answer = by_role(role).get(address(record))
    if answer.status_code != 200:
        return
    rows = [answer.json] if record.singleton else answer.json[record.path]
    never = {f.name for f in record.fields if not f.readable or f.read_rule(typical(role)) is False}
    for row in rows:
        assert not never & row.keys()
        assert row.keys() <= record.fields_by_name.keys()
