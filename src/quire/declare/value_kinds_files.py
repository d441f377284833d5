"""Kinds for files: the upload itself, a point in an image, its variants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from sqlalchemy import JSON
from sqlalchemy.orm import mapped_column
from typing_extensions import TypedDict

from quire.declare.value_kinds import Kind


class Variant(TypedDict):
    """A smaller version of an image, in its own format and as WebP; sizes in pixels."""

    url: str
    webp: str
    width: int
    height: int


@dataclass(frozen=True)
class ProcessedImage:
    """The result of processing an image: `variants` as in output, their `files` by name.

    `original_bytes` is the size of the uploaded file.
    """

    original_bytes: int
    variants: dict[str, Variant]
    files: dict[str, Path]


@dataclass(frozen=True)
class Upload:
    """A file received with a request that belongs to no record yet.

    `name` is the sender's name for it, `path` where it is stored for now, `size` its bytes. With `processed` it
    comes from an archive, and is served as it is; with `address` it is served under that name, which may have had
    other content before.
    """

    name: str
    path: Path
    size: int
    sha256: str
    processed: ProcessedImage | None = None
    address: str = ""


def _require_upload(value: Any) -> Upload:
    if not isinstance(value, Upload):
        raise PydanticCustomError("wrong_type", "must be a file.")
    return value


def _point(value: Any) -> dict[str, float]:
    """`{"x": 0.5, "y": 0.25}`: fractions of width and height, from the upper left corner."""
    has_coordinates = isinstance(value, dict) and value.keys() == {"x", "y"}
    if not has_coordinates or any(type(part) not in (int, float) for part in value.values()):
        raise PydanticCustomError("wrong_type", "must be an object with the numbers x and y.")
    if not all(0 <= part <= 1 for part in value.values()):
        raise PydanticCustomError("bad_format", "must have x and y from 0 to 1.")
    return {name: round(float(part), 4) for name, part in value.items()}


_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
_POINT_SCHEMA = {
    "type": "object",
    "required": ["x", "y"],
    "additionalProperties": False,
    "properties": {"x": _FRACTION, "y": _FRACTION},
    "description": "Fractions of the width and height, measured from the top left corner.",
}

# https://spec.openapis.org/oas/v3.1.0#considerations-for-file-uploads omits `format`, but client
# generators recognize a file by it
ANY_FILE = Annotated[
    Any,
    BeforeValidator(_require_upload),
    WithJsonSchema({"type": "string", "format": "binary"}),
]
"""The annotation of an upload; more validators may follow it."""

POINT = Kind(
    "point", Annotated[Any, BeforeValidator(_point), WithJsonSchema(_POINT_SCHEMA)], "point"
)
VARIANTS = Kind("variants", dict[str, Variant], "json")

Point = Annotated[dict[str, float], mapped_column(JSON(none_as_null=True), info={"kind": POINT})]
Variants = Annotated[dict[str, Variant], mapped_column(JSON(), info={"kind": VARIANTS})]
