"""Uploaded tables on their way into the store: each is its owner's, and lies here a day at most."""

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson
from flask import current_app

from quire.actor import Actor
from quire.declare.record import REGISTRY, Record
from quire.errors import Conflict, Invalid, Missing, detail
from quire.exchange.items import Report, Unusable
from quire.exchange.sheets import KINDS, Table, opened
from quire.exchange.tables import Deed

DAY = 86_400
PATIENCE = 60
"""Seconds after which an import that shows no life is taken for dead."""
PROBLEMS = 200
"""Lines of a report that are kept; all are counted."""
SHOWN_ROWS = 5
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,40}", re.ASCII)


@dataclass(slots=True)
class Task:
    """One uploaded table: whose, into which type, which column is which field, what came of it.

    `state` is new, checked, done or undone; `result` the last report, as `summary`, `counts` and
    `lines`.
    """

    token: str
    owner: int
    path: str
    name: str
    kind: str
    headers: list[str]
    count: int
    warnings: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    state: str = "new"
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> Record:
        """The type that its rows become."""
        return REGISTRY[self.path]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return room() / self.token

    @property
    def table(self) -> Table:
        """The table itself."""
        file = self.folder / f"table.{self.kind}"
        return Table(file, self.kind, self.headers, self.count, self.warnings)

    def preview(self) -> list[list[str]]:
        """The first rows."""
        rows = zip(range(SHOWN_ROWS), self.table.rows(), strict=False)
        return [cells for _, (_, cells) in rows]

    def save(self) -> None:
        """Keep what has changed of it."""
        new = self.folder / "task.new"
        new.write_bytes(orjson.dumps(asdict(self)))
        new.replace(self.folder / "task.json")

    def settle(self, state: str, report: Report) -> None:
        """Note what came of it."""
        lines = [line for line in report.lines if line.words or line.outcome == "skipped"]
        self.state = state
        self.result = {
            "summary": report.summary(),
            "counts": dict(report.counts),
            "lines": [asdict(line) for line in lines[:PROBLEMS]],
            "more": max(len(lines) - PROBLEMS, 0),
        }
        self.save()

    def note(self, deed: Deed) -> None:
        """Remember a change, so that it can be undone."""
        with (self.folder / "deeds.ndjson").open("ab") as file:
            file.write(orjson.dumps(asdict(deed), option=orjson.OPT_APPEND_NEWLINE))

    def deeds(self) -> list[Deed]:
        """All changes, the last one first."""
        file = self.folder / "deeds.ndjson"
        lines = file.read_bytes().splitlines() if file.exists() else []
        return [Deed(**orjson.loads(line)) for line in reversed(lines)]

    def discard(self) -> None:
        """Forget all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def claimed(self) -> Iterator[Path]:
        """Nobody else works on it meanwhile; touch the file to show life. Raises Conflict."""
        mark = self.folder / "running"
        with suppress(FileNotFoundError):
            if time.time() - mark.stat().st_mtime > PATIENCE:
                mark.unlink(missing_ok=True)
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise Conflict("This import is running already.") from None
        try:
            yield mark
        finally:
            mark.unlink(missing_ok=True)


def room() -> Path:
    """The folder of all of them."""
    return Path(current_app.config["QUIRE_INSTANCE"]) / "imports"


def take_in(actor: Actor, record: Record, stream: IO[bytes], name: str) -> Task:
    """Keep an uploaded table. Raises Invalid when it is none."""
    sweep()
    kind = name.rpartition(".")[2].lower()
    kind = kind if kind in KINDS else "csv"
    token = secrets.token_urlsafe(18)
    folder = room() / token
    folder.mkdir(mode=0o700, parents=True)
    try:
        with (folder / f"table.{kind}").open("wb") as file:
            shutil.copyfileobj(stream, file)
        found = opened(folder / f"table.{kind}", kind)
    except Unusable as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Invalid([detail("file", "bad_format", f"The file {error.reason}.")]) from None
    shown = " ".join(re.split(r"[/\\]", name)[-1].split())[-100:]
    owner = actor.user_id or 0
    task = Task(token, owner, record.path, shown, kind, found.headers, found.count, found.warnings)
    task.save()
    return task


def find(actor: Actor, token: str) -> Task:
    """The actor's own task. Raises Missing."""
    file = room() / token / "task.json"
    if not _TOKEN.fullmatch(token) or not file.is_file():
        raise Missing("There is no such import; uploaded tables are kept for a day.")
    task = Task(**orjson.loads(file.read_bytes()))
    if task.owner != actor.user_id:
        raise Missing("There is no such import; uploaded tables are kept for a day.")
    return task


def sweep() -> int:
    """Forget what is older than a day; how many there were."""
    old = [
        folder
        for folder in (room().iterdir() if room().is_dir() else ())
        if time.time() - folder.stat().st_mtime > DAY
    ]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)
