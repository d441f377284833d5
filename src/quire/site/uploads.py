"""Serves uploaded files to everybody: cached for ever, never executed."""

import threading
from typing import cast

from flask import Response, current_app, request
from sqlalchemy import select
from werkzeug.utils import send_file

from quire.errors import NotFound, Unavailable
from quire.jobs.images.process import process_media
from quire.records.media import ADDRESS, Media
from quire.site.page import YEAR
from quire.store.db import read_connection
from quire.store.files.local import NAME, StoredFile
from quire.store.files.storage import file_storage

PICTURES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
OTHERS = {
    "pdf": "application/pdf", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac",
    "wav": "audio/wav",
}  # fmt: skip
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
STEM = 41
"""Length of the part of a name that an image and its variants share."""

_drawing = threading.Lock()


def uploads(name: str) -> Response:
    """A file; images are shown, all others are downloaded under their original name."""
    suffix = name.rpartition(".")[2]
    if not NAME.fullmatch(name) or suffix not in PICTURES | OTHERS:
        raise NotFound
    file = file_storage().find(name)
    if file is None:
        name, file = _missing_file(name)
    response = _file_response(file, name)
    response.headers["Content-Security-Policy"] = POLICY
    if response.status_code != 416:
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def _file_response(blob: StoredFile, name: str) -> Response:
    """The response with the file `name`, or the requested range of it."""
    suffix, environ = name.rpartition(".")[2], request.environ
    if blob.path is None:  # waitress would read it in the thread that all connections share
        environ = {key: environ[key] for key in environ if key != "wsgi.file_wrapper"}
    sent_file = send_file(
        blob.path or blob.open(),
        environ,
        mimetype=(PICTURES | OTHERS)[suffix],
        as_attachment=suffix not in PICTURES,
        download_name=name if suffix in PICTURES else _original_name(name, suffix),
        etag=name,
        max_age=YEAR,
        conditional=False,
        response_class=current_app.response_class,
    )
    response = cast(Response, sent_file)
    response.content_length = blob.size
    response.make_conditional(environ, accept_ranges=True, complete_length=blob.size)
    if response.status_code == 304 or request.method == "HEAD":
        response.close()  # Werkzeug closes only what it sends
    return response


def _original_name(name: str, suffix: str) -> str:
    """The original name with the suffix of the actual type: a PDF is not saved as a web page."""
    with read_connection() as connection:
        statement = select(Media.original_name).where(Media.url == ADDRESS + name)
        name_there = str(connection.execute(statement).scalar() or name)
    return name_there if name_there.lower().endswith(f".{suffix}") else f"{name_there}.{suffix}"


def _missing_file(name: str) -> tuple[str, StoredFile]:
    """What stands for a file that is not there, and its name.

    The file of a picture that has just come: whoever asks first does not wait for the worker. The
    picture itself for a variant that would be larger: so each has all, for who asks blindly.
    Raises NotFound, and Unavailable while another picture is made.
    """
    whole = [f"{ADDRESS}{name[:STEM]}.{suffix}" for suffix in PICTURES]
    with read_connection() as connection:
        statement = select(Media.id, Media.url, Media.state).where(Media.url.in_(whole))
        row = connection.execute(statement).first()
    if row is None:
        raise NotFound
    if row.state == "pending":
        _process_now(row.id)
    own = str(row.url).removeprefix(ADDRESS)
    names = [name, own] if len(name.partition(".")[0]) > STEM else [name]
    for one in names:
        if (file := file_storage().find(one)) is not None:
            return one, file
    raise NotFound


def _process_now(id: int) -> None:
    if not _drawing.acquire(blocking=False):
        raise Unavailable(
            "This image is still being processed. Try again in a moment.",
            headers={"Retry-After": "1"},
        )
    try:
        process_media(id)
    finally:
        _drawing.release()
