"""Serves uploaded files to everyone: cached for ever, never executed."""

import threading
from typing import cast

from flask import Response, current_app, request
from sqlalchemy import select
from werkzeug.utils import send_file

from quire.errors import NotFound, Unavailable
from quire.jobs.images.process import process_media
from quire.records.media import Media
from quire.records.media_files import ADDRESS, stored_name
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
CURRENT = "current"
"""The parameter that requests the current file, whatever a browser has cached."""
MINUTE = 60
STEM = 41
"""The length of the part of a name that an image and its variants share."""

_drawing = threading.Lock()


def uploads(name: str) -> Response:
    """A file; images are shown, all others are downloaded under their original name."""
    suffix = name.rpartition(".")[2]
    if not NAME.fullmatch(name) or suffix not in PICTURES | OTHERS:
        raise NotFound
    file, stored = file_storage().find(name), name
    if file is None:
        stored, file = _missing_file(name)
    response = _file_response(file, stored, name)
    response.headers["Content-Security-Policy"] = POLICY
    if response.status_code != 416:
        response.headers["Cache-Control"] = _cache_control(name)
    return response


def _cache_control(name: str) -> str:
    """Variants have a new URL when their content changes; files themselves can be replaced."""
    if CURRENT in request.args:
        return "public, no-cache"
    is_variant = len(name.partition(".")[0]) > STEM
    return f"public, max-age={YEAR}, immutable" if is_variant else f"public, max-age={MINUTE}"


def _file_response(blob: StoredFile, stored: str, name: str) -> Response:
    """The response with the file `stored`, or the requested range of it, at the URL `name`."""
    suffix, environ = stored.rpartition(".")[2], request.environ
    if blob.path is None:  # waitress would read it in the thread that all connections share
        environ = {key: environ[key] for key in environ if key != "wsgi.file_wrapper"}
    sent_file = send_file(
        blob.path or blob.open(),
        environ,
        mimetype=(PICTURES | OTHERS)[suffix],
        as_attachment=suffix not in PICTURES,
        download_name=stored if suffix in PICTURES else _original_name(name, suffix),
        etag=stored,
        conditional=False,
        response_class=current_app.response_class,
    )
    response = cast(Response, sent_file)
    response.content_length = blob.size
    response.make_conditional(environ, accept_ranges=True, complete_length=blob.size)
    if response.status_code == 304 or request.method == "HEAD":
        response.close()  # Werkzeug only closes files that it sends
    return response


def _original_name(name: str, suffix: str) -> str:
    """The original name with the suffix of the actual type: a PDF is not saved as a web page."""
    with read_connection() as connection:
        statement = select(Media.original_name).where(Media.url == ADDRESS + name)
        name_there = str(connection.execute(statement).scalar() or name)
    return name_there if name_there.lower().endswith(f".{suffix}") else f"{name_there}.{suffix}"


def _missing_file(name: str) -> tuple[str, StoredFile]:
    """Return a replacement for a file that does not exist, and its name.

    An image that has just been uploaded is processed now instead of waiting for the worker. A replaced file is
    redirected to its successor. For a variant larger than the image, it is the image itself, so that clients can
    request every size. Raises NotFound, and Unavailable while another image is being processed.
    """
    is_variant = len(name.partition(".")[0]) > STEM
    whole = [f"{name[:STEM]}.{suffix}" for suffix in PICTURES] if is_variant else [name]
    with read_connection() as connection:
        statement = select(Media.id, Media.url, Media.sha256, Media.state)
        row = connection.execute(
            statement.where(Media.url.in_(ADDRESS + one for one in whole))
        ).first()
    if row is None:
        raise NotFound
    if row.state == "pending":
        _process_now(row.id)
    own = stored_name(row.url, row.sha256)
    names = [own[:STEM] + name[STEM:], own] if is_variant else [own]
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
