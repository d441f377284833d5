"""Connections whose clients do not read their responses delay nobody else."""

import contextlib
import io
import json
import select
import socket
import threading
import time

import pytest
from waitress.buffers import TempfileBasedBuffer

from quire.errors import Unavailable
from quire.monitoring import outage_log
from quire.serving import channel as channel_module
from quire.serving import server as server_module
from tests import running_server
from tests.waiting import wait_until

LARGE = b"x" * 400_000
HUGE = 8_000_000
"""Bytes of an answer, more than a system takes for a client that does not read."""
GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def broken(pieces):
    """Yield a stream that ends because the database stops responding."""
    yield from pieces
    raise Unavailable("The database is not responding. Try again.")


def application(environ, start_response):
    """Respond with a large body, an endless or breaking stream, no body, or a word."""
    asked = environ["PATH_INFO"].strip("/")
    if asked.startswith("broken"):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return broken([b"first"] if asked == "broken-later" else [b""])
    if asked == "endless":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter(lambda: LARGE, None)
    if asked == "unchanged":
        start_response("304 Not Modified", [("ETag", '"a"')])
        return []
    body = b"x" * HUGE if asked == "huge" else LARGE if asked == "large" else b"ok"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def running(**options):
    """Run the server with as many threads as a small installation has."""
    return running_server.running(application, **{"threads": 2, **options})


@contextlib.contextmanager
def idle_reader(port, data):
    """Connect a client that sends `data` and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.settimeout(20)
    client.connect(("127.0.0.1", int(port)))
    with client:
        client.sendall(data)
        yield client


def ask(port, path, timeout=3):
    """Return everything that the server sends on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        client.sendall(LAST % path)
        return drain(client)


def drain(client, pause=0.0):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
        time.sleep(pause)
    return b"".join(parts)


@pytest.fixture
def impatient(monkeypatch):
    """A server that gives clients little time to read their responses."""
    monkeypatch.setattr(channel_module, "STALLED_SECONDS", 1.0)
    monkeypatch.setattr(outage_log, "_logged_at", {})


@pytest.mark.parametrize("path", [b"large", b"endless"])
def test_clients_that_do_not_read_occupy_no_thread(path):
    with running(outbuf_high_watermark=20_000_000) as (_, port), contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(idle_reader(port, GET % path * 148))
        time.sleep(0.5)
        assert ask(port, b"word").endswith(b"ok")


@pytest.fixture(params=["poll", "select"])
def waiting(request, monkeypatch):
    """The function with which the server waits for its sockets: `select`, as on Windows, fails if one is closed
    meanwhile."""
    if request.param == "select":
        monkeypatch.delattr(select, "poll")


def test_clients_that_do_not_read_are_disconnected(impatient, caplog, waiting):
    with running() as (server, port):
        for _ in range(2):
            with contextlib.ExitStack() as stack:
                for _ in range(4):
                    stack.enter_context(idle_reader(port, GET % b"large" * 148))
                wait_until(lambda: len(server.active_channels) == 4)
                wait_until(lambda: not server.active_channels)
    # a long attack does not fill the disk with log lines
    assert caplog.text.count("did not read their responses") == 1
    assert "127.0.0.1" in caplog.text


def test_client_that_reads_a_byte_at_a_time_is_disconnected(impatient):
    with running() as (server, port), idle_reader(port, GET % b"large" * 20) as client:
        wait_until(lambda: server.active_channels)
        end = time.monotonic() + 15
        while server.active_channels and time.monotonic() < end:
            client.recv(1)
            time.sleep(0.05)
        assert not server.active_channels


def test_slow_client_that_keeps_reading_gets_everything(impatient):
    with running() as (_, port), idle_reader(port, GET % b"large" * 3 + LAST % b"word") as client:
        answers = drain(client, pause=0.001)
    assert answers.count(b"200 OK") == 4
    assert answers.count(b"x") >= 3 * len(LARGE)
    assert answers.endswith(b"ok")


def test_data_for_a_slow_client_is_on_disk():
    with running() as (server, port), idle_reader(port, GET % b"huge"):
        wait_until(lambda: server.active_channels)
        (channel,) = server.active_channels.values()
        wait_until(lambda: isinstance(channel.outbufs[0].buf, TempfileBasedBuffer))
        assert channel.total_outbufs_len > 0


def test_endless_stream_is_bounded(impatient):
    bound = 2_000_000
    with running(outbuf_high_watermark=bound) as (server, port):
        with idle_reader(port, GET % b"endless"):
            wait_until(lambda: server.task_dispatcher.waiting == 1)
            (channel,) = server.active_channels.values()
            assert bound < channel.buffered_bytes() <= bound + 2 * len(LARGE)
            wait_until(lambda: not server.active_channels)
        wait_until(lambda: server.task_dispatcher.waiting == 0)


def test_read_parts_of_a_stream_are_not_kept():
    pieces, more, taken = 40, [True], threading.Semaphore(1)

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter(lambda: taken.acquire() and more and LARGE, [])

    with (
        running_server.running(application, threads=2) as (server, port),
        socket.create_connection(("127.0.0.1", port), timeout=20) as client,
    ):
        client.sendall(GET % b"")
        for _ in range(pieces):
            received = 0
            while received < len(LARGE):
                received += len(client.recv(65536))
            taken.release()
        (channel,) = server.active_channels.values()
        with channel.outbuf_lock:
            files = (one.buf.getfile() for one in channel.outbufs if one.buf)
            kept = sum(len(file.getbuffer()) for file in files if isinstance(file, io.BytesIO))
        more.clear()
        taken.release()
        assert kept < pieces * len(LARGE) / 2


def test_total_output_of_all_connections_is_bounded(monkeypatch):
    monkeypatch.setattr(server_module, "TOTAL_OUTPUT", 4 * HUGE)
    with running() as (server, port), contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(idle_reader(port, GET % b"huge"))
        wait_until(lambda: len(server.active_channels) == 8)
        wait_until(lambda: 0 < len(server.active_channels) <= 7)


def test_stopping_server_does_not_wait_for_slow_clients(monkeypatch):
    monkeypatch.setattr(server_module, "STOPPING_STALLED_SECONDS", 1.0)
    with running() as (server, port), idle_reader(port, GET % b"large" * 148):
        wait_until(lambda: server.active_channels)
        begun = time.monotonic()
        server.stop()
        wait_until(lambda: not server.active_channels)
        assert time.monotonic() - begun < channel_module.STALLED_SECONDS


def test_response_without_a_body_keeps_the_connection_open():
    with running() as (_, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(GET % b"unchanged" + LAST % b"unchanged")
        first, second, _ = drain(client).split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 304")
    assert b"Connection" not in first
    assert b"Connection: close" in second


def test_stream_that_fails_before_its_first_byte_is_an_error(caplog):
    with running() as (_, port):
        answer = ask(port, b"broken")
        assert ask(port, b"word").endswith(b"ok")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ") and b"Retry-After: " in head
    assert head.count(b"HTTP/1.1") == 1 and json.loads(body)["code"] == "unavailable"
    assert not [one for one in caplog.records if one.exc_info]


def test_stream_that_fails_later_looks_incomplete(caplog):
    with running() as (_, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(GET % b"broken-later")
        answer = drain(client)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"first" in answer
    assert not answer.endswith(b"0\r\n\r\n")
    [line] = [one for one in caplog.records if one.name == "quire.server"]
    assert "The response to /broken-later was cut off: The database is not" in line.getMessage()
    assert line.exc_info is None


def test_loop_is_idle_while_a_thread_sends(monkeypatch):
    send, turns = channel_module.Channel.send, []

    def slow_send(self, *arguments, **keywords):
        if threading.current_thread().name.startswith("waitress"):
            time.sleep(0.2)  # as for the GIL
        return send(self, *arguments, **keywords)

    turn = server_module.Server._poll
    monkeypatch.setattr(channel_module.Channel, "send", slow_send)
    monkeypatch.setattr(
        server_module.Server, "_poll", lambda self, seconds: turns.append(turn(self, seconds))
    )
    with running() as (_, port):
        before = len(turns)
        with socket.create_connection(("127.0.0.1", port), timeout=3) as first:
            first.sendall(GET % b"first")
            assert ask(port, b"second").endswith(b"ok")  # which wakes the loop meanwhile
            assert first.recv(65536).endswith(b"ok")
        assert len(turns) - before < 50


def test_pipelined_requests_are_answered_in_order():
    with running() as (_, port), socket.create_connection(("127.0.0.1", port)) as client:
        sender = threading.Thread(target=client.sendall, args=(GET % b"large" * 5 + LAST % b"w",))
        sender.start()
        answers = drain(client)
        sender.join()
    assert answers.count(b"200 OK") == 6
    assert answers.endswith(b"ok")
