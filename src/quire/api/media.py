"""Media in the API: uploads as multipart or raw bodies, usage, and deletion of files in use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, request
from pydantic import BaseModel
from werkzeug.http import parse_options_header

from quire.api import responses
from quire.api.query_parameters import allow_params, single_param
from quire.api.request_body import MULTIPART, strict_json
from quire.api.resources import RecordAction, RecordItem, RecordList, RecordResource
from quire.declare.value_kinds_files import Upload
from quire.errors import UnsupportedMediaType, ValidationFailed, detail
from quire.records import MEDIA
from quire.records.media import upload
from quire.records.media_replacement import replace_file
from quire.store import write
from quire.store.changes.rows import load_for_update
from quire.store.db import read_connection
from quire.store.file_usage import find_usage
from quire.store.files.receive import receive

NO_FILES = (
    "",
    "application/json",
    "application/merge-patch+json",
    "application/x-www-form-urlencoded",
)
"""Media types of bodies that are not a file but a mistake."""


class MediaUse(BaseModel):
    """A place where a file is used; `url` is its page on the site."""

    type: str
    id: int
    field: str
    title: str
    url: str | None


class MediaUses(BaseModel):
    """The places where a file is used that you can see, and the total number of places."""

    uses: list[MediaUse]
    total: int


class MediaList(RecordList):
    """GET a page of media, POST a file."""

    methods = {"GET", "POST"}

    def post(self) -> Response:
        """201 with the new record, or 200 with the existing one if the owner has uploaded the same bytes before."""
        with _sent_file() as (file, raw):
            if file is None:
                return self.saved_response(write.create(self.record, self.actor, raw))
            return self.saved_response(upload(self.actor, file, raw))


@contextmanager
def _sent_file() -> Iterator[tuple[Upload | None, dict[str, Any]]]:
    """The uploaded file, or None, and the fields sent with it."""
    allow_params("alt", "name")
    if request.mimetype == MULTIPART:
        file = request.files.get("file")
        raw = _form_fields()
        if file is None:
            yield None, raw
            return
        with receive(file.stream, _name(file.filename)) as received:
            yield received, raw
    elif request.mimetype in NO_FILES:
        raise UnsupportedMediaType(
            f"Send {MULTIPART} with a part named file, or the file itself as the body."
        )
    else:
        with receive(request.stream, _name("")) as received:
            yield received, _requested_fields()


def _form_fields() -> dict[str, Any]:
    """The fields of a multipart body; those that are not text are JSON (OpenAPI 3.1)."""
    others = [name for name in request.files if name != "file"]
    if others or len(request.files.getlist("file")) > 1:
        name = (others or ["file"])[0]
        raise ValidationFailed(
            [detail(name, "unknown", "Send one file at a time, in a part named file.")]
        )
    raw: dict[str, Any] = _requested_fields() | request.form.to_dict()
    raw.pop("csrf_token", None)
    if "focal_point" in raw:
        raw["focal_point"] = strict_json(raw["focal_point"].encode())
    return raw


def _requested_fields() -> dict[str, Any]:
    alt = single_param("alt")
    return {} if alt is None else {"alt": alt}


def _name(file_name: str | None) -> str:
    options = parse_options_header(request.headers.get("Content-Disposition", ""))[1]
    return single_param("name") or file_name or options.get("filename") or ""


class MediaReplacement(RecordAction):
    """POST a file that replaces the file of a record."""

    def post(self, id: int) -> Response:
        """The record with its new file; id and address stay the same."""
        with read_connection() as connection:
            load_for_update(connection, MEDIA, self.actor, id, self.rule)
        version = self.based_on(id, {})
        if request.mimetype in NO_FILES:
            raise ValidationFailed([detail("file", "required", "File is required.")])
        with _sent_file() as (file, raw):
            others = [detail(name, "unknown", "Send the file alone.") for name in raw]
            if file is None or others:
                missing = [detail("file", "required", "File is required.")]
                raise ValidationFailed(others or missing)
            return self.saved_response(replace_file(self.actor, id, file, version))


class MediaItem(RecordItem):
    """GET, PUT, PATCH, DELETE a file."""

    @property
    def permanent(self) -> str:
        """The parameter that is required to delete a file in use."""
        return "force"


class MediaUsage(RecordResource):
    """GET the places where a file is used, for actors who may change the file."""

    record = MEDIA
    verb = "update"

    def get(self, id: int) -> Response:
        """The places that the actor may see, and the total number of places."""
        allow_params()
        with read_connection() as connection:
            state = load_for_update(connection, MEDIA, self.actor, id, self.rule).state
        uses, count = find_usage(MEDIA, self.actor, state)
        return responses.json_response({"uses": uses, "total": count})
