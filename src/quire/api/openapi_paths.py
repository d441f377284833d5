"""Paths of the record types: every operation that door.py binds, described."""

from typing import Any

from quire.actor import ANONYMOUS, Actor
from quire.api import openapi_answers as answers
from quire.api import openapi_parameters as parameters
from quire.api.openapi_schemas import action_name, made_name, ref, word
from quire.declare.record import REGISTRY, Action, Record, record_of
from quire.declare.rules import NOBODY, Rule

Schema = dict[str, Any]
MERGE_PATCH = "application/merge-patch+json"

SIGNED_READ: list[Schema] = [{"bearer": []}, {"key": []}, {"session": []}]
SIGNED_WRITE: list[Schema] = [{"bearer": []}, {"key": []}, {"session": [], "csrf": []}]
OPEN: list[Schema] = [{}, *SIGNED_READ]
OPEN_WRITE: list[Schema] = [{}, *SIGNED_WRITE]


def possible(rule: Rule, actor: Actor) -> bool:
    """Whether a rule may hold for such an actor, whatever stands in the database."""
    return not rule.lasting or rule(actor) is not False


def paths() -> Schema:
    """The paths of every record type."""
    found: Schema = {}
    for record in REGISTRY.values():
        found |= _of_record(record)
    return found


def _of_record(record: Record) -> Schema:
    start = f"/{record.path}"
    found: Schema = {}
    if record.single:
        found[start] = {"get": _get(record), "patch": _write(record, "patch")}
    else:
        found[start] = _list_item(record)
        found[f"{start}/{{id}}"] = _item(record)
    if record.path == "users":
        found["/users/me"] = _me(record)
    if "slug" in record.by_name:
        found[f"{start}/by-slug/{{slug}}"] = {"parameters": _path("slug"), "get": _by_slug(record)}
    for action in record.actions:
        address = f"{start}/{{id}}/{action.name}"
        found[address] = {"parameters": _path("id"), "post": _action(record, action)}
    return found | _below(record)


def _list_item(record: Record) -> Schema:
    item = {"get": _list(record)}
    if record.access.create is not NOBODY:
        item["post"] = _create(record)
    if record.path == "users":
        said = "Where addresses are verified first: the same for every address; the mail tells."
        item["post"]["responses"]["202"] = answers.answer(said, ref("OnItsWay"))
    if record.path == "sessions":
        item["delete"] = _end_others(record)
    return item


def _end_others(record: Record) -> Schema:
    return operation(
        "endOtherSessions", "End all sessions but the one that asks", record.label, SIGNED_WRITE,
        {"204": answers.empty("Done."), **answers.errors(403)},
    )  # fmt: skip


def _item(record: Record) -> Schema:
    item: Schema = {"parameters": _path("id"), "get": _get(record)}
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
        "summary": "Get one's own account",
        "security": SIGNED_READ,
    }
    item["patch"] |= {"operationId": "changeMe", "summary": "Change one's own account"}
    item["get"]["responses"].pop("404", None)
    return item


def _path(*names: str) -> list[Schema]:
    return [parameters.ref(name) for name in names]


def operation(
    id: str, summary: str, tag: str, security: list[Schema], responses: Schema, **more: Any
) -> Schema:
    """An operation; `more` is its parameters, requestBody and description."""
    given = {name: value for name, value in more.items() if value}
    return {
        "operationId": id,
        "summary": summary,
        "tags": [tag],
        "security": security,
        **given,
        "responses": responses,
    }


def _read_operation(
    record: Record, id: str, summary: str, responses: Schema, **more: Any
) -> Schema:
    closed = record.access.read(ANONYMOUS) is False
    all_of_them = {
        **responses,
        "304": answers.fresh(),
        **answers.errors(403, *more.pop("errors", ())),
    }
    return operation(
        id, summary, record.label, SIGNED_READ if closed else OPEN, all_of_them, **more
    )


def either(name: str, suffix: str = "") -> Schema:
    """The whole shape, or what `fields` and `include` make of it."""
    return {"anyOf": [ref(f"{name}{suffix}"), ref(f"{name}Selection{suffix}")]}


def _rows(record: Record) -> Schema:
    schema = either(word(record), "List")
    return {"200": answers.answer("A page of them.", schema, "ETag", "Link", "X-Total-Count")}


def _list(record: Record) -> Schema:
    return _read_operation(
        record, f"list{plural(record)}", f"List {record.label.lower()}", _rows(record),
        parameters=parameters.list_parameters(record), description=record.summary,
    )  # fmt: skip


def plural(record: Record) -> str:
    """`AuditEvents` for audit_events."""
    return record.path.title().replace("_", "")


def _get(record: Record) -> Schema:
    found = {"200": answers.answer(f"The {record.one.lower()}.", either(word(record)), "ETag")}
    return _read_operation(
        record, f"get{word(record)}", f"Get {article(record)}", found,
        parameters=parameters.item_parameters(record), errors=() if record.single else (404,),
    )  # fmt: skip


def article(record: Record) -> str:
    """`a post`, `the settings`."""
    one = record.one.lower()
    if record.single:
        return f"the {record.label.lower()}"
    return f"an {one}" if one[0] in "aeio" else f"a {one}"


def _by_slug(record: Record) -> Schema:
    found = {
        "200": answers.answer(f"The {record.one.lower()}.", either(word(record)), "ETag"),
        "301": answers.answer("It has another slug now.", ref("Moved"), "Location"),
    }
    return _read_operation(
        record, f"get{word(record)}BySlug", f"Get {article(record)} by its slug", found,
        parameters=parameters.item_parameters(record), errors=(404,),
    )  # fmt: skip


def body(schema: Schema, *, required: bool = True, merge: bool = False) -> Schema:
    """A request body; PATCH takes the media type of RFC 7396 too."""
    types = (answers.JSON, MERGE_PATCH) if merge else (answers.JSON,)
    return {"required": required, "content": {mime: {"schema": schema} for mime in types}}


def _create(record: Record) -> Schema:
    name = word(record)
    rule = record.access.create
    made = answers.answer("It has been made.", ref(made_name(record)), "Location", "ETag")
    return operation(
        f"create{name}", f"Create {article(record)}", record.label,
        OPEN_WRITE if possible(rule, ANONYMOUS) else SIGNED_WRITE,
        {"201": made, **answers.errors(403, 409, 413, 415, 422)},
        requestBody=body(ref(f"{name}New")),
    )  # fmt: skip


_CHANGES = {"put": ("replace", "Replace", "Whole"), "patch": ("change", "Change", "Change")}


def _write(record: Record, method: str) -> Schema:
    name = word(record)
    verb, title, form = _CHANGES[method]
    done = answers.answer("As it is now.", ref(name), "ETag")
    missing = () if record.single else (404,)
    return operation(
        f"{verb}{name}", f"{title} {article(record)}", record.label, SIGNED_WRITE,
        {"200": done, **answers.errors(403, *missing, 409, 412, 413, 415, 422, 428)},
        parameters=_path("If-Match"),
        requestBody=body(ref(f"{name}{form}"), merge=method == "patch"),
        description=_SENT_BACK,
    )  # fmt: skip


_SENT_BACK = (
    "Keys that are read only may be sent back as they were read; a value that differs is refused "
    "(`read_only`)."
)


def _delete(record: Record) -> Schema:
    kept = "It goes to the trash unless `permanent` is true." if record.trashes else None
    permanent = ("permanent",) if record.trashes else ()
    return operation(
        f"delete{word(record)}", f"Delete {article(record)}", record.label, SIGNED_WRITE,
        {"204": answers.empty("Done."), **answers.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=_path("If-Match", *permanent), description=kept,
        requestBody=body(ref("Version"), required=False) if record.versioned else None,
    )  # fmt: skip


def _action(record: Record, action: Action) -> Schema:
    name = word(record)
    if action.creates:
        done = {"201": answers.answer("It has been made.", ref(name), "Location", "ETag")}
    else:
        done = {"200": answers.answer("As it is now.", ref(name), "ETag")}
    return operation(
        f"{action.name}{name}", action.summary.removesuffix("."), record.label, SIGNED_WRITE,
        {**done, **answers.errors(403, 404, 409, 412, 413, 415, 422, 428)},
        parameters=_path("If-Match"), **_of_draft(record, action),
        requestBody=body(ref(action_name(record, action)), required=False),
    )  # fmt: skip


def _of_draft(record: Record, action: Action) -> Schema:
    words = (
        "If-Match names the version of the record, or of the draft that goes live; "
        "`version` in the body is always that of the record."
    )
    return {"description": words} if record.drafts and action.takes_draft else {}


def _below(record: Record) -> Schema:
    found: Schema = {}
    if record.versioned and record.history and record.access.update is not NOBODY:
        below = f"/{record.path}/{{id}}/revisions"
        found[below] = {"parameters": _path("id"), "get": _revisions(record)}
        one = {"parameters": _path("id", "version"), "get": _revision(record)}
        found[f"{below}/{{version}}"] = one
    for name in record.nested:
        parent = record_of(record.field(name).target or "")
        item: Schema = {"parameters": _path("id"), "get": _nested_list(record, parent)}
        if record.access.create is not NOBODY:
            item["post"] = _nested_create(record, parent)
        found[f"/{parent.path}/{{id}}/{record.path}"] = item
    return found


def _revisions(record: Record) -> Schema:
    revisions = REGISTRY["revisions"]
    return operation(
        f"list{word(record)}Revisions", f"List the revisions of {article(record)}", record.label,
        SIGNED_READ,
        {**_rows(revisions), "304": answers.fresh(), **answers.errors(403, 404)},
        parameters=parameters.list_parameters(revisions), description="Oldest first.",
    )  # fmt: skip


def _revision(record: Record) -> Schema:
    found = answers.answer("What it held.", ref("Revision"), "ETag")
    return operation(
        f"get{word(record)}Revision", f"Get {article(record)} as it was at a version", record.label,
        SIGNED_READ, {"200": found, "304": answers.fresh(), **answers.errors(403, 404)},
        parameters=_path("If-None-Match"),
    )  # fmt: skip


def _nested_list(record: Record, parent: Record) -> Schema:
    return _read_operation(
        record, f"list{word(parent)}{plural(record)}",
        f"List the {record.label.lower()} of {article(parent)}", _rows(record),
        parameters=parameters.list_parameters(record), errors=(404,),
    )  # fmt: skip


def _nested_create(record: Record, parent: Record) -> Schema:
    made = _create(record)
    made |= {
        "operationId": f"create{word(parent)}{word(record)}",
        "summary": f"Create {article(record)} below {article(parent)}",
        "requestBody": body(ref(f"{word(parent)}{word(record)}New")),
    }
    made["responses"] |= answers.errors(404)
    return made
