"""Slow, huge, unreachable, redirecting or lying receivers never block a sender for long."""

import socket
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from quire.jobs.webhooks import http_client
from quire.jobs.webhooks.http_client import post
from tests.jobs.webhooks.conftest import send


@pytest.fixture(autouse=True)
def short_deadline(monkeypatch):
    """Use half a second instead of ten."""
    monkeypatch.setattr(http_client, "SECONDS", 0.5)


@pytest.fixture
def outcome_of(receiver):
    """`outcome_of(answer)`: the outcome of a POST to a receiver that calls `answer(handler)`."""

    def tried(answer):
        receiver.answer = lambda handler, message: answer(handler)
        return post(receiver.url, {}, b"{}", allow_private=True)

    return tried


def drip(handler, piece, seconds=30):
    """Send a piece again and again until the client disconnects."""
    end = time.monotonic() + seconds
    with suppress(OSError):
        while time.monotonic() < end:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(0.02)


def test_only_2xx_statuses_are_success(outcome_of):
    assert outcome_of(lambda handler: send(handler, 204)).error is None
    outcome = outcome_of(lambda handler: send(handler, 202, b"taken"))
    assert (outcome.status, outcome.error) == (202, None)
    assert outcome_of(lambda handler: send(handler, 500)).error == "The receiver answered 500."


def test_redirect_is_not_followed(outcome_of, receiver):
    outcome = outcome_of(lambda handler: send(handler, 302, Location=f"{receiver.url}/elsewhere"))
    assert outcome.error == "The receiver answered 302. Redirects are not followed."
    assert len(receiver.messages) == 1


def test_silent_receiver_ends_at_the_deadline(outcome_of):
    outcome = outcome_of(lambda handler: time.sleep(1))
    assert outcome.status is None and "no complete answer within" in outcome.error
    assert 500 <= outcome.milliseconds < 10_000


def test_slow_body_ends_at_the_deadline(outcome_of):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        drip(handler, b"x")

    assert "no complete answer within" in outcome_of(answer).error


def test_slow_headers_end_at_the_deadline(outcome_of):
    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        drip(handler, b"X-More: x\r\n")

    assert "no complete answer within" in outcome_of(answer).error


def test_only_the_beginning_of_an_endless_body_is_read(outcome_of, monkeypatch):
    monkeypatch.setattr(http_client, "SECONDS", 20.0)

    def answer(handler):
        handler.send_response(200)
        handler.end_headers()
        drip(handler, b"x" * 65_536)

    outcome = outcome_of(answer)
    assert (outcome.status, outcome.error) == (200, None)


def test_endless_headers_are_invalid_http(outcome_of, monkeypatch):
    monkeypatch.setattr(http_client, "SECONDS", 20.0)

    def answer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        drip(handler, b"X-More: " + b"x" * 60_000 + b"\r\n")

    assert "not valid HTTP" in outcome_of(answer).error


def test_wrong_content_length_is_an_error(outcome_of):
    outcome = outcome_of(lambda handler: send(handler, 200, b"short", **{"Content-Length": 500}))
    assert outcome.error is not None
    assert (
        "not valid HTTP"
        in outcome_of(lambda handler: handler.wfile.write(b"nonsense\r\n\r\n")).error
    )


def test_unreachable_receiver_is_an_error():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        outcome = post(f"http://127.0.0.1:{port}/", {}, b"", allow_private=True)
    assert outcome.error.startswith("No connection: ")
    outcome = post("http://nowhere.invalid/", {}, b"", allow_private=True)
    assert outcome.status is None and outcome.error


def test_private_networks_are_refused_when_sending(receiver):
    for host in ("127.0.0.1", "localhost", "127.1", "[::1]", "[::ffff:127.0.0.1]"):
        port = receiver.server.server_port
        outcome = post(f"http://{host}:{port}/", {}, b"", allow_private=False)
        assert "leads to a private network" in outcome.error, host
    assert receiver.messages == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]"])
def test_cloud_metadata_address_is_refused_before_connecting(host, monkeypatch):
    connections = []
    monkeypatch.setattr(
        httpcore.SyncBackend, "connect_tcp", lambda *given, **more: connections.append(given)
    )
    for allow_private in (True, False):
        outcome = post(f"http://{host}/latest", {}, b"", allow_private=allow_private)
        assert "link-local or cloud metadata address" in outcome.error
    assert connections == []


def test_connection_uses_the_checked_address(receiver, monkeypatch):
    """There is no second lookup, which could return another address."""
    looked_up = []
    known = socket.getaddrinfo

    def look(host, *given, **more):
        looked_up.append(host)
        return known("127.0.0.1" if host == "rebinding.example" else host, *given, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look)
    url = f"http://rebinding.example:{receiver.server.server_port}/"
    assert post(url, {}, b"", allow_private=True).status == 204
    assert looked_up.count("rebinding.example") == 1
    assert receiver.messages[0].headers["Host"].startswith("rebinding.example:")


def test_proxies_in_the_environment_are_ignored(receiver, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert post(receiver.url, {}, b"", allow_private=True).status == 204


def test_tls_certificate_is_verified(tls_receiver):
    outcome = post(tls_receiver.replace("http:", "https:"), {}, b"", allow_private=True)
    assert outcome.status is None and "certificate" in outcome.error.lower()


def self_signed(folder):
    """Return a file with a key and a self-signed certificate for localhost."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    moment = datetime.now(UTC)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), 1, moment, moment + timedelta(1)
    )
    path = folder / "receiver.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.sign(key, SHA256()).public_bytes(Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_receiver(receiver, tmp_path):
    """The receiver with a self-signed certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
    return receiver.url


def test_names_and_paths_with_umlauts_are_sent_in_ascii(receiver):
    assert post(f"{receiver.url}/größe?q=ä#x", {}, b"", allow_private=True).status == 204
    assert receiver.messages[0].path == "/hook/gr%C3%B6%C3%9Fe?q=%C3%A4"
