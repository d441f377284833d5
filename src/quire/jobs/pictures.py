"""Pictures are drawn anew after their upload: metadata left behind, the right way up, in sizes.

Decoding happens in a process of its own with limits (jobs/drawing.py): whatever a picture does to
it, the server goes on. Until then nothing of a picture can be fetched.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from quire.actor import SYSTEM
from quire.declare.jobs import Job, handles
from quire.errors import Missing
from quire.records.media import ADDRESS, MEDIA, Media
from quire.store import read
from quire.store.blobs import ORIGINAL, blobs, waiting_room
from quire.store.db import reading, transaction
from quire.store.write import update

logger = logging.getLogger("quire.media")

PROGRAM = Path(__file__).with_name("drawing.py")
SECONDS = 60
"""How long a picture may take, however busy the machine is."""
JOB = SYSTEM.at(proof="job", door="jobs")


@handles("picture.draw")
def draw(job: Job) -> None:
    """Draw the picture that has come."""
    process(job.record_id)


def process(media_id: int) -> None:
    """Draw the picture of a media record, unless that is done; it may be asked for repeatedly."""
    name = _pending(media_id)
    if name is None:
        return
    with TemporaryDirectory(dir=waiting_room(), ignore_cleanup_errors=True) as place:
        folder = Path(place)
        original = _fetched(ORIGINAL + name, folder / ORIGINAL)
        made = None if original is None else _drawn(original, folder, name.partition(".")[0])
        files = [] if made is None else [path for path in folder.iterdir() if path != original]
        for path in files:
            blobs().put(path.name, path)
    try:
        _note(media_id, made)
    except Missing:  # deleted meanwhile
        blobs().delete(*(path.name for path in files))
    blobs().delete(ORIGINAL + name)


def _pending(media_id: int) -> str | None:
    wanted = select(Media.url).where(Media.id == media_id, Media.state == "pending")
    with reading() as connection:
        url = connection.execute(wanted).scalar()
    return None if url is None else str(url).removeprefix(ADDRESS)


def _fetched(name: str, path: Path) -> Path | None:
    """A copy for the program to read, wherever the file lies; None where there is none."""
    found = blobs().find(name)
    if found is None:
        return None
    with found.open() as file, path.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    return path


def _drawn(original: Path, folder: Path, stem: str) -> dict[str, Any] | None:
    """What the program has made in `folder`; None where it could not read the picture."""
    command = [sys.executable, "-I", str(PROGRAM), str(original), str(folder), stem]
    # what it does not know it cannot tell
    known = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own program, names that we made
            command, capture_output=True, env=known, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        logger.warning("The picture %s takes more than %d s; it is given up.", stem, SECONDS)
        return None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        logger.warning("The picture %s cannot be read: %s", stem, " ".join(said))
        return None
    return dict(json.loads(done.stdout))


def _note(media_id: int, made: dict[str, Any] | None) -> None:
    """Say in the record what has come of it. Raises Missing when it is no longer there."""
    with transaction():
        if read.one(MEDIA, JOB, media_id)["state"] == "pending":  # else somebody was faster
            update(MEDIA, JOB, media_id, {"state": "broken"} if made is None else _values(made))


def _values(made: dict[str, Any]) -> dict[str, Any]:
    variants = {
        width: {
            "url": ADDRESS + one["name"],
            "webp": ADDRESS + one["webp"],
            "width": one["width"],
            "height": one["height"],
        }
        for width, one in sorted(made["variants"].items(), key=lambda pair: int(pair[0]))
    }
    sizes = {"width": made["width"], "height": made["height"]}
    return {"variants": variants, "state": "ready", **sizes}
