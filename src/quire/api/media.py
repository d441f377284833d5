"""Media by the API: files come as multipart or as they are; uses; deletion of what is in use."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, request
from flask_restful import Resource
from pydantic import BaseModel
from werkzeug.http import parse_options_header

from quire.access.request import current_actor
from quire.api import respond
from quire.api.front_door import only, strict_json
from quire.api.resources import RecordItem, RecordList
from quire.declare.uploads import Upload
from quire.errors import Invalid, WrongMediaType, detail
from quire.records import MEDIA
from quire.records.media import upload
from quire.store import write
from quire.store.db import reading
from quire.store.intake import received
from quire.store.rows import find
from quire.store.uses import uses_of

MULTIPART = "multipart/form-data"
NO_FILES = (
    "",
    "application/json",
    "application/merge-patch+json",
    "application/x-www-form-urlencoded",
)
"""Types of bodies that are no file but a mistake."""


class MediaUse(BaseModel):
    """A place where a file is used; `url` is its page on the site."""

    type: str
    id: int
    field: str
    title: str
    url: str | None


class MediaUses(BaseModel):
    """Where a file is used: what the asker may see, and how many places there are in all."""

    uses: list[MediaUse]
    total: int


class Uploads(RecordList):
    """GET a page of media, POST a file."""

    methods = {"GET", "POST"}

    def post(self) -> Response:
        """201 with the new one, 200 with the one that its owner made of the same bytes before."""
        actor = current_actor()
        write.pass_door(self.record.access.create, actor)
        with _sent() as (file, raw):
            if file is None:
                return self.saved(actor, write.create(self.record, actor, raw))
            return self.saved(actor, upload(actor, file, raw))


@contextmanager
def _sent() -> Iterator[tuple[Upload | None, dict[str, Any]]]:
    """The file of this request, None where none came, and what came beside it."""
    only("alt", "name")
    if request.mimetype == MULTIPART:
        file = request.files.get("file")
        raw = _beside()
        if file is None:
            yield None, raw
            return
        with received(file.stream, _name(file.filename)) as kept:
            yield kept, raw
    elif request.mimetype in NO_FILES:
        raise WrongMediaType(f"Send {MULTIPART} with the part file, or a file with its own type.")
    else:
        with received(request.stream, _name("")) as kept:
            yield kept, _asked()


def _beside() -> dict[str, Any]:
    """The fields of a multipart body; those that are no text are JSON (OpenAPI 3.1)."""
    others = [name for name in request.files if name != "file"]
    if others or len(request.files.getlist("file")) > 1:
        name = (others or ["file"])[0]
        raise Invalid([detail(name, "unknown", "One file at a time, as the part file.")])
    raw: dict[str, Any] = _asked() | request.form.to_dict()
    raw.pop("csrf_token", None)
    if "focal_point" in raw:
        raw["focal_point"] = strict_json(raw["focal_point"].encode())
    return raw


def _asked() -> dict[str, Any]:
    return {"alt": request.args["alt"]} if "alt" in request.args else {}


def _name(given: str | None) -> str:
    sent = parse_options_header(request.headers.get("Content-Disposition", ""))[1]
    return request.args.get("name") or given or sent.get("filename") or ""


class Item(RecordItem):
    """GET, PUT, PATCH, DELETE one."""

    @property
    def for_good(self) -> str:
        """What is in use goes only with it."""
        return "force"


class Uses(Resource):
    """GET where a file is used."""

    def get(self, id: int) -> Response:
        """For whoever may change it."""
        actor = current_actor()
        write.pass_door(MEDIA.access.update, actor)
        only()
        with reading() as connection:
            state = find(connection, MEDIA, actor, id, MEDIA.access.update).state
        seen, count = uses_of(actor, state)
        return respond.answer({"uses": seen, "total": count})
