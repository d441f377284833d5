"""serve.py: the first start, later ones, flags, refusals, and many simultaneous starts."""

import contextlib
import gc
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from quire.auth import first_admin
from quire.cli import main
from quire.config import docs, settings
from quire.serving import main as serving_main
from quire.serving import supervisor
from tests.own_signals import restored_handlers, terminated_after
from tests.running_server import free_port

SERVE = Path(__file__).parents[2] / "serve.py"
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")


@pytest.fixture(autouse=True)
def instance(tmp_path, monkeypatch):
    """The path of an instance folder that does not exist yet; signal handlers are restored afterwards."""
    for name in [*docs.names(), "FLASK_DEBUG"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", None)
    monkeypatch.setenv("QUIRE_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("BCRYPT_LOG_ROUNDS", "4")
    monkeypatch.setattr(
        gc, "freeze", lambda: None
    )  # each application would be kept until the run ends
    with restored_handlers():
        yield tmp_path / "instance"


def get(address, body=None):
    """Return status and JSON of a response; wait until the server listens."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    for _ in range(600):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError(f"nobody answers at {address}")


def serve(capsys, *flags, using=lambda address: None):
    """Start in this process, use the server from another thread, and stop it; return (status, output, errors)."""
    port = free_port()

    def use():
        address = f"http://127.0.0.1:{port}"
        get(f"{address}/api/v1/settings")
        using(address)

    with terminated_after(use):
        ended = run("--port", str(port), *flags)
    return (ended, *capsys.readouterr())


def run(*flags):
    """Return the exit status of a start with these flags."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["serve.py", *flags])
        with pytest.raises(SystemExit) as ended:
            serving_main.main()
    return ended.value.code


@posix
def test_first_and_second_start(capsys, instance):
    seen = []

    def use(address):
        seen.append(get(f"{address}/api/v1/posts")[1]["posts"])
        seen.append(get(f"{address}/api/v1/auth/token", {"email": "x" * 1_200_000})[0])
        seen.append(get(f"{address}/api/v1/auth/token", {"email": "x" * 1_050_000})[0])

    status, output, _ = serve(capsys, using=use)
    assert (status, seen) == (0, [[], 413, 413])
    ready, link = output.splitlines()
    assert re.fullmatch(r"Quire is ready at http://127\.0\.0\.1:\d+/", ready)
    token = re.search(r"http://127\.0\.0\.1:\d+/auth/setup/([\w-]{40,})$", link)[1]
    assert {"quire.db", "secret_key", "setup_token"} <= {path.name for path in instance.iterdir()}
    with main.application().app_context():
        assert first_admin.is_valid(token)
        assert not first_admin.is_valid(token + "x")
    assert token not in (instance / "setup_token").read_text(encoding="ascii")

    second = serve(capsys, "--threads", "2")[1]
    with main.application().app_context():
        assert not first_admin.is_valid(token)
    assert "/auth/setup/" in second


@posix
@pytest.mark.parametrize("flags", [[], ["--processes", "2"]])
def test_mail_is_sent_beside_the_server(capsys, instance, flags):
    def register(address):
        account = {"username": "eve", "email": "eve@example.org", "password": "correct horse 9"}
        assert get(f"{address}/api/v1/users", account)[0] == 201
        for _ in range(200):
            found.extend((path, address) for path in instance.glob("outbox/*.eml"))
            if found:
                return
            time.sleep(0.05)

    found = []
    assert serve(capsys, *flags, using=register)[0] == 0
    path, address = found[0]
    assert f"{address}/auth/verify/" in path.read_text(encoding="utf-8")


@posix
def test_demo_content_is_added_once(capsys, instance):
    def sign_in(address):
        word = password[0] if password else "?"
        seen.append(
            get(f"{address}/api/v1/auth/token", {"email": "admin@example.org", "password": word})[0]
        )
        seen.append(get(f"{address}/api/v1/posts")[1]["total"] > 10)

    seen, password = [], []
    status, output, _ = serve(capsys, "--demo", using=sign_in)
    assert status == 0
    assert "/auth/setup/" not in output
    password.append(re.search(r"with the password (\S+) ", output)[1])
    status, output, _ = serve(capsys, "--demo", using=sign_in)
    assert output.splitlines()[1:] == [
        "No sample content added: there is an administrator already."
    ]
    assert seen == [401, True, 200, True]
    assert not (instance / "setup_token").exists()


@posix
def test_several_processes(capsys, monkeypatch):
    ready = threading.Event()
    monkeypatch.setattr(serving_main.click, "echo", lambda words: (print(words), ready.set()))
    status, output, errors = serve(capsys, "--processes", "2", using=lambda _: ready.wait(30))
    assert (status, errors) == (0, "")
    assert output.startswith("Quire is ready at ")


@posix
def test_processes_stopped_before_they_are_ready(capsys):
    status, _, errors = serve(capsys, "--processes", "2")
    assert (status, errors) == (0, "")


@pytest.mark.parametrize(
    ("flags", "environment", "words"),
    [
        (["--host", "0.0.0.0"], {}, "Set PUBLIC_URL and TRUSTED_HOSTS to serve on 0.0.0.0"),
        ([], {"SECRET_KEY": "changeme"}, "SECRET_KEY is too short"),
        ([], {"QUIRE_ENV": "testing"}, "QUIRE_ENV=testing is for tests only"),
        ([], {"TRUSTED_PROXY": "*"}, "TRUSTED_PROXY: must be the IP address"),
        ([], {"TRUSTED_HOSTS": "*"}, "TRUSTED_HOSTS: must be host names"),
        (
            [],
            {"PUBLIC_URL": "https://a.org/blog"},
            "PUBLIC_URL: must look like https://example.org;",
        ),
        ([], {"FLASK_DEBUG": "1"}, "Debug mode is only for `flask --app quire run --debug`"),
        ([], {"QUIRE_INSTANCE": "/dev/null/x"}, "The instance folder /dev/null/x cannot be made"),
        (
            [],
            {"DATABASE_URL": f"sqlite:///{__file__}"},
            "The database cannot be opened: file is not",
        ),
        ([], {"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL: must look like postgresql://"),
        ([], {"DATABASE_URL": "sqlite:////no/such/folder/x.db"}, "The database cannot be opened"),
        (
            ["--host", "192.0.2.1"],
            {"PUBLIC_URL": "http://a", "TRUSTED_HOSTS": "a"},
            "Cannot listen on 192.0.2.1",
        ),
    ],
)
def test_errors_are_one_line(capsys, monkeypatch, flags, environment, words):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert run("--port", "0", *flags) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"Error: {words}")
    assert said.err.count("\n") == 1


def test_wrong_usage():
    assert run("--port", "x") == 2
    assert run("--threads", "0") == 2


def test_taken_port(capsys):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        assert run("--port", str(port)) == 1
    assert (
        f"Cannot listen on 127.0.0.1, port {port}: Address already in use."
        in capsys.readouterr().err
    )


def test_contents_of_a_further_process():
    app, options, _ = serving_main.build_process(3, "::1", "http://[::1]:7000/")
    assert options["threads"] == app.config["THREADS"] == 3
    assert app.config["LOCAL_URL"] == "http://[::1]:7000"


class Pipe:
    """The child's end of the pipe to its parent, which soon hangs up."""

    def __init__(self):
        self.sent = []

    def send(self, word):
        self.sent.append(word)

    def recv(self):
        time.sleep(0.2)
        raise EOFError


@posix
def test_process_stops_with_its_parent(monkeypatch):
    pipe = Pipe()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(SystemExit) as ended:
            supervisor.serve_in_child(
                lambda: (serving_main.create_served_app(None), {"threads": 1}, nullcontext()),
                sock,
                pipe,
            )
    assert (ended.value.code, pipe.sent) == (0, [supervisor.READY])


def start(*flags):
    command = [sys.executable, str(SERVE), "--port", "0", *flags]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@posix
@pytest.mark.slow
def test_eight_simultaneous_starts_on_an_empty_folder(instance):
    servers = [start() for _ in range(8)]
    addresses = [
        server.stdout.readline().removeprefix("Quire is ready at ").strip() for server in servers
    ]
    assert [get(f"{address}api/v1/posts")[0] for address in addresses] == [200] * 8
    for server in servers:
        server.send_signal(signal.SIGTERM)
    said = [server.communicate(timeout=30)[1] for server in servers]
    assert [server.returncode for server in servers] == [0] * 8, said
    with closing(sqlite3.connect(instance / "quire.db")) as connection:
        assert connection.execute("SELECT count(*) FROM settings").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


@posix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_answers_accepted_requests(number, monkeypatch):
    monkeypatch.setenv("RATELIMIT_ENABLED", "false")  # every request has to reach the password
    server = start("--threads", "2")
    address = server.stdout.readline().removeprefix("Quire is ready at ").strip()
    seen = []

    def ask():
        seen.append(get(f"{address}api/v1/auth/token", {"email": "a@b.org", "password": "x"})[0])

    clients = [threading.Thread(target=ask) for _ in range(12)]
    for client in clients:
        client.start()
    time.sleep(0.3)
    server.send_signal(number)
    for client in clients:
        client.join()
    with contextlib.closing(server.stderr):
        assert (server.wait(20), seen) == (0, [401] * 12)
    server.stdout.close()
