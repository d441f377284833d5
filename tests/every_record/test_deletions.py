"""Deletions of records of any type: their entries in the audit log, and that an offered undo works."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.admin.format import record_title
from quire.declare.record import record_of
from quire.errors import NotFound
from quire.store import read
from quire.store.write import delete, update
from tests.every_record.bodies import a_row, value_for
from tests.users import browser_of


@pytest.fixture
def panel(app, people):
    """A browser in which an administrator is signed in."""
    return browser_of(app, people["root"])


def title_of(app, record, id):
    with app.test_request_context():
        return record_title(record, read.get_record(record, SYSTEM, id))


def sentences(panel, record):
    page = BeautifulSoup(panel.get(f"/admin/audit_events/?type={record.path}").text, "html.parser")
    return [cell.text.strip() for cell in page.select("tbody td.title")]


def test_audit_log_names_permanently_deleted_records(app, panel, deleted, in_app_context):
    id = in_app_context(a_row, deleted)
    title = title_of(app, deleted, id)
    in_app_context(delete, deleted, SYSTEM, id, permanent=True)
    newest = sentences(panel, deleted)[0]
    assert f"“{title}”" in newest and f"#{id}" not in newest


WAYS = ("row", "selection", "api")


def delete_by(way, panel, api, record, id):
    """Delete a record with the menu of its row, the bulk bar or a bulk request.

    Returns the batch that is offered to be undone, or None.
    """
    path = record.path
    if way == "api":
        answer = api.post(f"{path}/bulk", json={"operations": [{"op": "delete", "id": id}]})
        assert answer.json["succeeded"] == 1, answer.text
        batch = api.get(f"batches/{answer.json['batch']}?fields=id,can_be_undone").json
        return batch["id"] if batch["can_be_undone"] else None
    sent = (
        {"action": "delete", "rowid": [id], "confirmed": "1"} if way == "selection" else {"id": id}
    )
    step = "action" if way == "selection" else "delete"
    assert panel.post(f"/admin/{path}/{step}/", data=sent).status_code == 302
    return offered(panel)


def offered(panel):
    """Return the batch that the last message offers to undo."""
    messages = BeautifulSoup(panel.get("/admin/").text, "html.parser").select_one(".messages")
    button = messages.select_one("[name=rowid]")
    return int(button["value"]) if button else None


def is_there(record, id):
    try:
        return read.get_record(record, SYSTEM, id).get("deleted_at") is None
    except NotFound:
        return False


@pytest.mark.parametrize("way", WAYS)
def test_undo_is_offered_if_it_restores_the_record(panel, by_role, deleted, way, in_app_context):
    api, id = by_role("admin"), in_app_context(a_row, deleted)
    question = panel.get(f"/admin/{deleted.path}/delete/?id={id}").text
    batch = delete_by(way, panel, api, deleted, id)
    assert not in_app_context(is_there, deleted, id)
    assert (batch is None) == ("cannot be undone" in question)
    if batch is not None:
        panel.post("/admin/batches/action/", data={"action": "undo", "rowid": batch})
        assert in_app_context(is_there, deleted, id), panel.get("/admin/").text


def references_of(record):
    """Return the references of a record that can be empty or have several values."""
    return [
        one
        for one in record.fields
        if one.target and one.on_update and (one.nullable or one.many) and one.target != "users"
    ]


def with_references(record):
    id = a_row(record)
    targets = {one.name: value_for(one) for one in references_of(record)}
    update(record, SYSTEM, id, targets)
    return id, targets


def delete_targets(record, targets):
    titles = []
    for name, value in targets.items():
        target = record_of(record.field(name).target)
        id = value[0] if isinstance(value, list) else value
        titles.append(str(read.get_record(target, SYSTEM, id)[target.title_field]))
        delete(target, SYSTEM, id, permanent=True)
    return titles


def test_deletion_is_undone_even_if_references_are_gone(panel, by_role, deleted, in_app_context):
    if not (deleted.has_trash and references_of(deleted)):
        return
    id, targets = in_app_context(with_references, deleted)
    batch = delete_by("row", panel, by_role("admin"), deleted, id)
    in_app_context(delete_targets, deleted, targets)
    panel.post("/admin/batches/action/", data={"action": "undo", "rowid": batch})
    assert in_app_context(is_there, deleted, id), panel.get("/admin/").text


def test_unrestorable_records_are_named(panel, by_role, changed, in_app_context):
    if changed.singleton or not changed.history or not references_of(changed):
        return
    api = by_role("admin")
    id, targets = in_app_context(with_references, changed)
    for name, value in targets.items():
        emptied = {name: [] if isinstance(value, list) else None}
        sent = {"operations": [{"op": "update", "id": id, "data": emptied}]}
        batch = api.post(f"{changed.path}/bulk", json=sent).json["batch"]
        [title] = in_app_context(delete_targets, changed, {name: value})
        panel.post("/admin/batches/action/", data={"action": "undo", "rowid": batch})
        page = BeautifulSoup(panel.get("/admin/").text, "html.parser")
        message = page.select_one(".messages").text
        assert f"“{title}” no longer exists" in message, message
        assert "You can restore the rest from its history" in message
        assert panel.get(f"/admin/{changed.path}/history/?id={id}").status_code == 200
