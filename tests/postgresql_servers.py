"""PostgreSQL in tests: a primary server and a replica that a test may stop and kill."""

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from tests.running_server import free_port
from tests.waiting import wait_until

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
"""Where its programs are, as Debian and Ubuntu install them; None where they are not."""
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "16MB",
    "max_connections": "50",
    "wal_keep_size": "256MB",
    "hot_standby_feedback": "on",
}


class PostgresServer:
    """A server with its data in `folder`; it does not run as root."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def run(self, program, *words):
        """Run another of its programs and wait for it."""
        command = [str(PROGRAMS / program), *map(str, words)]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **_its_user())

    def start(self):
        """Start, and wait until it responds."""
        options = {**OPTIONS, "port": self.port, "unix_socket_directories": self.folder}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [str(PROGRAMS / "postgres"), "-D", str(self.folder), *words]
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **_its_user())
        wait_until(self._answers)

    def _answers(self):
        with suppress(psycopg.OperationalError):
            return self.query("SELECT 1") == 1
        return False

    def query(self, sql):
        """Return the first value of the first row."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None

    def signal(self, number):
        """Send a signal to all of its processes, if it is running."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                for pid in _descendants(self.process.pid):
                    os.kill(pid, number)

    def stop(self):
        """Stop it immediately."""
        if self.process is not None:
            self.signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)
            self.process = None


@contextmanager
def primary_server():
    """Run an empty server."""
    # not in the folder of a test, which only its user can enter
    with TemporaryDirectory(prefix="quire-postgresql-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, "postgres")
        server = PostgresServer(Path(name) / "primary")
        words = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]
        server.run("initdb", "-D", server.folder, *words)
        with _running(server):
            yield server


@contextmanager
def primary_and_replica():
    """Run such a server and a replica of it."""
    with primary_server() as primary:
        replica = PostgresServer(primary.folder.parent / "replica")
        primary.run("pg_basebackup", "-d", primary.url, "-D", replica.folder, "-R", "-c", "fast")
        with _running(replica):
            yield primary, replica


@contextmanager
def _running(server):
    server.start()
    try:
        yield
    finally:
        server.stop()


def _its_user():
    return {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


def _descendants(pid):
    """Return a process and all processes started by it."""
    output = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True
    ).stdout
    return [pid, *(one for child in output.split() for one in _descendants(int(child)))]
