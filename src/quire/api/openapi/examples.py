"""Examples of request and response bodies, generated from the declarations of their fields."""

from typing import Any

from quire.declare.fields import Field
from quire.declare.record import Record

Schema = dict[str, Any]
_DATE = "2026-03-01"
_TIME = f"{_DATE}T09:30:00Z"

BY_KIND: dict[str, Any] = {
    "id": 7, "title": "Hello, world", "reason": "The receiver answered 500.", "label": "News", "name": "Python", "slug": "hello-world",
    "summary": "A short summary.", "seo_title": "Hello, world", "username": "ann",
    "seo_description": "What this is about, in a sentence.", "email": "ann@example.org",
    "url": "https://example.org/", "urls": ["https://example.org/"], "file_name": "photo.jpg",
    "media_type": "image/jpeg", "path": "/about-us", "target": "/about", "whole": 3, "count": 3,
    "bytes": 48213, "flag": True, "time": _TIME, "day": _DATE, "markdown": "Some *emphasized* text.",
    "html": "<p>Some <em>emphasized</em> text.</p>\n", "password": "correct horse battery",
    "color": "#0b6b5f", "language": "en", "menu": [{"label": "About", "url": "/about"}],
    "names": ["title"], "networks": ["192.0.2.0/24"], "scopes": ["posts:read"],
    "point": {"x": 0.5, "y": 0.25}, "agent": "Firefox on Linux", "word": "update",
    "digest": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
}  # fmt: skip
"""Examples by kind, used if neither the field nor the kind itself declares one."""
_BY_FORMAT: dict[str, Any] = {
    "date-time": _TIME, "date": _DATE, "email": "ann@example.org", "uri": "https://example.org/",
    "binary": "(the bytes of the file)",
}  # fmt: skip
_BY_TYPE: dict[str, Any] = {
    "string": "text", "integer": 1, "number": 0.5, "boolean": True, "null": None,
}  # fmt: skip
_SHOWN_OF_OPTIONAL = 2
"""The number of fields in the example of an object without required fields."""


def field_example(field: Field) -> Any:
    """An example value of `field`; None if only its schema can provide one."""
    own: Any = field.kind.example if field.example is None else field.example
    if own or field.choices or field.target is not None:
        return own or None
    return BY_KIND.get(field.kind.name)


def annotate(record: Record, schema: Schema) -> None:
    """Add the examples and deprecations of fields to the properties of `schema`."""
    for name, one in schema.get("properties", {}).items():
        field = record.field(name)
        example = field_example(field)
        if example is not None:
            one["examples"] = [example]
        if field.deprecated is not None:
            one["deprecated"] = True
            text = f"{one.get('description', '')} {field.deprecated.description}"
            one["description"] = text.strip()


class Examples:
    """Makes examples of bodies for the component schemas of a document."""

    def __init__(self, schemas: dict[str, Schema]):
        self._schemas = schemas

    def example_of(self, schema: Schema) -> Any:
        """A value that fits `schema`."""
        if "$ref" in schema:
            return self.example_of(self._schemas[schema["$ref"].rpartition("/")[2]])
        for key in ("examples", "enum", "anyOf", "oneOf"):
            if key in schema:
                first = schema[key][0]
                return self.example_of(first) if key in ("anyOf", "oneOf") else first
        if "const" in schema:
            return schema["const"]
        if "allOf" in schema:
            return {
                name: one for part in schema["allOf"] for name, one in self.example_of(part).items()
            }
        return self._of_type(schema)

    def _of_type(self, schema: Schema) -> Any:
        declared = schema.get("type", "object")
        kind = declared if isinstance(declared, str) else declared[0]
        if kind == "object":
            properties = schema.get("properties", {})
            return {name: self.example_of(properties[name]) for name in _visible_names(schema)}
        if kind == "array":
            return [self.example_of(schema["items"])] if "items" in schema else []
        if kind == "integer":
            return max(schema.get("minimum", 1), 1)
        return _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE[kind])


def _visible_names(schema: Schema) -> list[str]:
    """The properties to show in an example: the required ones, or the first with examples of their own."""
    properties = schema.get("properties", {})
    if schema.get("required"):
        return [name for name in properties if name in schema["required"]]
    exemplary = [name for name, one in properties.items() if "examples" in one]
    return (exemplary or list(properties))[:_SHOWN_OF_OPTIONAL]


def add_examples(document: Schema) -> None:
    """Give every body an example: a reference if its schema is named, otherwise an inline value."""
    components = document["components"]
    examples, components_examples = (
        Examples(components["schemas"]),
        components.setdefault("examples", {}),
    )
    for content in _bodies(document):
        schema = content["schema"]
        if "example" in content or "examples" in content:
            continue
        if "$ref" not in schema:
            content["example"] = examples.example_of(schema)
            continue
        name = schema["$ref"].rpartition("/")[2]
        components_examples[name] = {"value": examples.example_of(schema)}
        content["examples"] = {name: {"$ref": f"#/components/examples/{name}"}}


def _bodies(document: Schema) -> list[Schema]:
    """Every entry under `content`, of operations and of shared responses."""
    holders = list(document["components"]["responses"].values())
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                holders += [operation.get("requestBody", {}), *operation["responses"].values()]
    return [one for holder in holders for one in holder.get("content", {}).values()]
