"""The OpenAPI document as a single HTML page without scripts, searchable in the browser."""

import re
from collections.abc import Iterator
from typing import Any

from flask import render_template
from markupsafe import Markup, escape

from quire.api.openapi.parameters import FILTER_VALUES

Schema = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")


def html_page(document: Schema) -> str:
    """The page as HTML."""
    reader = SchemaReader(document)
    return render_template(
        "quire_api/docs.html",
        info=document["info"],
        base=document["servers"][0]["url"],
        sections=[reader.section(tag) for tag in document["tags"]],
        schemas=[reader.schema(name) for name in sorted(document["components"]["schemas"])],
        errors=[reader.error(name) for name in document["components"]["responses"]],
        security=document["components"]["securitySchemes"],
        coded=code_markup,
    )


def code_markup(text: str) -> Markup:
    """A sentence with the parts between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


class SchemaReader:
    """Reads the document for the page: follows references and describes schemas in words."""

    def __init__(self, document: Schema):
        self._document = document

    def _resolve(self, value: Schema) -> Schema:
        """The component that a reference points to; any other value unchanged."""
        if "$ref" not in value:
            return value
        _, _, kind, name = value["$ref"].split("/")
        component: Schema = self._document["components"][kind][name]
        return component

    def section(self, tag: dict[str, str]) -> Schema:
        """The operations of a tag."""
        return {
            **tag,
            "id": tag["name"].lower().replace(" ", "-"),
            "operations": list(self._operations_of(tag)),
        }

    def _operations_of(self, tag: dict[str, str]) -> Iterator[Schema]:
        for path, item in self._document["paths"].items():
            for method in METHODS:
                if method in item and tag["name"] in item[method]["tags"]:
                    yield self._operation(path, method, item)

    def _operation(self, path: str, method: str, item: Schema) -> Schema:
        operation = item[method]
        listed = [*item.get("parameters", []), *operation.get("parameters", [])]
        components = [self._resolve(one) for one in listed]
        return {
            **operation,
            "path": path,
            "method": method.upper(),
            "who": self._who(operation["security"]),
            "plain": [self._parameter(one) for one in components if not _is_filter(one)],
            "filters": list(_filters([one for one in components if _is_filter(one)])),
            "body": self._body(operation),
            "answers": [self._answer(s, one) for s, one in operation["responses"].items()],
        }

    def _who(self, security: list[Schema]) -> str:
        return "anyone" if not security else "signed in"

    def _parameter(self, one: Schema) -> Schema:
        return {**one, "type": type_words(one["schema"]), "choices": _choices(one["schema"])}

    def _body(self, operation: Schema) -> list[Schema]:
        content = operation.get("requestBody", {}).get("content", {})
        return [
            {"mime": mime, "schema": type_words(one["schema"])} for mime, one in content.items()
        ]

    def _answer(self, status: str, response: Schema) -> Schema:
        component = self._resolve(response)
        kinds = [type_words(one["schema"]) for one in component.get("content", {}).values()]
        return {"status": status, "description": component["description"], "schema": kinds[:1]}

    def schema(self, name: str) -> Schema:
        """A component schema as rows of a table."""
        schema = self._document["components"]["schemas"][name]
        needed = set(schema.get("required", []))
        rows = [
            {
                "name": key,
                "type": type_words(one),
                "needed": key in needed,
                "rules": ", ".join(_constraints(one)),
                "description": one.get("description", ""),
            }
            for key, one in schema.get("properties", {}).items()
        ]
        return {"name": name, "description": schema.get("description", ""), "rows": rows}

    def error(self, name: str) -> Schema:
        """An error response: its status and when it is given."""
        return {
            "name": name,
            "description": self._document["components"]["responses"][name]["description"],
        }


def _is_filter(parameter: Schema) -> bool:
    return any(ending in parameter.get("description", "") for ending in FILTER_VALUES)


def _filters(parameters: list[Schema]) -> Iterator[Schema]:
    """One row for each path: its type and the operators it takes."""
    paths: dict[str, Schema] = {}
    for one in parameters:
        path, _, operator = one["name"].partition("__")
        row = paths.setdefault(path, {"path": path, "operators": []})
        row["operators"].append(operator or "eq")
        if not operator:
            row |= {"type": type_words(one["schema"]), "choices": _choices(one["schema"])}
            row["admin"] = "Administrators" in one["description"]
    yield from paths.values()


def _choices(schema: Schema) -> list[str]:
    return [str(one) for one in schema.get("enum", schema.get("items", {}).get("enum", []))]


def type_words(schema: Schema) -> list[Schema]:
    """A type in words: parts with `text`, and a `link` if the part is a named schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return [{"text": name, "link": f"schema-{name}"}]
    for key in ("anyOf", "allOf"):
        if key in schema:
            return _join_types(schema[key])
    if schema.get("format") == "binary":
        return [{"text": "file"}]
    if schema.get("type") == "array":
        return [{"text": "list of "}, *type_words(schema.get("items", {}))]
    if "enum" in schema:
        return (
            [{"text": "enum"}] if len(schema["enum"]) > 1 else [{"text": repr(schema["enum"][0])}]
        )
    return [{"text": schema.get("format") or schema.get("type", "anything")}]


def _join_types(schemas: list[Schema]) -> list[Schema]:
    parts: list[Schema] = []
    for one in schemas:
        if one.keys() != {"required"}:
            parts += [{"text": " or "}] * bool(parts) + type_words(one)
    return parts


def _constraints(schema: Schema) -> Iterator[str]:
    """The other constraints on a value, in words."""
    names = {"minLength": "at least {} characters", "maxLength": "at most {} characters",
             "minimum": "from {}", "maximum": "to {}", "maxItems": "at most {}"}  # fmt: skip
    for name, text in names.items():
        if schema.get(name) and abs(schema[name]) < 2**31 - 1:
            yield text.format(f"{schema[name]:,}")
    if "enum" in schema:
        yield ", ".join(map(str, schema["enum"]))
