"""Connections whose clients do not take what they asked for: nobody else waits for them."""

import contextlib
import socket
import threading
import time

import pytest
from waitress.buffers import TempfileBasedBuffer

from quire.serving import channel as channel_module
from quire.serving import server as server_module
from tests import running_server

LARGE = b"x" * 400_000
HUGE = b"x" * 8_000_000
"""More than a system takes for a client that does not read."""
GET = b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def application(environ, start_response):
    """Answer with a large body, a stream without end, no body, or a word."""
    asked = environ["PATH_INFO"].strip("/")
    if asked == "endless":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter(lambda: LARGE, None)
    if asked == "unchanged":
        start_response("304 Not Modified", [("ETag", '"a"')])
        return []
    body = {"large": LARGE, "huge": HUGE}.get(asked, b"ok")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def running(**options):
    """The server, with as many threads as a small installation has."""
    return running_server.running(application, **{"threads": 2, **options})


@contextlib.contextmanager
def idle_reader(port, data):
    """A client that sends `data` and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.settimeout(20)
    client.connect(("127.0.0.1", int(port)))
    with client:
        client.sendall(data)
        yield client


def ask(port, path, timeout=3):
    """Everything that the server answers on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        client.sendall(LAST % path)
        return drain(client)


def drain(client, pause=0.0):
    parts = []
    while part := client.recv(65536):
        parts.append(part)
        time.sleep(pause)
    return b"".join(parts)


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


@pytest.fixture
def impatient(monkeypatch):
    """A server that gives clients little time to take what they asked for."""
    monkeypatch.setattr(channel_module, "STALLED_SECONDS", 1.0)


@pytest.mark.parametrize("path", [b"large", b"endless"])
def test_clients_that_do_not_read_hold_no_thread(path):
    with running(outbuf_high_watermark=20_000_000) as (_, port), contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(idle_reader(port, GET % path * 148))
        time.sleep(0.5)
        assert ask(port, b"word").endswith(b"ok")


def test_clients_that_do_not_read_are_closed(impatient, caplog):
    with running() as (server, port), contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(idle_reader(port, GET % b"large" * 148))
        wait_until(lambda: len(server.active_channels) == 4)
        wait_until(lambda: not server.active_channels)
    assert "did not read their responses" in caplog.text
    assert "127.0.0.1" in caplog.text


def test_a_client_that_reads_a_byte_now_and_then_is_closed(impatient):
    with running() as (server, port), idle_reader(port, GET % b"large" * 20) as client:
        wait_until(lambda: server.active_channels)
        end = time.monotonic() + 15
        while server.active_channels and time.monotonic() < end:
            client.recv(1)
            time.sleep(0.05)
        assert not server.active_channels


def test_a_slow_client_that_goes_on_reading_gets_everything(impatient):
    with running() as (_, port), idle_reader(port, GET % b"large" * 3 + LAST % b"word") as client:
        answers = drain(client, pause=0.001)
    assert answers.count(b"200 OK") == 4
    assert answers.count(b"x") >= 3 * len(LARGE)
    assert answers.endswith(b"ok")


def test_what_waits_for_a_slow_client_is_on_disk():
    with running() as (server, port), idle_reader(port, GET % b"huge"):
        wait_until(lambda: server.active_channels)
        (channel,) = server.active_channels.values()
        wait_until(lambda: isinstance(channel.outbufs[0].buf, TempfileBasedBuffer))
        assert channel.total_outbufs_len > 0


def test_a_stream_without_end_stays_within_a_bound(impatient):
    bound = 2_000_000
    with running(outbuf_high_watermark=bound) as (server, port):
        with idle_reader(port, GET % b"endless"):
            wait_until(lambda: server.task_dispatcher.waiting == 1)
            (channel,) = server.active_channels.values()
            assert bound < channel.buffered_bytes() <= bound + 2 * len(LARGE)
            wait_until(lambda: not server.active_channels)
        wait_until(lambda: server.task_dispatcher.waiting == 0)


def test_all_connections_together_keep_a_bounded_output(monkeypatch):
    monkeypatch.setattr(server_module, "TOTAL_OUTPUT", 4 * len(HUGE))
    with running() as (server, port), contextlib.ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(idle_reader(port, GET % b"huge"))
        wait_until(lambda: len(server.active_channels) == 8)
        wait_until(lambda: 0 < len(server.active_channels) <= 7)


def test_a_stopping_server_does_not_wait_for_them(monkeypatch):
    monkeypatch.setattr(server_module, "STOPPING_STALLED_SECONDS", 1.0)
    with running() as (server, port), idle_reader(port, GET % b"large" * 148):
        wait_until(lambda: server.active_channels)
        begun = time.monotonic()
        server.stop()
        wait_until(lambda: not server.active_channels)
        assert time.monotonic() - begun < channel_module.STALLED_SECONDS


def test_an_answer_without_a_body_leaves_the_connection_open():
    with running() as (_, port), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(GET % b"unchanged" + LAST % b"unchanged")
        first, second, _ = drain(client).split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 304")
    assert b"Connection" not in first
    assert b"Connection: close" in second


def test_pipelined_requests_are_answered_in_order():
    with running() as (_, port), socket.create_connection(("127.0.0.1", port)) as client:
        sender = threading.Thread(target=client.sendall, args=(GET % b"large" * 5 + LAST % b"w",))
        sender.start()
        answers = drain(client)
        sender.join()
    assert answers.count(b"200 OK") == 6
    assert answers.endswith(b"ok")
