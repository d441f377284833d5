"""Hooks that tell Schemathesis what a list of parameters cannot express: who knows which names, what excludes what."""

import os

import schemathesis

import quire.records  # noqa: F401
from quire.actor import Actor
from quire.declare.query_fields import filter_paths, included_paths, shown_paths, sort_names
from quire.declare.record import REGISTRY
from quire.errors import BadRequest

ADMIN = Actor("admin", 0)
ROLE = os.environ.get("FUZZ_ROLE", "anonymous")
ACTOR = Actor(ROLE, None if ROLE == "anonymous" else 0)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Let responses contain parts of records, since `fields` may ask for them.

    The document describes whole records; all other tests check that none lacks a field.
    """
    schemas = raw_schema["components"]["schemas"]
    for record in REGISTRY.values():
        for name in (record.model.__name__, f"{record.model.__name__}Reference"):
            schemas.get(name, {}).pop("required", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Remove values that are valid in themselves but refused here, if valid data is to be sent.

    A cursor comes from an earlier response, and excludes `page`; `q` is another name of `search`; integers have 64
    bits; names that only administrators may know are unknown to all others.
    """
    if not case.meta or not case.meta.generation.mode.is_positive:
        return
    if isinstance(case.body, dict):
        case.body = _small(case.body)
    if not case.query:
        return
    case.query.pop("cursor", None)
    if "search" in case.query:
        case.query.pop("q", None)
    record = REGISTRY.get(case.path.rstrip("/").split("/")[1 if "{id}" not in case.path else -1])
    record = record or REGISTRY.get(case.path.split("/")[1])
    if record is not None and record.path != "revisions":
        _keep_known(record, case.query)


@schemathesis.hook
def filter_query(context, query):
    """Exclude a list with one empty name: in an address it means an empty list, which is valid."""
    lists = ("fields", "include", "sort")
    return not query or all(query.get(name) not in ("", [""]) for name in lists)


def _small(value):
    """Replace integers beyond 64 bits, which no body may contain even if the schema permits any value."""
    if isinstance(value, dict):
        return {name: _small(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_small(one) for one in value]
    beyond = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > 2**62
    return 1 if beyond else value


def _keep_known(record, query):
    hidden = filter_paths(record, ADMIN).keys() - filter_paths(record, ACTOR).keys()
    for name in [name for name in query if name.partition("__")[0] in hidden]:
        del query[name]
    _keep(query, "sort", lambda name: name.removeprefix("-") in sort_names(record, ACTOR))
    _keep(query, "fields", lambda name: _is_field(record, name))
    if "include" in query:
        sent = (
            query["include"].split(",") if isinstance(query["include"], str) else query["include"]
        )
        query["include"] = ",".join(one for one in sent if _is_relation(record, one))


def _keep(query, name, known):
    if name in query:
        sent = query[name].split(",") if isinstance(query[name], str) else query[name]
        query[name] = ",".join(one for one in sent if known(one)) or "id"


def _is_relation(record, path):
    return _is_taken(lambda: included_paths(record, ACTOR, [path]))


def _is_field(record, name):
    return _is_taken(lambda: shown_paths(record, ACTOR, [name], ()))


def _is_taken(read):
    try:
        read()
    except BadRequest:
        return False
    return True
