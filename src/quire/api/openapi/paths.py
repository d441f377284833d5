"""Paths of the record types: one operation for each route that `api/routes.py` adds."""

from typing import Any

from quire.actor import ANONYMOUS, Actor
from quire.api.openapi import parameters, response_objects
from quire.api.openapi.operations import (
    AUTHENTICATED_READ,
    AUTHENTICATED_WRITE,
    PUBLIC,
    Schema,
    article,
    body,
    operation,
    path_parameters,
    plural,
)
from quire.api.openapi.schemas import action_name, created_name, ref, singular_name
from quire.declare.action import Action
from quire.declare.record import REGISTRY, Record, record_of
from quire.declare.rules import NOBODY, Rule


def can_hold(rule: Rule, actor: Actor) -> bool:
    """Whether a rule can hold for `actor`, perhaps depending on the database."""
    return not rule.cacheable or rule(actor) is not False


def paths() -> Schema:
    """The paths of every record type."""
    paths: Schema = {}
    for record in REGISTRY.values():
        paths |= _record_paths(record)
    return paths


def _record_paths(record: Record) -> Schema:
    start = f"/{record.path}"
    paths: Schema = {}
    if record.singleton:
        paths[start] = {"get": _get(record), "patch": _write(record, "patch")}
    else:
        paths[start] = _list_item(record)
        paths[f"{start}/{{id}}"] = _item(record)
    if record.path == "users":
        paths["/users/me"] = _me(record)
    if "slug" in record.fields_by_name:
        paths[f"{start}/by-slug/{{slug}}"] = {
            "parameters": path_parameters("slug"),
            "get": _by_slug(record),
        }
    for action in record.actions:
        address = f"{start}/{{id}}/{action.name}"
        paths[address] = {"parameters": path_parameters("id"), "post": _action(record, action)}
    return paths | _nested_paths(record)


_VERIFICATION = "Sent if email addresses must be verified; the same response for all addresses."


def _list_item(record: Record) -> Schema:
    item = {"get": _list(record)}
    if record.access.create is not NOBODY:
        item["post"] = _create(record)
    if record.path == "users":
        pending = response_objects.json_response(_VERIFICATION, ref("RegistrationPending"))
        item["post"]["responses"]["202"] = pending
    if record.path == "sessions":
        item["delete"] = _end_others(record)
    return item


def _end_others(record: Record) -> Schema:
    return operation(
        "endOtherSessions", "Sign out all other sessions", record.label, AUTHENTICATED_WRITE,
        {"204": response_objects.no_content("All other sessions have ended."), **response_objects.errors(403)},
        description="Ends every session of your account but the one that sends this request.",
    )  # fmt: skip


def _item(record: Record) -> Schema:
    item: Schema = {"parameters": path_parameters("id"), "get": _get(record)}
    if record.access.update is not NOBODY:
        item["put"] = _write(record, "put")
        item["patch"] = _write(record, "patch")
    if record.access.delete is not NOBODY:
        item["delete"] = _delete(record)
    return item


def _me(record: Record) -> Schema:
    item = {"get": _get(record), "patch": _write(record, "patch")}
    item["get"] |= {
        "operationId": "getMe",
        "summary": "Get your own account",
        "description": "Includes what only you and administrators can see.",
        "security": AUTHENTICATED_READ,
    }
    item["patch"] |= {"operationId": "changeMe", "summary": "Change your own account"}
    item["get"]["responses"].pop("404", None)
    return item


def read_operation(
    record: Record, id: str, summary: str, responses: Schema, *, description: str, **more: Any
) -> Schema:
    """The operation `id` that reads records; `errors` are the statuses beyond the usual ones."""
    closed = record.access.read(ANONYMOUS) is False
    all_of_them = {
        **responses,
        "304": response_objects.not_modified(),
        **response_objects.errors(403, *more.pop("errors", ())),
    }
    return operation(
        id,
        summary,
        record.label,
        AUTHENTICATED_READ if closed else PUBLIC,
        all_of_them,
        description=description,
        **more,
    )


def list_rows(record: Record) -> Schema:
    """The response of a list."""
    schema = ref(f"{singular_name(record)}List")
    cursor = ["X-Changes-Cursor"] if record.is_versioned else []
    headers = ("ETag", "Link", "X-Total-Count", *cursor)
    return {
        "200": response_objects.json_response(f"A page of {record.plural_noun}.", schema, *headers)
    }


_LISTED = (
    "Returns the records that you can see, page by page; filters with different names must all match. With "
    "`fields`, only a part of each object is returned."
)
_READ = "Returns all fields that you can see; with `fields`, only a part of the object."


def _list(record: Record) -> Schema:
    return read_operation(
        record, f"list{plural(record)}", f"List {record.plural_noun}", list_rows(record),
        parameters=parameters.list_parameters(record), description=f"{record.summary} {_LISTED}",
    )  # fmt: skip


def _get(record: Record) -> Schema:
    operations = {
        "200": response_objects.json_response(
            f"The {record.plural_noun if record.singleton else record.noun}.",
            ref(singular_name(record)),
            "ETag",
        )
    }
    return read_operation(
        record, f"get{singular_name(record)}", f"Get {article(record)}", operations,
        description=f"{record.summary} {_READ}",
        parameters=parameters.item_parameters(record), errors=() if record.singleton else (404,),
    )  # fmt: skip


def _by_slug(record: Record) -> Schema:
    operations = {
        "200": response_objects.json_response(
            f"The {record.plural_noun if record.singleton else record.noun}.",
            ref(singular_name(record)),
            "ETag",
        ),
        "301": response_objects.json_response(
            "The slug has changed; `location` is the new URL.", ref("Moved"), "Location"
        ),
    }
    return read_operation(
        record, f"get{singular_name(record)}BySlug", f"Get {article(record)} by its slug", operations,
        description=f"{_READ} A former slug returns 301.",
        parameters=parameters.item_parameters(record), errors=(404,),
    )  # fmt: skip


def _create(record: Record) -> Schema:
    name = singular_name(record)
    rule = record.access.create
    created = response_objects.json_response(
        _CREATED.format(record.noun), ref(created_name(record)), "Location", "ETag"
    )
    return operation(
        f"create{name}", f"Create {article(record)}", record.label,
        PUBLIC if can_hold(rule, ANONYMOUS) else AUTHENTICATED_WRITE,
        {"201": created, **response_objects.errors(403, 409, 413, 415, 422)},
        requestBody=body(ref(f"{name}New")),
        description=f"{record.summary} Fields that are left out have their defaults.",
    )  # fmt: skip


_CREATED = "The {} has been created."
_CHANGES = {"put": ("replace", "Replace", "Replace"), "patch": ("change", "Change", "Change")}


def _write(record: Record, method: str) -> Schema:
    name = singular_name(record)
    verb, title, form = _CHANGES[method]
    done = response_objects.json_response("The record after the change.", ref(name), "ETag")
    missing = () if record.singleton else (404,)
    return operation(
        f"{verb}{name}", f"{title} {article(record)}", record.label, AUTHENTICATED_WRITE,
        {"200": done, **response_objects.errors(403, *missing, 409, 412, 413, 415, 422, 428)},
        parameters=path_parameters("If-Match"),
        requestBody=body(ref(f"{name}{form}"), merge=method == "patch"),
        description=_SENT_BACK,
    )  # fmt: skip


_SENT_BACK = "Read-only fields may be sent back unchanged; other values are rejected (`read_only`)."


_PERMANENT_DELETION = (
    "Deletes it permanently. With If-Match, or `version` in the body, only if it has not changed."
)


def _delete(record: Record) -> Schema:
    trash = f"Moves the {record.noun} to the trash, unless `permanent` is true."
    permanent = ("permanent",) if record.has_trash else ()
    return operation(
        f"delete{singular_name(record)}", f"Delete {article(record)}", record.label, AUTHENTICATED_WRITE,
        {"204": response_objects.no_content(f"The {record.noun} has been deleted."), **response_objects.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=path_parameters("If-Match", *permanent), description=trash if record.has_trash else _PERMANENT_DELETION,
        requestBody=body(ref("Version"), required=False) if record.is_versioned else None,
    )  # fmt: skip


def _action(record: Record, action: Action) -> Schema:
    name = singular_name(record)
    if action.creates:
        done = {
            "201": response_objects.json_response(
                _CREATED.format(record.noun), ref(name), "Location", "ETag"
            )
        }
    else:
        schema_name = created_name(record) if action.reveals else name
        done = {
            "200": response_objects.json_response(
                "The record after the action.", ref(schema_name), "ETag"
            )
        }
    return operation(
        f"{_camel_case(action.name)}{name}", action.summary.removesuffix("."), record.label, AUTHENTICATED_WRITE,
        {**done, **response_objects.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=path_parameters("If-Match"), description=_action_text(record, action),
        requestBody=body(ref(action_name(record, action)), required=False),
    )  # fmt: skip


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _action_text(record: Record, action: Action) -> str:
    if record.drafts and action.takes_draft:
        return (
            "If-Match refers to the record, or to the draft that is published; `version` in the "
            "body always refers to the record."
        )
    return f"{action.summary.removesuffix('.')}. Returns 409 if the state of the record does not allow it."


def _nested_paths(record: Record) -> Schema:
    paths: Schema = {}
    for name in record.nested_under:
        parent = record_of(record.field(name).target or "")
        item: Schema = {"parameters": path_parameters("id"), "get": _nested_list(record, parent)}
        if record.access.create is not NOBODY:
            item["post"] = _nested_create(record, parent)
        paths[f"/{parent.path}/{{id}}/{record.path}"] = item
    return paths


def _nested_list(record: Record, parent: Record) -> Schema:
    return read_operation(
        record, f"list{singular_name(parent)}{plural(record)}",
        f"List the {record.plural_noun} of {article(parent)}", list_rows(record), description=_LISTED,
        parameters=parameters.list_parameters(record), errors=(404,),
    )  # fmt: skip


def _nested_create(record: Record, parent: Record) -> Schema:
    nested = _create(record)
    nested |= {
        "operationId": f"create{singular_name(parent)}{singular_name(record)}",
        "summary": f"Create {article(record)} on {article(parent)}",
        "requestBody": body(ref(f"{singular_name(parent)}{singular_name(record)}New")),
    }
    nested["responses"] |= response_objects.errors(404)
    return nested
