"""Re-encodes uploaded images: without metadata, upright, in several sizes.

They are decoded in a separate process with limits (jobs/images/render.py), so a malicious image cannot harm the
server. An image cannot be fetched until that is done.
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
from quire.declare.job_registry import Job, on_event
from quire.errors import NotFound
from quire.records.media import MEDIA, Media
from quire.records.media_files import ADDRESS, stored_name
from quire.store.db import read_connection, transaction
from quire.store.files.local import ORIGINAL, incoming_dir
from quire.store.files.storage import delete_files, file_storage
from quire.store.write import update
from quire.translations.messages import Message

logger = logging.getLogger("quire.media")

DAMAGED, UNFIT = 3, 4
"""Exit statuses of the program for a file that is not an image, and for one that it refuses."""
PROGRAM = Path(__file__).with_name("render.py")
SECONDS = 60
"""The time limit for an image, however busy the machine is."""
JOB = SYSTEM.with_context(proof="job", door="jobs")
MISSING_FILE = Message("The uploaded file is missing. Delete this entry and upload the file again.")
UNREADABLE = Message("The file is damaged and cannot be read as an image.")
ENDED = Message("Processing stopped because it took too much memory or time.")


class ImageRejected(Exception):
    """An image that cannot be processed, with the reason and the `state` that its record gets."""

    def __init__(self, state: str, words: str):
        super().__init__(words)
        self.state = state


@on_event("picture.draw", title="Make smaller versions of an image")
def process_upload(job: Job) -> None:
    """Process a new image."""
    process_media(job.record_id)


def process_media(media_id: int) -> None:
    """Process the image of a media record unless that is done; safe to call repeatedly."""
    name = _find_pending(media_id)
    if name is None:
        return
    with TemporaryDirectory(dir=incoming_dir(), ignore_cleanup_errors=True) as place:
        try:
            values, files = _process_file(name, Path(place))
        except ImageRejected as refusal:
            values, files = {"state": refusal.state, "fault": str(refusal)}, []
    try:
        _update_record(media_id, name, values)
    except NotFound:  # deleted or replaced meanwhile
        delete_files(ORIGINAL + name, *files)
    if values["state"] != "given_up":
        delete_files(ORIGINAL + name)


def _find_pending(media_id: int) -> str | None:
    statement = select(Media.url, Media.sha256).where(
        Media.id == media_id, Media.state == "pending"
    )
    with read_connection() as connection:
        row = connection.execute(statement).first()
    return None if row is None else stored_name(*row)


def _process_file(name: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Process an uploaded file and store the results; return values for the record and the names of the files.

    Raises ImageRejected.
    """
    original = _local_copy(name, folder)
    rendered = _run(original, folder, name.partition(".")[0])
    files = [path for path in folder.iterdir() if path != original]
    for path in files:
        file_storage().put(path.name, path)
    return _values(rendered), [path.name for path in files]


def _local_copy(name: str, folder: Path) -> Path:
    """Return a local copy for the program to read, whatever the storage. Raises ImageRejected if the file is missing."""
    stored_file, path = file_storage().find(ORIGINAL + name), folder / ORIGINAL
    if stored_file is None:
        logger.warning("The picture %s is not there.", name)
        raise ImageRejected("broken", MISSING_FILE)
    with stored_file.open() as file, path.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    return path


def _run(original: Path, folder: Path, stem: str) -> dict[str, Any]:
    """Run the program and return what it says it has written to `folder`. Raises ImageRejected."""
    command = [sys.executable, "-I", str(PROGRAM), str(original), str(folder), stem]
    # without environment variables it cannot reveal any
    environment = {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own program, names that we made
            command, capture_output=True, env=environment, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        logger.warning("The picture %s takes more than %d s; it is given up.", stem, SECONDS)
        raise ImageRejected("given_up", ENDED) from None
    if done.returncode:
        raise _rejection(done, stem)
    return dict(json.loads(done.stdout))


def _rejection(done: subprocess.CompletedProcess[bytes], stem: str) -> ImageRejected:
    last_line = " ".join(done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:])
    logger.warning("The picture %s is not drawn (%d): %s", stem, done.returncode, last_line)
    if done.returncode == UNFIT:
        return ImageRejected("broken", last_line)
    if done.returncode == DAMAGED:
        return ImageRejected("broken", UNREADABLE)
    return ImageRejected("given_up", ENDED)


def _update_record(media_id: int, name: str, values: dict[str, Any]) -> None:
    """Store the outcome in the record. Raises NotFound if the record no longer exists."""
    statement = select(Media.url, Media.sha256, Media.state).where(Media.id == media_id)
    with transaction() as connection:
        row = connection.execute(statement).first()
        if row is None or stored_name(row.url, row.sha256) != name:
            raise NotFound
        if row.state == "pending":  # otherwise another process was faster
            update(MEDIA, JOB, media_id, values)


def _values(rendered: dict[str, Any]) -> dict[str, Any]:
    variants = {
        width: {
            "url": ADDRESS + one["name"],
            "webp": ADDRESS + one["webp"],
            "width": one["width"],
            "height": one["height"],
        }
        for width, one in sorted(rendered["variants"].items(), key=lambda pair: int(pair[0]))
    }
    sizes = {"width": rendered["width"], "height": rendered["height"]}
    return {"variants": variants, "state": "ready", **sizes}
