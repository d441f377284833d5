"""Measures how long readers wait while many users sign in: p99 of GET /api/v1/posts, idle and under load."""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from quire.serving.sockets import bind

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct horse 9"
LIST = "/api/v1/posts"


def free_port():
    """Return a free port of 127.0.0.1."""
    with bind("127.0.0.1", 0) as sock:
        return sock.getsockname()[1]


@contextmanager
def server(instance, port, more, role="member"):
    """Run serve.py on a migrated database with sample content and one account."""
    settings = {
        "QUIRE_INSTANCE": str(instance),
        "QUIRE_ENV": "production",
        "RATELIMIT_ENABLED": "false",
        **more,
    }
    environ = {**os.environ, **settings}

    def manage(*words, given=None):
        command = [sys.executable, str(ROOT / "manage.py"), *words]
        subprocess.run(command, env=environ, input=given, text=True, check=True, stdout=-3)

    account = ("ann", "ann@example.org", "--role", role, "--password-stdin")
    manage("users", "create", *account, given=PASSWORD + "\n")
    manage("seed", "--users", "5", "--posts", "500", "--comments", "500")
    command = [sys.executable, str(ROOT / "serve.py"), "--port", str(port)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert "ready" in process.stdout.readline()
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def read(port, seconds, pause):
    """Return the milliseconds of each GET, one after the other."""
    found, end = [], time.perf_counter() + seconds
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while time.perf_counter() < end:
        begun = time.perf_counter()
        connection.request("GET", LIST)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        found.append((time.perf_counter() - begun) * 1000)
        time.sleep(pause)
    return sorted(found)


def sign_in(port, stop, statuses):
    """Sign in again and again without a pause."""
    body = json.dumps({"email": "ann@example.org", "password": PASSWORD})
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while not stop.is_set():
        connection.request("POST", "/api/v1/auth/token", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] += 1


def storm(port, clients, seconds, pause):
    """Return how long readers wait while `clients` sign in, and the responses to those."""
    stop, statuses = threading.Event(), Counter()
    threads = [
        threading.Thread(target=sign_in, args=(port, stop, statuses)) for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    found = read(port, seconds, pause)
    stop.set()
    for thread in threads:
        thread.join()
    return found, statuses


def share(found, part):
    """Return the value that a fraction `part` of all values are below."""
    return found[min(len(found) - 1, int(len(found) * part))]


def main():
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--pause", type=float, default=0.005, help="between two reads")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    more = dict(one.split("=", 1) for one in options.set)
    with (
        tempfile.TemporaryDirectory(prefix="quire-bench-") as folder,
        server(Path(folder) / "instance", options.port, more),
    ):
        read(options.port, 2, options.pause)
        idle = read(options.port, options.seconds, options.pause)
        busy, statuses = storm(options.port, options.clients, options.seconds, options.pause)
    for name, found in (("idle", idle), (f"{options.clients} sign in", busy)):
        parts = "  ".join(f"p{int(p * 100)} {share(found, p):6.1f}" for p in (0.5, 0.95, 0.99))
        print(f"{name:<12} {parts}  ms ({len(found)} reads)")
    rate = statuses[200] / (options.seconds + 1)
    print(f"ratio of p99 {share(busy, 0.99) / share(idle, 0.99):.1f}, goal under 3")
    print(f"{rate:.1f} sign-ins a second; answers: {dict(statuses)}")


if __name__ == "__main__":
    main()
