"""Files that were uploaded, as anybody may fetch them: kept for ever, never run."""

import threading
from pathlib import Path

from flask import Response, send_file
from sqlalchemy import select
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from quire.errors import Missing, Unavailable
from quire.jobs.pictures import process
from quire.records.media import ADDRESS, Media
from quire.site.looks import YEAR
from quire.store.blobs import NAME, ORIGINAL, blobs
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
    """The file; pictures are shown, all else is only ever saved to a disk."""
    suffix = name.rpartition(".")[2]
    if not NAME.fullmatch(name) or suffix not in PICTURES | OTHERS:
        raise Missing
    path = blobs().find(name) or _drawn(name) or _whole(name)
    if path is None:
        raise Missing
    suffix = path.suffix.removeprefix(".")
    try:
        response = send_file(
            path,
            mimetype=(PICTURES | OTHERS)[suffix],
            as_attachment=suffix not in PICTURES,
            download_name=name,
            etag=name,
            max_age=YEAR,
        )
    except RequestedRangeNotSatisfiable:  # RFC 9110, section 15.5.17
        return Response(status=416, headers={"Content-Range": f"bytes */{path.stat().st_size}"})
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def _drawn(name: str) -> Path | None:
    """The file of a picture that has just come: whoever asks first does not wait for the worker."""
    whole = [f"{name[:STEM]}.{suffix}" for suffix in PICTURES]
    waiting = [one for one in whole if blobs().find(ORIGINAL + one)]
    if not waiting:
        return None
    if not _drawing.acquire(blocking=False):
        raise Unavailable("This picture is being made.", headers={"Retry-After": "1"})
    try:
        _draw(waiting[0])
    finally:
        _drawing.release()
    return blobs().find(name)


def _whole(name: str) -> Path | None:
    """The picture itself for a variant that would be larger: so each has all, for who asks blindly."""
    if len(name.partition(".")[0]) == STEM:
        return None
    found = (blobs().find(f"{name[:STEM]}.{suffix}") for suffix in PICTURES)
    return next((path for path in found if path is not None), None)


def _draw(name: str) -> None:
    with reading() as connection:
        wanted = select(Media.id).where(Media.url == ADDRESS + name)
        id = connection.execute(wanted).scalar()
    if id is not None:
        process(id)
