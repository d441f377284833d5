"""What is said of files in the OpenAPI document: how they are sent, where they are used."""

from typing import Any

from pydantic import BaseModel

from quire.api import openapi_answers as answers
from quire.api import openapi_parameters as parameters
from quire.api.media import MULTIPART, MediaUses
from quire.api.openapi_paths import SIGNED_READ, operation
from quire.api.openapi_schemas import ref
from quire.records import MEDIA
from quire.store.contents import OTHERS, PICTURES

Schema = dict[str, Any]
MODELS: tuple[type[BaseModel], ...] = (MediaUses,)
TYPES = (*(one[0] for one in PICTURES.values()), *(one[1] for one in OTHERS))

_UPLOADED = (
    "As `multipart/form-data` with the part `file`, or the file itself as the body, with its own "
    "media type and its name in `Content-Disposition` or `name`. What a file is, is told by its "
    "content. `bytes` and `sha256` are those of the file as it was sent; pictures are drawn anew, "
    "without metadata, and have their `variants` a moment later. The same bytes again, by the same "
    "user: 200 with what he has already."
)
_DELETED = "What is in use is deleted only with `force=true`; else 409, and `details` say where."


def with_files(paths: Schema) -> Schema:
    """The paths of the record types, with what is different about files."""
    many, one = paths["/media"], paths["/media/{id}"]
    again = answers.answer("This user has uploaded it before.", ref("Media"), "ETag")
    many["post"]["responses"] = {"200": again, **many["post"]["responses"]}
    many["post"] |= {"requestBody": _body(), "parameters": _beside(), "description": _UPLOADED}
    one["delete"]["parameters"].append(
        parameters.parameter("force", "Delete what is in use, too.", {"type": "boolean"})
    )
    one["delete"]["description"] = _DELETED
    return {**paths, "/media/{id}/uses": {"parameters": [parameters.ref("id")], "get": _uses()}}


def _body() -> Schema:
    content: Schema = {MULTIPART: {"schema": ref("MediaNew")}}
    return {"required": True, "content": content | {mime: _file(mime) for mime in TYPES}}


def _file(mime: str) -> Schema:
    return {"schema": {"type": "string", "contentMediaType": mime}}


def _beside() -> list[Schema]:
    text = {"type": "string", "maxLength": 1000}
    return [
        parameters.parameter("name", "What the file is called, where it is the body.", text),
        parameters.parameter("alt", "Its alternative text, where it is the body.", text),
    ]


def _uses() -> Schema:
    found = answers.answer("Where it is used.", ref("MediaUses"))
    return operation(
        "listMediaUses", "List where a file is used", MEDIA.label, SIGNED_READ,
        {"200": found, **answers.errors(403, 404)},
        description="By records that refer to it, and in texts that name its address. `total` "
        "counts places that the asker may not see, too.",
    )  # fmt: skip
