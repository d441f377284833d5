"""The server on real sockets: limits, refusals in JSON, and a stop that loses nothing."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from quire.serving import channel as channel_module
from quire.serving import server as server_module
from quire.serving import sockets
from quire.serving import supervisor as fleet_module
from quire.serving.server import Server
from quire.serving.supervisor import Supervisor
from tests import running_server
from tests.waiting import wait_until

DUMMY = Path(__file__).with_name("small_server.py")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")


def application(environ, start_response):
    asked = environ["PATH_INFO"].strip("/")
    time.sleep(0 if "api" in asked else float(asked or 0))
    if environ["QUERY_STRING"] == "fail":
        raise RuntimeError("secret text")
    body = environ["wsgi.input"].read() or b"ok"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def running(**options):
    """Run a small server with low limits."""
    return running_server.running(
        application, **{"threads": 2, "max_request_body_size": 2000, **options}
    )


@pytest.fixture
def port():
    """The port of a running server."""
    with running() as (_, port):
        yield port


def send(port, data, timeout=10):
    """Return everything that a server sends in response to `data` until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        client.sendall(data)
        return drain(client)


def drain(client):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode().lower(), body


GET = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def recording(order, let):
    """Return an application that records the path of each request, and responds after `let` is set."""

    def application(environ, start_response):
        order.append(environ["PATH_INFO"])
        assert let.wait(10)
        start_response("204 No Content", [])
        return []

    return application


@pytest.mark.parametrize(
    ("trusted_proxy", "source", "header"),
    [(None, "127.0.0.2", b""), ("127.0.0.1", "127.0.0.1", b"X-Forwarded-For: 192.0.2.7\r\n")],
)
def test_many_requests_of_one_network_do_not_delay_others(trusted_proxy, source, header):
    order, let = [], threading.Event()
    requests = [("127.0.0.1", b"many", b"")] * 20 + [(source, b"one", header)]
    options = {"threads": 1, "trusted_proxy": trusted_proxy}
    with (
        running_server.running(recording(order, let), **options) as (server, port),
        contextlib.ExitStack() as stack,
    ):
        queue = server.task_dispatcher.queue
        for number, (address, path, more) in enumerate(requests, 1):
            client = socket.create_connection(("127.0.0.1", port), 10, (address, 0))
            request = b"GET /%b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (path, more)
            stack.enter_context(client).sendall(request)
            wait_until(lambda number=number: len(order) + len(queue) == number)
        let.set()
        wait_until(lambda: len(order) == len(requests))
    assert order.index("/one") <= 2


def test_server_header_is_not_sent(port):
    status, head, body = parsed(send(port, GET % b""))
    assert (status, body) == (200, b"ok")
    assert "server:" not in head


BROKEN = {
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n",
    "two hosts in 1.0": b"GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
    "length twice": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "signed length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n12345",
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "bare line feed": b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "version 2": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "version 1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "no version number": b"GET / HTTP/x\r\nHost: a\r\n\r\n",
    "no request line": b"nonsense\r\n\r\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_malformed_framing_is_refused_in_json(port, data):
    status, head, body = parsed(send(port, data))
    error = json.loads(body)
    assert status == 400
    assert "content-type: application/json" in head
    assert f"x-request-id: {error['request_id']}" in head
    assert "x-content-type-options: nosniff" in head
    assert (error["error"], error["code"], error["details"]) == (
        "Bad request",
        "malformed_body",
        [],
    )
    assert error["message"].startswith("Not a valid HTTP request: ")


def test_http_1_0_needs_no_host(port):
    assert parsed(send(port, b"GET / HTTP/1.0\r\n\r\n"))[0] == 200


def test_headers_may_end_in_another_packet(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for part in (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r", b"\n\r", b"\n"):
            client.sendall(part)
            time.sleep(0.05)
        assert parsed(drain(client))[0] == 200


def test_body_with_empty_lines_is_not_a_bare_line_feed(port):
    body = b"\n\n\n\n"
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\n"
    assert parsed(send(port, head + body))[2] == body


def test_too_large_body_gets_json_while_it_is_still_being_sent(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", body=b"x" * 5_000_000)
    answer = connection.getresponse()
    error = json.loads(answer.read())
    assert (answer.status, error["error"], error["code"]) == (413, "Content too large", "too_large")
    connection.close()


def test_larger_bodies_are_accepted_only_for_files():
    with running(max_upload=9000) as (_, port):
        asked = [("/api/v1/media?name=x", 5000), ("/api/v1/media", 9500), ("/api/v1/posts", 5000)]
        heads = [f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n" for path, n in asked]
        ends = b"Connection: close\r\n\r\n"
        answers = [
            parsed(send(port, head.encode() + ends + b"x" * n))
            for head, (_, n) in zip(heads, asked, strict=True)
        ]
    assert [one[0] for one in answers] == [200, 413, 413]
    assert b"larger than 9000 bytes" in answers[1][2]
    assert b"larger than 2000 bytes" in answers[2][2]


def test_too_large_chunked_body(port):
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert parsed(send(port, head + b"fff\r\n" + b"x" * 4095 + b"\r\n0\r\n\r\n"))[0] == 413


def test_too_large_headers(port):
    status, _, body = parsed(send(port, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 300_000))
    assert (status, json.loads(body)["code"]) == (431, "too_large")


def test_failing_application_reveals_no_details(port):
    status, _, body = parsed(send(port, GET % b"?fail"))
    error = json.loads(body)
    assert (status, error["code"]) == (500, "internal_error")
    assert b"secret" not in body


def test_more_idle_connections_than_waitress_allows_by_default(port):
    with contextlib.ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert parsed(send(port, GET % b"", timeout=3))[0] == 200


@pytest.mark.parametrize(
    "data",
    [b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nx"],
    ids=["headers", "body"],
)
def test_incomplete_request_is_aborted(port, data, monkeypatch):
    monkeypatch.setattr(channel_module, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(channel_module, "BODY_SECONDS", 0.5)
    begun = time.monotonic()
    assert send(port, data) == b""
    assert 0.4 < time.monotonic() - begun < 10


def test_refused_client_that_never_stops_is_disconnected(port, monkeypatch):
    monkeypatch.setattr(channel_module, "LINGER_SECONDS", 0.5)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n")
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begun < 8:
                client.sendall(b"x" * 100)
                time.sleep(0.05)


def test_refused_client_that_resets(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\nxxx")
        assert client.recv(12) == b"HTTP/1.1 413"
    assert parsed(send(port, GET % b""))[0] == 200


def test_stop_answers_queued_requests_and_an_open_connection():
    answers = []
    with running() as (server, port):
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        kept.request("GET", "/")
        kept.getresponse().read()
        clients = [
            threading.Thread(target=lambda: answers.append(send(port, GET % b"0.2")))
            for _ in range(8)
        ]
        for client in clients:
            client.start()
        time.sleep(0.3)
        server.stop()
        time.sleep(0.2)
        kept.request("GET", "/")
        last = kept.getresponse()
        assert (last.read(), last.getheader("Connection")) == (b"ok", "close")
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=0.5)
        for client in clients:
            client.join()
    assert [parsed(answer)[2] for answer in answers] == [b"ok"] * 8


def test_stop_answers_pipelined_requests():
    with (
        running() as (server, port),
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        client.sendall(b"GET /0.3 HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        time.sleep(0.1)
        server.stop()
        assert drain(client).count(b"200 OK") == 2


def test_stop_closes_idle_connections_after_a_moment():
    with (
        running() as (server, port),
        socket.create_connection(("127.0.0.1", port), timeout=10) as client,
    ):
        time.sleep(0.1)
        begun = time.monotonic()
        server.stop()
        assert drain(client) == b""
        assert 0.9 < time.monotonic() - begun < 10


@pytest.mark.parametrize("held", [True, False], ids=["held off", "not held off"])
def test_stop_answers_connections_in_the_backlog(monkeypatch, held):
    if not held:
        monkeypatch.setattr(server_module, "drop_new_connections", lambda sock: False)
    sock = sockets.bind("127.0.0.1", 0)
    server = Server(application, sock, threads=1)
    port = sock.getsockname()[1]
    clients = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(5)]
    for client in clients:
        client.sendall(GET % b"")
    server.stop()
    assert server.run() is True
    for client in clients:
        with client:
            assert parsed(drain(client))[2] == b"ok"


@pytest.mark.parametrize(("shares_socket", "accepted"), [(True, 3), (False, 6)])
def test_every_other_turn_is_left_to_processes_sharing_the_socket(shares_socket, accepted):
    sock = sockets.bind("127.0.0.1", 0)
    server = Server(application, sock, shares_socket=shares_socket)
    clients = [socket.create_connection(sock.getsockname(), timeout=10) for _ in range(6)]
    for _ in clients:
        server._poll(0)
    assert len(server.active_channels) == accepted
    for client in clients:
        client.close()
    server.stop()
    assert server.run() is True


def test_stop_gives_up_eventually(monkeypatch):
    monkeypatch.setattr(server_module, "DRAIN_SECONDS", 0.3)
    sock = sockets.bind("127.0.0.1", 0)
    server = Server(application, sock, threads=1)
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(server.run()))
    thread.start()
    with socket.create_connection(sock.getsockname(), timeout=10) as client:
        client.sendall(GET % b"2")
        time.sleep(0.2)
        server.stop()
        thread.join(10)
        assert outcome == [False]
    time.sleep(2)  # The worker ends by itself.


def start(*arguments):
    """Start a server in a process of its own; return it with its port."""
    command = [sys.executable, str(DUMMY), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline() or 0)


@posix
@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_loses_nothing(processes, number):
    """20 requests, most of them queued and some still in the backlog, and a long one."""
    process, port = start(processes)
    answers = []
    paths = [b"2.5", *[b"0.1"] * 20]
    clients = [
        threading.Thread(target=lambda path=path: answers.append(send(port, GET % path)))
        for path in paths
    ]
    for client in clients:
        client.start()
    time.sleep(0.15)
    process.send_signal(number)
    for client in clients:
        client.join()
    errors = process.communicate(timeout=20)[1]
    assert [parsed(answer)[2] for answer in answers] == [b"ok"] * len(paths)
    assert (process.returncode, errors) == (0, "")


def build_small():
    """Return what a process of a fleet serves in these tests."""
    return application, {"threads": 1}, contextlib.nullcontext()


def build_broken():
    """Fail as a broken application does."""
    raise SystemExit(7)


def watched(build, meanwhile, count=2):
    """Run a fleet in this thread, and `meanwhile(fleet, port)` in another one; return its exit status."""
    sock = sockets.bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    fleet = Supervisor(build, sock, count)
    ready = threading.Event()

    def act():
        try:
            ready.wait(30)
            meanwhile(fleet, port)
        finally:
            fleet.stop()

    thread = threading.Thread(target=act)
    thread.start()
    status = fleet.run(ready.set)
    ready.set()
    thread.join()
    return status


def test_supervisor_replaces_dead_processes(caplog):
    def kill_one(fleet, port):
        first = fleet.members[0]
        first.process.kill()
        for _ in range(200):
            if first not in fleet.members and all(member.ready for member in fleet.members):
                break
            time.sleep(0.1)
        seen.append(parsed(send(port, GET % b""))[0])

    seen = []
    assert watched(build_small, kill_one) == 0
    assert seen == [200]
    assert caplog.text.count("starting another one.") == 1


def test_supervisor_ends_if_a_process_cannot_start(caplog):
    assert watched(build_broken, lambda fleet, port: None, 1) == 1
    assert "ended with status 7 before it was ready; stopping." in caplog.text


def test_supervisor_kills_a_hanging_process(monkeypatch):
    monkeypatch.setattr(fleet_module, "DRAIN_SECONDS", -4)

    def hang(fleet, port):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(GET % b"9")
        clients.append(client)
        time.sleep(0.3)

    clients = []
    assert watched(build_small, hang, 1) == 1
    clients[0].close()


def test_taken_port():
    with sockets.bind("127.0.0.1", 0) as sock:
        sock.listen()
        with pytest.raises(OSError):
            sockets.bind("127.0.0.1", sock.getsockname()[1])


def test_address_to_open():
    with sockets.bind("127.0.0.1", 0) as sock:
        number = sock.getsockname()[1]
        assert sockets.url("127.0.0.1", sock) == f"http://127.0.0.1:{number}/"
        assert sockets.url("::1", sock) == f"http://[::1]:{number}/"


def test_systems_without_these_functions(monkeypatch):
    with sockets.bind("127.0.0.1", 0) as sock:
        monkeypatch.setattr(sockets.sys, "platform", "win32")
        assert sockets.drop_new_connections(sock) is False
        monkeypatch.setattr(sockets.sys, "platform", "linux")
        sock.close()
        assert sockets.drop_new_connections(sock) is False
    monkeypatch.setattr(sockets, "resource", None)
    assert sockets.max_connections() < 512
