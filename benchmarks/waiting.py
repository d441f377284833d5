"""Measures the cost of an Idempotency-Key for a POST, and of 200 readers waiting at /changes for a list."""

import argparse
import http.client
import json
import socket
import tempfile
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from sign_ins import LIST, PASSWORD, free_port, server

WAITERS, WAIT_SECONDS = 200, 25


def processor_ms(pid):
    """Return the milliseconds of CPU time of a process and its ended threads (Linux), despite other work of the
    machine."""
    clock = (~pid << 3) | 2  # the clock that clock_getcpuclockid(3) gives a process
    return time.clock_gettime(clock) * 1000


def ask(connection, method, path, body=None, **headers):
    """Return the JSON of a successful response."""
    headers = {"Content-Type": "application/json", **headers}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status in (200, 201), (path, answer.status, text)
    return json.loads(text)


def processor_ms_of(pid, call, count):
    """Return the milliseconds of CPU time for each of `count` calls."""
    before = processor_ms(pid)
    for number in range(count):
        call(number)
    return (processor_ms(pid) - before) / count


def token(connection):
    """Return the header that authenticates the user."""
    proof = {"email": "ann@example.org", "password": PASSWORD}
    return {
        "Authorization": "Bearer "
        + ask(connection, "POST", "/api/v1/auth/token", proof)["access_token"]
    }


def cost_of_keys(connection, pid, count):
    """Return the cost of a POST without and with a key."""
    headers = token(connection)

    def post(number, **more):
        body = {"title": f"Tide table {number}", "body": "Paragraph about the *sea*.\n\n" * 8}
        ask(connection, "POST", "/api/v1/posts", body, **headers, **more)

    plain = processor_ms_of(pid, post, count)
    return plain, processor_ms_of(
        pid, lambda number: post(number, **{"Idempotency-Key": str(uuid.uuid4())}), count
    )


def begin_to_wait(port, since):
    """Return the sockets of requests that wait for changes."""
    path = f"/api/v1/changes?since={since}&wait={WAIT_SECONDS}"
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(WAITERS)]
    for one in sockets:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    time.sleep(5)
    return sockets


@contextmanager
def waiters(port, since):
    """Keep requests waiting for changes for as long as the block lasts."""
    sockets = begin_to_wait(port, since)
    yield
    for one in sockets:
        one.setblocking(False)
        with suppress(BlockingIOError):
            answer = one.recv(2000)
            raise AssertionError(f"Not waiting any more; is the machine busy? {answer!r}")
    for one in sockets:  # their places are free after the responses
        one.setblocking(True)
        assert b" 200 OK" in one.recv(2000)
        one.close()


def cost_of_waiting(connection, pid, port, count):
    """Return the cost of a list without and with waiting readers."""
    since = ask(connection, "GET", "/api/v1/changes")["next"]

    def read(number):
        ask(connection, "GET", LIST)

    processor_ms_of(pid, read, count)
    alone = processor_ms_of(pid, read, count)
    with waiters(port, since):
        idle = processor_ms_of(pid, time.sleep, 3)  # for zero, one and two seconds
        print(f"{WAITERS} who wait, and nothing else: {idle:.1f} ms a second")
        return alone, processor_ms_of(pid, read, count)


def cost_of_telling(connection, pid, port):
    """Return the milliseconds of CPU time from a new post until all waiting readers have been told of it."""
    since = ask(connection, "GET", "/api/v1/changes")["next"]
    sockets, headers = begin_to_wait(port, since), token(connection)

    def tell(number):
        post = {
            "title": "Tide table",
            "body": "Paragraph about the *sea*.\n\n" * 8,
            "published": True,
        }
        ask(connection, "POST", "/api/v1/posts", post, **headers)
        for one in sockets:
            assert b'"upsert"' in one.recv(100_000)
            one.close()

    return processor_ms_of(pid, tell, 1)


def main():
    """Measure both in rounds, in CPU time of the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", help="an empty one of PostgreSQL; otherwise SQLite")
    asked = parser.parse_args()
    rounds, port = asked.rounds, free_port()
    settings = {"RESPONSE_CACHE_BYTES": "0"}
    if asked.database:
        settings["DATABASE_URL"] = asked.database
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder), port, settings, "admin") as pid,
    ):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        keys = [cost_of_keys(connection, pid, 300) for _ in range(rounds)]
        waits = [cost_of_waiting(connection, pid, port, 600) for _ in range(rounds)]
        told = [cost_of_telling(connection, pid, port) for _ in range(rounds)]
    print(f"{WAITERS} who are told of a new post: {sorted(told)} ms")
    for name, pairs in (("POST, with a key", keys), (f"list, beside {WAITERS} who wait", waits)):
        for before, after in pairs:
            print(
                f"{name:30} {before:.2f} ms {after:.2f} ms  +{after - before:.2f}  {after / before:.2f}"
            )


if __name__ == "__main__":
    main()
