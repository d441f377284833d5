"""Bulk requests of every type, for every role: each operation has the result of the single request."""

import pytest

from quire.api.bulk import operation_models
from quire.api.routes import ACTIONS
from tests.every_record.bodies import a_row, body, roles, settable, value_for


def ops_of(record):
    """Return the names of the operations of a type."""
    found = []
    for model in operation_models(record):
        found += model.model_fields["op"].annotation.__args__
    return found


def single(client, record, op, id, data):
    """Return the response to the equivalent single request."""
    if op == "create":
        return client.post(record.path, json=data)
    if op == "update":
        return client.patch(f"{record.path}/{id}", json=data)
    if op == "delete":
        return client.delete(f"{record.path}/{id}")
    return client.post(f"{record.path}/{id}/{op}")


def operation(op, id, data):
    """Return the equivalent operation of a bulk request."""
    if op == "create":
        return {"op": op, "data": data}
    return {"op": op, "id": id, **({"data": data} if op == "update" else {})}


def outcome(row):
    """Return the parts that are compared: the status, and the reason for a failure."""
    return row.get("code"), row.get("message"), row.get("details")


@pytest.mark.parametrize("role", roles())
def test_each_operation_equals_the_single_request(bulk, role, by_role, in_app_context):
    client = by_role(role)
    for op in ops_of(bulk):
        if op == "upsert":
            continue
        ids = [None] * 2 if op == "create" else [in_app_context(a_row, bulk) for _ in range(2)]
        bodies = [_data(in_app_context, bulk, op) for _ in range(2)]
        alone = single(client, bulk, op, ids[0], bodies[0])
        many = client.post(
            f"{bulk.path}/bulk",
            json={"operations": [operation(op, ids[1], bodies[1])], "atomic": False},
        )
        if role == "anonymous":
            assert many.status_code == 401
        elif many.status_code == 403:
            assert alone.status_code == 403
        else:
            row = many.json["results"][0]
            assert row["status"] == alone.status_code, (op, many.text, alone.text)
            if alone.status_code >= 400:
                assert outcome(row) == outcome(alone.json)
            elif alone.status_code != 204 and (bulk.path, op) not in ACTIONS:
                assert row["record"].keys() == alone.json.keys()


def _data(in_app_context, record, op):
    if op == "create":
        return in_app_context(body, record)
    if op != "update":
        return {}
    field = next(f for f in settable(record, new=False) if f.kind.is_text and not f.choices)
    return {field.name: in_app_context(value_for, field)}


def test_operations_can_be_undone(bulk, by_role, in_app_context):
    """A change of a versioned type can be undone."""
    admin = by_role("admin")
    if not bulk.is_versioned or "update" not in ops_of(bulk):
        return
    id = in_app_context(a_row, bulk)
    before = admin.get(f"{bulk.path}/{id}").json
    data = _data(in_app_context, bulk, "update")
    asked = {"operations": [{"op": "update", "id": id, "data": data}]}
    batch = admin.post(f"{bulk.path}/bulk", json=asked).json["batch"]
    assert admin.get(f"{bulk.path}/{id}").json != before
    answer = admin.post(f"batches/{batch}/undo")
    assert answer.json["succeeded"] == 1, answer.text
    after = admin.get(f"{bulk.path}/{id}").json
    differ = {name for name in after if after[name] != before[name]}
    assert differ <= {"version", "updated_at"}
    assert after["version"] == before["version"] + 2
