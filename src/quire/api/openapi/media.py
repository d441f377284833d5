"""The parts of the OpenAPI document about files: uploads, deletion and usage."""

from typing import Any

from pydantic import BaseModel

from quire.api.media import MediaUses
from quire.api.openapi import parameters, response_objects
from quire.api.openapi.operations import AUTHENTICATED_READ, operation
from quire.api.openapi.schemas import ref
from quire.api.request_body import MULTIPART
from quire.records import MEDIA
from quire.records.media_files import REPLACE

Schema = dict[str, Any]
MODELS: tuple[type[BaseModel], ...] = (MediaUses,)

_UPLOADED = (
    "Send `multipart/form-data` with the part `file`, or the file itself as the body, with its media "
    "type and its name in `Content-Disposition` or `name`. The type of a file is detected from its "
    "content. `bytes` and `sha256` describe the file as it was sent. Images are re-encoded without "
    "metadata; their `variants` are available a moment later. If the same user has already uploaded "
    "an identical file, returns 200 with the existing record."
)
_REPLACED = (
    "Send `multipart/form-data` with the part `file`, or the file itself as the body. It must be of "
    "the same type. `id` and `url` stay, so that whatever refers to the file shows the new one; "
    "`sha256` and the addresses of `variants` change. Returns 409 if you have already uploaded this "
    "file as another record."
)
_DELETED = "Returns 409 if the file is in use, with the places in `details`. Use `force=true` to delete it anyway."


def add_schemas(schemas: Schema) -> None:
    """Remove null from the parts of a form, which cannot send it."""
    for name, one in schemas["MediaNew"]["properties"].items():
        forms = [form for form in one.pop("anyOf", ()) if form != {"type": "null"}]
        schemas["MediaNew"]["properties"][name] = {**one, **(forms[0] if forms else {})}


def add_media(paths: Schema) -> Schema:
    """The paths of the record types, with the specifics of files."""
    many, one = paths["/media"], paths["/media/{id}"]
    existing = response_objects.json_response(
        "You have already uploaded this file.", ref("Media"), "ETag"
    )
    many["post"]["responses"] = {"200": existing, **many["post"]["responses"]}
    many["post"] |= {
        "requestBody": _body(),
        "parameters": _multipart_fields(),
        "description": _UPLOADED,
    }
    replacement = paths[f"/media/{{id}}/{REPLACE}"]["post"]
    replacement |= {"requestBody": _replacement_body(), "description": _REPLACED}
    one["delete"]["parameters"].append(
        parameters.parameter("force", "Delete the file even if it is in use.", {"type": "boolean"})
    )
    one["delete"]["description"] = _DELETED
    return {**paths, "/media/{id}/uses": {"parameters": [parameters.ref("id")], "get": _uses()}}


def _body() -> Schema:
    return {"required": True, "content": {MULTIPART: {"schema": ref("MediaNew")}}}


def _replacement_body() -> Schema:
    return {"required": True, "content": {MULTIPART: {"schema": ref("MediaReplaceFileInput")}}}


def _multipart_fields() -> list[Schema]:
    text = {"type": "string", "maxLength": 1000}
    return [
        parameters.parameter("name", "The file name, if the file is the request body.", text),
        parameters.parameter("alt", "The alternative text, if the file is the request body.", text),
    ]


def _uses() -> Schema:
    response = response_objects.json_response(
        "The places where the file is used.", ref("MediaUses")
    )
    return operation(
        "listMediaUses", "List where a file is used", MEDIA.label, AUTHENTICATED_READ,
        {"200": response, **response_objects.errors(403, 404)},
        description="Lists the records that refer to the file, and the texts that contain its URL. "
        "`total` includes places that you cannot see.",
    )  # fmt: skip
