"""A test client that checks every response of the API against the OpenAPI document."""

import json
import re
from functools import cache

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from quire.api.openapi.document import build_document

PREFIX = "/api/v1"
JSON = ("application/json", "application/problem+json")
NEVER_DOCUMENTED = {405}
"""Statuses that no operation has: they are the answer to methods that are none."""


@cache
def document():
    """Return the document as clients read it; the application's own cache is cleared often (`tests/garbage.py`).

    Equal objects are shared, so that each process needs 2.4 MB instead of 7.6.
    """
    objects = {}

    def once(pairs):
        return objects.setdefault(json.dumps(pairs), dict(pairs))

    return json.loads(json.dumps(build_document()), object_pairs_hook=once)


@cache
def registry():
    """Return the registry in which schemas resolve references to each other."""
    resource = Resource.from_contents(document(), DRAFT202012)
    return Registry().with_resource("urn:api", resource)


@cache
def patterns():
    """Return the paths of the document as regular expressions, exact ones first."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path) for path in paths]


def operation(method, path):
    """Return the operation that documents a request, and its path; None if there is none."""
    place = path.removeprefix(PREFIX).rstrip("/") or "/"
    for pattern, template in patterns():
        if pattern.fullmatch(place):
            item = document()["paths"][template]
            return item.get("get" if method == "HEAD" else method.lower()), template
    return None, None


@cache
def validator(pointer):
    """Return a validator of the schema at a JSON pointer."""
    return Draft202012Validator({"$ref": f"urn:api#{pointer}"}, registry=registry())


def pointer_to(template, method, status, mime):
    """Return the pointer to the schema of a response; None if it has no body."""
    keys = ["paths", template, method, "responses", str(status)]
    here = document()
    for key in keys:
        here = here[key]
    if "$ref" in here:
        keys = here["$ref"].removeprefix("#/").split("/")
        here = document()["components"]["responses"][keys[-1]]
    if mime not in here.get("content", {}):
        return None
    return pointer([*keys, "content", mime, "schema"])


def pointer(keys):
    """Return the JSON pointer (RFC 6901) to the value under `keys`."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def check(method, path, response, partial=False):
    """Fail if a response does not match the document; a `partial` one may lack fields."""
    if not path.startswith(PREFIX + "/"):
        return
    assert response.headers["X-Request-Id"]
    assert response.status_code < 500 or response.status_code == 503, response.text
    assert response.status_code not in (204, 304) or not response.mimetype
    assert response.mimetype in JSON or not response.data or path.endswith(("/docs", "/export")), (
        response.mimetype
    )
    found, template = operation(method, path)
    if found is None or response.status_code in NEVER_DOCUMENTED:
        check_error(response)
        return
    assert str(response.status_code) in found["responses"], (
        f"{method} {template} answers {response.status_code}, which is not documented: {response.text}"
    )
    if response.data and response.mimetype in JSON:
        place = pointer_to(
            template,
            "get" if method == "HEAD" else method.lower(),
            response.status_code,
            response.mimetype,
        )
        assert place, f"{method} {template} {response.status_code} has no {response.mimetype}"
        fits(place, json.loads(response.data), f"{method} {path}", partial)


def check_error(response):
    """Fail if the body of an error does not have the documented form."""
    if response.data:
        name = "ProblemError" if response.mimetype.startswith("application/problem") else "Error"
        fits(f"/components/schemas/{name}", json.loads(response.data), "an error")


def fits(place, value, where, partial=False):
    """Fail unless `value` satisfies the schema at the pointer `place`; a `partial` one may lack fields."""
    errors = validator(place).iter_errors(value)
    problems = [
        f"{error.json_path}: {error.message[:300]}"
        for error in errors
        if not (partial and is_missing(error))
    ]
    assert not problems, f"{where} does not fit {place}: {problems[:5]}"


def is_missing(error):
    """Return whether the only error is that fields are missing."""
    if not error.context:
        return error.validator == "required"
    forms = {one.relative_schema_path[0] for one in error.context}
    return any(
        all(is_missing(one) for one in error.context if one.relative_schema_path[0] == form)
        for form in forms
    )


class Client(FlaskClient):
    """Flask's test client; paths without a leading slash are below /api/v1/."""

    account = None
    checked = True

    def open(self, *args, **kwargs):
        if args and isinstance(args[0], str) and not args[0].startswith("/"):
            args = (f"{PREFIX}/{args[0]}", *args[1:])
        kwargs.setdefault("buffered", True)  # closes files that were sent, as servers do
        response = super().open(*args, **kwargs)
        if self.checked:
            names = "fields" in (kwargs.get("json") or ()) or '"fields"' in str(kwargs.get("data"))
            partial = "fields" in response.request.args or names
            check(response.request.method, response.request.path, response, partial)
        return response
