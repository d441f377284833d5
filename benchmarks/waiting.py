"""What an Idempotency-Key adds to a POST, and 200 waiting readers of /changes to a list, on a running server."""

import argparse
import http.client
import json
import socket
import statistics
import tempfile
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path

from sign_ins import LIST, PASSWORD, server

from quire.serving.sockets import bind

WAITERS, WAIT_SECONDS = 200, 15


def ask(connection, method, path, body=None, **headers):
    """Milliseconds of a request, and the JSON of its successful answer."""
    headers = {"Content-Type": "application/json", **headers}
    begun = time.perf_counter()
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    spent = (time.perf_counter() - begun) * 1000
    assert answer.status in (200, 201), (path, answer.status, text)
    return spent, json.loads(text)


def token(connection):
    """The header that proves who asks."""
    proof = {"email": "ann@example.org", "password": PASSWORD}
    return {
        "Authorization": "Bearer "
        + ask(connection, "POST", "/api/v1/auth/token", proof)[1]["access_token"]
    }


def cost_of_keys(connection, count):
    """The median of a POST without a key and with one, in turns."""
    headers, plain, keyed = token(connection), [], []
    for number in range(2 * count):
        key = {"Idempotency-Key": str(uuid.uuid4())} if number % 2 else {}
        body = {"title": f"Tide table {number}", "body": "Paragraph about the *sea*.\n\n" * 8}
        spent, _ = ask(connection, "POST", "/api/v1/posts", body, **headers, **key)
        (keyed if key else plain).append(spent)
    return statistics.median(plain), statistics.median(keyed)


@contextmanager
def waiters(port, since):
    """Requests that wait for changes as long as the block lasts."""
    path = f"/api/v1/changes?since={since}&wait={WAIT_SECONDS}"
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(WAITERS)]
    for one in sockets:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    time.sleep(2)
    yield
    for one in sockets:
        one.setblocking(False)
        with suppress(BlockingIOError):
            raise AssertionError(f"It did not wait: {one.recv(2000)!r}")
    for one in sockets:  # their places are free when they are answered
        one.setblocking(True)
        assert b" 200 OK" in one.recv(2000)
        one.close()


def cost_of_waiting(connection, port, count):
    """The median of a list without and with readers who wait."""
    since = ask(connection, "GET", "/api/v1/changes")[1]["next"]

    def median():
        return statistics.median(ask(connection, "GET", LIST)[0] for _ in range(count))

    alone = median()
    with waiters(port, since):
        beside = median()
    return alone, beside


def main():
    """Measure both in rounds and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    settings = {"RESPONSE_CACHE_BYTES": "0"}
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), port, settings, "admin"):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        keys = [cost_of_keys(connection, 300) for _ in range(rounds)]
        waits = [cost_of_waiting(connection, port, 300) for _ in range(rounds)]
    for name, pairs in (("POST, with a key", keys), (f"list, beside {WAITERS} who wait", waits)):
        for before, after in pairs:
            print(
                f"{name:30} {before:.2f} ms {after:.2f} ms  +{after - before:.2f}  {after / before:.2f}"
            )


if __name__ == "__main__":
    main()
