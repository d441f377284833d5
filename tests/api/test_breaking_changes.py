"""No release breaks clients of the previous one without a declared reason."""

import copy
import json
import re
from pathlib import Path

import pytest

from quire.api.openapi.document import document
from tests.api.breaking_changes import breaking_changes

RELEASED = Path(__file__).parent / "released_openapi.json"
"""The document of the last release; with a release docs/openapi.json is copied to it."""
ACCEPTED = {
    r"(include|fields)\[\]: .* removed$": "includes no longer lead back to where they came from",
    r": another pattern$": "the patterns are as strict as the validation was before: invisible characters",
    r"maxItems 50 instead of None$": "as the validation was before",
    r"POST /media body: .* removed$": "files are described as forms; raw ones are still taken",
    r"MediaNew as sent.file: format": "generated clients need it",
    r"MediaNew as sent.focal_point: null": "a form cannot send null",
    r"draw_again": "it is called regenerate_variants",
}
"""What may break before 1.0, with the reason; a release empties it."""


def read_released():
    return json.loads(RELEASED.read_text(encoding="utf-8"))


def test_nothing_breaks_clients_of_the_last_release():
    changes = breaking_changes(read_released(), document())
    refused = [one for one in changes if not any(re.search(known, one) for known in ACCEPTED)]
    assert not refused, "\n".join(refused)
    unused = [known for known in ACCEPTED if not any(re.search(known, one) for one in changes)]
    assert not unused, f"nothing of this kind is left: {unused}"


ITEM = {
    "type": "object", "required": ["id", "note"],
    "properties": {
        "id": {"type": "integer", "maximum": 100},
        "state": {"enum": ["on", "off"]},
        "note": {"anyOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]},
        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
        "text": {"type": ["string", "null"], "maxLength": 10},
    },
}  # fmt: skip
NEW = copy.deepcopy(ITEM)
del NEW["properties"]["items"]  # a reference to Item would make it sent too
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}
SENT = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ItemNew"}}}}
DOCUMENT = {
    "paths": {
        "/items/{id}": {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "get": {
                "parameters": [{"name": "sort", "in": "query", "schema": {"enum": ["a", "b"]}}],
                "responses": {"200": BODY, "404": {}},
            },
            "put": {"requestBody": SENT, "responses": {"200": BODY}},
        }
    },
    "components": {
        "schemas": {
            "Item": ITEM,
            "ItemNew": NEW,
            "Note": {"allOf": [{"properties": {"x": {"type": "string"}}}]},
        },
        "parameters": {"id": {"name": "id", "in": "path", "required": True, "schema": {}}},
    },
}
PATH = "paths./items/{id}"
READ, WRITTEN = "components.schemas.Item", "components.schemas.ItemNew"
ABSENT = object()


def changed(place, value):
    """Return DOCUMENT with a different value at a place; ABSENT removes it."""
    new = copy.deepcopy(DOCUMENT)
    *way, last = place.split(".")
    here = new
    for name in way:
        here = here[int(name) if name.isdigit() and isinstance(here, list) else name]
    if value is ABSENT:
        del here[last]
    else:
        here[last] = value
    return new


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (PATH, ABSENT, "GET /items/{id}: removed"),
        (f"{PATH}.put", ABSENT, "PUT /items/{id}: removed"),
        (f"{PATH}.get.parameters", [], "query parameter sort removed"),
        (f"{PATH}.get.parameters.0.required", True, "query parameter sort is required now"),
        (f"{PATH}.get.parameters.0.schema.enum", ["a"], "query parameter sort: b removed"),
        (f"{PATH}.get.responses.404", ABSENT, "no longer answers 404"),
        (f"{PATH}.get.responses.200.content", {}, "200: application/json removed"),
        (f"{PATH}.put.requestBody.required", True, "a body is required now"),
        (f"{PATH}.put.requestBody.content", {}, "body: application/json removed"),
        (f"{READ}.properties.id", ABSENT, "Item.id: removed"),
        (f"{READ}.properties.id.type", "string", "type string instead of integer"),
        (f"{READ}.properties.text.type", ["integer", "null"], "type integer instead of string"),
        (f"{READ}.properties.text.format", "date", ""),
        (f"{READ}.properties.state.enum", ["on"], "Item.state: off removed"),
        (f"{READ}.properties.state.enum", ["on", "off", "new"], ""),
        (f"{READ}.required", ["note"], "Item.id: may be missing now"),
        (f"{READ}.properties.id.type", ["integer", "null"], "null is possible now"),
        (f"{READ}.properties.note.anyOf", [{"type": "null"}], "a form of it is gone"),
        ("components.schemas.Note.allOf", [{"properties": {}}], "Item.note.x: removed"),
        (f"{READ}.properties.new", {"type": "string"}, ""),
        (f"{WRITTEN}.properties.state", ABSENT, "ItemNew as sent.state: removed"),
        (f"{WRITTEN}.required", ["id", "note", "text"], "text: required now"),
        (f"{WRITTEN}.required", [], ""),
        (f"{WRITTEN}.properties.text.type", "string", "null is refused now"),
        (f"{WRITTEN}.properties.text.maxLength", 9, "maxLength 9 instead of 10"),
        (f"{WRITTEN}.properties.text.maxLength", 11, ""),
        (f"{WRITTEN}.properties.text.pattern", "x", "another pattern"),
        (f"{WRITTEN}.properties.text.enum", ["x"], "only some words are allowed now"),
        (f"{WRITTEN}.properties.text.format", "date", "format date instead of None"),
        (f"{WRITTEN}.properties.id.minimum", 1, "minimum 1 instead of None"),
        (f"{WRITTEN}.properties.id.type", "number", ""),
    ],
)
def test_breaking_changes_are_detected(place, value, sentence):
    found = breaking_changes(DOCUMENT, changed(place, value))
    assert any(sentence in one for one in found) if sentence else found == []
