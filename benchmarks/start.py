"""Measures how long `serve.py` takes to its first response, and its memory at that time and after a load."""

import argparse
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from sign_ins import free_port

ROOT = Path(__file__).resolve().parent.parent
PATHS = ("/api/v1/posts", "/api/v1/posts?page=3", "/api/v1/posts/1", "/")
ROUNDS = 300


def ask(port, path):
    """Send one GET; raises OSError while nothing listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, (path, answer.status)


def megabytes(pid):
    """Return the memory of a process; memory shared with others counts in proportion (Linux)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) / 1024


def processor_seconds(pid):
    """Return the CPU time of a process (Linux), which hardly depends on other work of the machine."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def started(settings):
    """Start a server; yield the server, its port and the seconds until its first response."""
    port = free_port()
    command = [sys.executable, str(ROOT / "serve.py"), "--port", str(port), "--threads", "4"]
    begun = time.perf_counter()
    server = subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                ask(port, PATHS[0])
                break
            except ConnectionRefusedError:
                time.sleep(0.005)
        yield server.pid, port, time.perf_counter() - begun
    finally:
        server.terminate()
        server.wait()


def main():
    """Measure several starts and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="SQLite file that convert.py has made; else empty")
    parser.add_argument("--starts", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quire-start-") as folder:
        settings = {"QUIRE_INSTANCE": folder, "QUIRE_ENV": "production"}
        paths = PATHS if asked.database else [path for path in PATHS if not path.endswith("/1")]
        if asked.database:
            settings["DATABASE_URL"] = f"sqlite:///{Path(asked.database).resolve().as_posix()}"
        with started(settings):
            pass  # creates what is missing before a first start
        taken, used, fresh, loaded = [], [], [], []
        for _ in range(asked.starts):
            with started(settings) as (pid, port, seconds):
                taken.append(seconds)
                used.append(processor_seconds(pid))
                fresh.append(megabytes(pid))
                for _ in range(ROUNDS):
                    for path in paths:
                        ask(port, path)
                loaded.append(megabytes(pid))
        print(f"start to the first answer  {statistics.median(taken):.2f} s", end="  ")
        print(f"({min(taken):.2f} to {max(taken):.2f})")
        print(f"processor until then       {statistics.median(used):.2f} s")
        print(f"memory at the start        {statistics.median(fresh):.1f} MB")
        print(f"memory after the load      {statistics.median(loaded):.1f} MB")


if __name__ == "__main__":
    main()
