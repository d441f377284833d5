"""Every type refuses invalid values with the right code, and changes nothing."""

import pytest
from pydantic import TypeAdapter

from quire.declare.fields import Computed
from quire.declare.pydantic_models import is_required
from quire.declare.rules import NOBODY
from quire.declare.value_kinds_files import Upload
from tests.every_record.bodies import a_row, body, send, settable, value_for, wrong_values
from tests.every_record.conftest import address


@pytest.fixture
def admin(by_role):
    return by_role("admin")


def bad(answer):
    return {(one["field"], one["code"]) for one in answer.json["details"]}


def test_unknown_fields(made, admin, in_app_context):
    given = in_app_context(body, made) | {"no_such_field": 1}
    assert bad(send(admin, made.path, given)) == {("no_such_field", "unknown")}


def test_required_fields(made, admin, in_app_context):
    needed = {f.name for f in made.fields if is_required(f) and (f.on_create or not f.readable)}
    assert bad(send(admin, made.path, {})) == {(name, "required") for name in needed}


def test_wrong_values(made, admin, in_app_context):
    good = in_app_context(body, made)
    takes_files = any(isinstance(value, Upload) for value in good.values())
    id = in_app_context(a_row, made)
    for wrong in in_app_context(wrong_values, made):
        if (
            takes_files
        ):  # fields sent with a file are text, so only changes can be wrong in every way
            answer = admin.patch(address(made, id), json={wrong.field: wrong.value})
        else:
            answer = admin.post(made.path, json=good | {wrong.field: wrong.value})
        assert answer.status_code == 422, (wrong, answer.text)
        assert bad(answer) == {(wrong.field, wrong.code)}, wrong


def test_lists_have_a_maximum_length(changed, admin, in_app_context):
    id = in_app_context(a_row, changed)
    for field in settable(changed, new=False):
        schema = TypeAdapter(field.kind.accepts).json_schema()
        if schema.get("type") == "array":
            value = in_app_context(value_for, field)
            many = value * (schema["maxItems"] + 1)
            answer = admin.patch(address(changed, id), json={field.name: many})
            assert bad(answer) == {(field.name, "too_long")}, answer.text


def test_read_only_fields(changed, admin, in_app_context):
    id = in_app_context(a_row, changed)
    before = admin.get(address(changed, id)).json
    for field in changed.fields:
        fixed = not field.on_update and not field.is_ignored and field.name in before
        if fixed and field.name != "version":
            answer = admin.patch(address(changed, id), json={field.name: "something else"})
            assert bad(answer) == {(field.name, "read_only")}, field.name
            same = admin.patch(address(changed, id), json={field.name: before[field.name]})
            assert same.status_code == 200, field.name
    assert admin.get(address(changed, id)).json == before


def test_hidden_fields_are_unknown(changed, admin, in_app_context):
    id = in_app_context(a_row, changed)
    for field in changed.fields:
        if field.read_rule is NOBODY:
            answer = admin.patch(address(changed, id), json={field.name: 1})
            assert bad(answer) == {(field.name, "unknown")}


def test_taken_values(made, admin, in_app_context):
    given = in_app_context(body, made, whole=True)
    assert send(admin, made.path, given).status_code == 201
    for field in settable(made, new=True):
        alone = field.column is not None and (
            field.column.unique or f"{field.name}_folded" in made.table.c
        )
        if not alone or isinstance(field, Computed) or field.target:
            continue
        fresh = in_app_context(body, made, whole=True) | {field.name: given[field.name]}
        answer = send(admin, made.path, fresh)
        assert (answer.status_code, answer.json["code"]) == (409, "duplicate"), field.name
        assert bad(answer) == {(field.name, "duplicate")}


def test_missing_records(record, admin, in_app_context):
    if record.singleton:
        return
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = admin.open(
            f"{record.path}/2147483647", method=method, json=None if method == "GET" else {}
        )
        assert answer.status_code in (404, 405), (method, answer.text)
    for action in record.actions:
        assert admin.post(f"{record.path}/2147483647/{action.name}").status_code == 404


def test_unknown_parameters(record, admin, in_app_context):
    for query in (
        "no_such_field=1",
        "id__like=1",
        "sort=no_such_field",
        "fields=no_such_field",
        "include=nothing",
    ):
        answer = admin.get(f"{address(record)}?{query}")
        assert (answer.status_code, answer.json["code"]) == (400, "unknown_parameter"), query


def test_stale_versions(changed, admin, in_app_context):
    if not changed.is_versioned:
        return
    id = in_app_context(a_row, changed)
    for request in ({"json": {"version": 999}}, {"json": {}, "headers": {"If-Match": '"v999-0"'}}):
        answer = admin.patch(address(changed, id), **request)
        assert (answer.status_code, answer.json["code"]) == (412, "version_conflict")
