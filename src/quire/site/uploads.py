"""Files that were uploaded, as anybody may fetch them: kept for ever, never run."""

import threading
from typing import cast

from flask import Response, request
from sqlalchemy import select
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.utils import send_file

from quire.errors import Missing, Unavailable
from quire.jobs.pictures import process
from quire.records.media import ADDRESS, Media
from quire.site.looks import YEAR
from quire.store.blobs import NAME, Blob, blobs
from quire.store.db import reading

PICTURES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
OTHERS = {
    "pdf": "application/pdf", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac",
    "wav": "audio/wav",
}  # fmt: skip
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
STEM = 41
"""Characters of a name that a picture and its variants share."""

_drawing = threading.Lock()


def uploads(name: str) -> Response:
    """The file; pictures are shown, all else is only ever saved to a disk, under its own name."""
    suffix = name.rpartition(".")[2]
    if not NAME.fullmatch(name) or suffix not in PICTURES | OTHERS:
        raise Missing
    found = blobs().find(name)
    if found is None:
        name, found = _made(name)
    response = _sent(found, name)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def _sent(blob: Blob, name: str) -> Response:
    """The answer with the file `name`, or the part of it that was asked for."""
    suffix, environ = name.rpartition(".")[2], request.environ
    if blob.path is None:  # waitress would read it in the thread that all connections share
        environ = {key: environ[key] for key in environ if key != "wsgi.file_wrapper"}
    made = send_file(
        blob.path or blob.open(),
        environ,
        mimetype=(PICTURES | OTHERS)[suffix],
        as_attachment=suffix not in PICTURES,
        download_name=name if suffix in PICTURES else _original_name(name, suffix),
        etag=name,
        max_age=YEAR,
        conditional=False,
        response_class=Response,
    )
    response = cast(Response, made)
    response.content_length = blob.size
    try:
        response.make_conditional(environ, accept_ranges=True, complete_length=blob.size)
    except RequestedRangeNotSatisfiable:  # RFC 9110, section 15.5.17
        response.close()
        return Response(status=416, headers={"Content-Range": f"bytes */{blob.size}"})
    if response.status_code == 304 or request.method == "HEAD":
        response.close()  # Werkzeug closes only what it sends
    return response


def _original_name(name: str, suffix: str) -> str:
    """What its owner called it, with the ending of what it is: a PDF is not saved as a page."""
    with reading() as connection:
        wanted = select(Media.original_name).where(Media.url == ADDRESS + name)
        given = str(connection.execute(wanted).scalar() or name)
    return given if given.lower().endswith(f".{suffix}") else f"{given}.{suffix}"


def _made(name: str) -> tuple[str, Blob]:
    """What stands for a file that is not there, and its name.

    The file of a picture that has just come: whoever asks first does not wait for the worker. The
    picture itself for a variant that would be larger: so each has all, for who asks blindly.
    Raises Missing, and Unavailable while another picture is made.
    """
    whole = [f"{ADDRESS}{name[:STEM]}.{suffix}" for suffix in PICTURES]
    with reading() as connection:
        wanted = select(Media.id, Media.url, Media.state).where(Media.url.in_(whole))
        row = connection.execute(wanted).first()
    if row is None:
        raise Missing
    if row.state == "pending":
        _draw(row.id)
    own = str(row.url).removeprefix(ADDRESS)
    names = [name, own] if len(name.partition(".")[0]) > STEM else [name]
    for one in names:
        if (found := blobs().find(one)) is not None:
            return one, found
    raise Missing


def _draw(id: int) -> None:
    if not _drawing.acquire(blocking=False):
        raise Unavailable("This picture is being made.", headers={"Retry-After": "1"})
    try:
        process(id)
    finally:
        _drawing.release()
