"""Kills a writing server again and again and looks for anything it had acknowledged and lost.

    python -m tests.faults.kill --cycles 20 [--writers 4] [--database-url URL]

Each cycle starts serve.py, lets writers create posts through the API, kills the process (SIGKILL, on
Windows TerminateProcess) at a random moment, and then reads the database itself: every post that
was answered with 201 must be there, with its revision, audit row, event and search document, and
nothing may be there in part. Ends with status 1 and the first loss when there is one.
"""

import argparse
import http.client
import json
import os
import random
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.running_server import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password to die with"
_OF_POSTS = "SELECT {} FROM {} WHERE type = 'posts' AND record_id IS NOT NULL"
# not EXISTS: tables without an index for it are scanned once for all posts, not for each
HALVES = {
    "a post without its revision": "SELECT count(*) FROM posts WHERE (id, version) NOT IN "
    f"({_OF_POSTS.format('record_id, version', 'revisions')})",
    "a post without its audit row": "SELECT count(*) FROM posts WHERE id NOT IN "
    f"({_OF_POSTS.format('record_id', 'audit_events')})",
    "a post without its event": "SELECT count(*) FROM posts WHERE id NOT IN "
    f"({_OF_POSTS.format('record_id', 'outbox')})",
    "a post without its search document": "SELECT count(*) FROM posts WHERE id NOT IN "
    f"({_OF_POSTS.format('record_id', 'search_documents')})",
    "a revision without its post": "SELECT count(*) FROM revisions WHERE type = 'posts' AND "
    "record_id NOT IN (SELECT id FROM posts)",
}


class Server:
    """One run of serve.py."""

    def __init__(self, environment: dict[str, str]):
        self.port = free_port()
        command = [sys.executable, str(ROOT / "serve.py"), "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for line in self.process.stdout:
            if line.startswith("Quire is ready"):
                return
        raise RuntimeError("the server did not start")

    def ask(self, connection, method, path, body, token=None, key=None):
        """Return status and JSON of one request; `key` is its Idempotency-Key."""
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, f"/api/v1{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def connect(self):
        """Return a new connection."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def kill(self):
        """Kill the process."""
        self.process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self.process.wait()
        self.process.stdout.close()


def write(server: Server, token: str, ledger: list[int]) -> None:
    """Create posts until the server is gone; record each one it acknowledged."""
    connection = server.connect()
    try:
        while True:
            post = {"title": secrets.token_hex(6), "body": "words " * 40, "tags": ["a", "b"]}
            status, data = server.ask(connection, "POST", "/posts", post, token)
            if status == 201:
                ledger.append(data["id"])
    except (OSError, http.client.HTTPException, ValueError):
        connection.close()


def cycle(environment: dict[str, str], writers: int, ledger: list[int]) -> None:
    """Start a server, write to it, and kill it."""
    server = Server(environment)
    connection = server.connect()
    _, pair = server.ask(
        connection, "POST", "/auth/token", {"email": "ann@example.org", "password": PASSWORD}
    )
    connection.close()
    token = pair["access_token"]
    threads = [threading.Thread(target=write, args=(server, token, ledger)) for _ in range(writers)]
    for thread in threads:
        thread.start()
    time.sleep(random.uniform(0.2, 1.2))
    server.kill()
    for thread in threads:
        thread.join()


def losses(database: Path | str, ledger: list[int]) -> list[str]:
    """Return the problems of a SQLite file, or of the PostgreSQL database at a URL, as sentences."""
    with closing(_connect(database)) as db:
        found = {id for (id,) in db.execute("SELECT id FROM posts")}
        wrong = [f"post {id} was acknowledged and is lost" for id in ledger if id not in found]
        wrong += [what for what, query in HALVES.items() if db.execute(query).fetchone()[0]]
        if isinstance(database, str):
            return wrong
        wrong += [str(row) for row in db.execute("PRAGMA foreign_key_check")]
        check = db.execute("PRAGMA integrity_check").fetchone()[0]
    return wrong + ([] if check == "ok" else [check])


def _connect(database: Path | str) -> Any:
    return psycopg.connect(database) if isinstance(database, str) else sqlite3.connect(database)


def environment_of(instance: Path, **settings: str) -> dict[str, str]:
    """Return the environment of an installation in this folder, with one author. Raises SystemExit."""
    environment = dict(os.environ, QUIRE_INSTANCE=str(instance), BCRYPT_LOG_ROUNDS="4")
    environment.pop("DATABASE_URL", None)
    environment |= settings
    made = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "users", "create", "ann", "ann@example.org",
         "--role", "author", "--password-stdin"],
        env=environment, input=f"{PASSWORD}\n", text=True, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        raise SystemExit(made.stderr)
    return environment


def run(cycles: int, writers: int, instance: Path, url: str = "") -> list[int]:
    """Run all cycles, on SQLite unless there is a `url`; return the ids that were acknowledged.

    Raises SystemExit on a loss.
    """
    environment = environment_of(instance, **({"DATABASE_URL": url} if url else {}))
    ledger: list[int] = []
    for number in range(1, cycles + 1):
        cycle(environment, writers, ledger)
        wrong = losses(url or instance / "quire.db", ledger)
        if wrong:
            raise SystemExit(f"cycle {number}: " + "; ".join(wrong[:5]))
    return ledger


def main() -> None:
    """Read the flags, run the cycles, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--database-url", default="", help="an empty database of PostgreSQL")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quire-kill-") as folder:
        ledger = run(options.cycles, options.writers, Path(folder), options.database_url)
    print(f"{options.cycles} cycles, {len(ledger)} posts acknowledged, none lost, none in part.")


if __name__ == "__main__":
    main()
