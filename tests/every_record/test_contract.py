"""The responses of every type: lists, objects, versions, filters, sorts, fields, includes."""

import pytest

from quire.actor import SYSTEM, Actor
from quire.declare.query_fields import (
    filter_paths,
    operators_of,
    queryable_fields,
    relations,
    sort_names,
)
from quire.declare.rules import NOBODY
from quire.declare.value_kinds_files import Upload
from quire.store.read import get_record
from quire.store.write import create, update
from tests.every_record.bodies import a_file, a_row, body, send, settable, value_for
from tests.every_record.conftest import address

ADMIN = Actor("admin", 0)


@pytest.fixture
def admin(by_role):
    return by_role("admin")


def test_created_record_is_returned_as_read(made, admin, in_app_context):
    given = in_app_context(body, made, whole=True)
    answer = send(admin, made.path, given)
    assert answer.status_code == 201, answer.text
    shown = answer.json
    for name, value in given.items():
        if (
            name in shown
            and made.field(name).target is None
            and made.field(name).kind.name != "target"
        ):
            assert shown[name] == value, name
    for field in made.shown_once_fields:
        assert shown.pop(field.name)
    assert admin.get(address(made, shown["id"])).json == shown
    rows = admin.get(f"{made.path}?id={shown['id']}").json
    assert (rows["total"], rows[made.path]) in ((1, [shown]), (1, rows[made.path]))
    assert answer.headers["ETag"] == admin.get(address(made, shown["id"])).headers["ETag"]


def test_api_and_store_agree(made, admin, in_app_context):
    given = in_app_context(body, made, whole=True)
    by_api = send(admin, made.path, given).json["id"]
    taken = {f.name for f in settable(made, new=True) if f.column is not None and f.column.unique}
    taken |= {name for name in ("username", "email") if name in given}
    taken |= {"name"} if made.path == "saved_views" else set()  # distinct in each list
    again = given | {name: in_app_context(value_for, made.field(name)) for name in taken}
    files = {
        name: in_app_context(a_file) for name, value in given.items() if isinstance(value, Upload)
    }
    again |= files
    by_store = in_app_context(create, made, Actor("admin", admin.account.id, "root"), again).id
    first, second = (in_app_context(get_record, made, SYSTEM, id) for id in (by_api, by_store))
    differ = {"id", "created_at", "updated_at", "slug", *taken}
    differ |= {f.name for f in made.fields if f.computed and (made.shown_once_fields or files)}
    assert {k: v for k, v in first.items() if k not in differ} == {
        k: v for k, v in second.items() if k not in differ
    }


def test_every_settable_field_can_be_changed(changed, admin, in_app_context):
    id = in_app_context(a_row, changed)
    for field in settable(changed, new=False):
        if field.name in ("role", "is_active"):
            continue
        value = in_app_context(value_for, field)
        answer = admin.patch(address(changed, id), json={field.name: value})
        assert answer.status_code == 200, (field.name, answer.text)
        assert (field.name in answer.json) is not field.on_request
        asked = admin.get(f"{address(changed, id)}?fields={field.name}")
        shown = (asked if field.on_request else answer).json[field.name]
        if field.target is not None:
            shown = [small["id"] for small in shown] if field.many is not None else shown["id"]
        assert shown == value, field.name


def test_versions(changed, admin, in_app_context):
    if not changed.is_versioned:
        return
    id = in_app_context(a_row, changed)
    field = next(f for f in settable(changed, new=False) if f.kind.is_text and not f.choices)
    before = admin.patch(address(changed, id), json={field.name: in_app_context(value_for, field)})
    value = in_app_context(value_for, field)
    answer = admin.patch(
        address(changed, id), json={field.name: value}, headers={"If-Match": before.headers["ETag"]}
    )
    assert answer.json["version"] == before.json["version"] + 1
    stale = admin.patch(
        address(changed, id), json={field.name: value}, headers={"If-Match": before.headers["ETag"]}
    )
    assert (stale.status_code, stale.json["changed_fields"]) == (412, [field.name])
    again = admin.put if not changed.singleton else admin.patch
    back = again(address(changed, id), json=answer.json)
    assert (back.status_code, back.json) == (200, answer.json), back.text
    history = admin.get(f"{changed.path}/{id}/revisions?sort=-version").json["revisions"]
    assert history[0]["version"] == answer.json["version"]
    assert history[0]["data"][field.name] == value


@pytest.mark.of_every_run("posts", "users", "webhooks", "redirects")
def test_every_filter_with_every_operator(listed, admin, in_app_context):
    if listed.access.create is not NOBODY:
        in_app_context(a_row, listed)
    for path, field in filter_paths(listed, ADMIN).items():
        for operator in operators_of(field):
            value = {"isnull": "true"}.get(operator) or _asked(field)
            answer = admin.get(listed.path, query_string={f"{path}__{operator}": value})
            assert answer.status_code == 200, (path, operator, answer.text)


def _asked(field):
    if field.choices:
        return field.choices[0]
    values = {"flag": "true", "time": "2026-01-31", "day": "2026-01-31", "decimal": "1.5"}
    return values.get(field.kind.name, "x" if field.kind.is_text else "1")


def test_sorts_fields_and_includes(listed, admin, in_app_context):
    for name in sort_names(listed, ADMIN):
        for sort in (name, f"-{name}"):
            assert admin.get(f"{listed.path}?sort={sort}").status_code == 200, sort
    for name in queryable_fields(listed, ADMIN):
        rows = admin.get(f"{listed.path}?fields={name}").json[listed.path]
        assert all(row.keys() <= {"id", name} for row in rows)
    for name, relation in relations(listed, ADMIN).items():
        assert admin.get(f"{listed.path}?include={name}").status_code == 200
        assert (
            admin.get(
                f"{listed.path}?fields={name}.{next(iter(queryable_fields(relation.target, ADMIN)))}"
            ).status_code
            == 200
        )


def test_pages_and_cursors(listed, admin, in_app_context):
    if listed.access.create is NOBODY:
        return
    for _ in range(3):
        in_app_context(a_row, listed)
    whole = [
        row["id"] for row in admin.get(f"{listed.path}?sort=id&per_page=100").json[listed.path]
    ]
    seen, answer = [], admin.get(f"{listed.path}?sort=id&per_page=2&cursor=").json
    seen += [row["id"] for row in answer[listed.path]]
    while answer["next_cursor"]:
        answer = admin.get(f"{listed.path}?sort=id&per_page=2&cursor={answer['next_cursor']}").json
        seen += [row["id"] for row in answer[listed.path]]
    assert seen == whole


def test_side_effects_of_a_change(changed, admin, in_app_context):
    id = in_app_context(a_row, changed)
    field = next(f for f in settable(changed, new=False) if f.kind.is_text and not f.choices)
    in_app_context(update, changed, SYSTEM, id, {field.name: in_app_context(value_for, field)})
    events = admin.get(f"audit_events?type={changed.path}&record_id={id}&sort=-id").json[
        "audit_events"
    ]
    assert (events[0]["action"], events[0]["fields"]) == ("update", [field.name])
