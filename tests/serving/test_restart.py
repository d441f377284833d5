"""Restarts: no request is refused meanwhile, and if the new processes cannot start, the old ones continue."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from quire.cli import main as cli
from quire.config.running_servers import registered, running_servers
from tests.serving.test_main import SERVE, get, instance, start  # noqa: F401 - a fixture
from tests.serving.test_server import DUMMY

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP to send")
ONE_AND_TWO = ["1", pytest.param("2", marks=pytest.mark.slow)]
MANAGE = SERVE.with_name("manage.py")


class Clients:
    """Four clients that ask again and again: two with a connection per request, two with persistent ones."""

    def __init__(self, port, path):
        self.port, self.path, self.failures, self.count = port, path, [], 0
        self.stopping = False
        self.threads = [
            threading.Thread(target=self._ask, args=(keeps,))
            for keeps in (False, False, True, True)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stopping = True
        for thread in self.threads:
            thread.join(30)

    def _ask(self, keeps):
        connection = None
        while not self.stopping:
            connection = connection or http.client.HTTPConnection(
                "127.0.0.1", self.port, timeout=20
            )
            try:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
                ends = answer.will_close or not keeps
                if answer.status != 200:
                    self.failures.append(answer.status)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                ends = True
            self.count += 1
            if ends:
                connection.close()
                connection = None
            time.sleep(0.01)
        if connection:
            connection.close()


class SmallServer:
    """The small server in a process of its own, and its output on standard error."""

    def __init__(self, processes, obstacle):
        self.obstacle, self.said = obstacle, []
        command = [sys.executable, str(DUMMY), processes, str(obstacle)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line)

    def restart(self, number, words="Restarted"):
        """Request a restart, and wait until the given number of them are done."""
        self.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 30
        while sum(words in one for one in self.said) < number:
            assert time.monotonic() < end and self.process.poll() is None, self.said
            time.sleep(0.02)

    def stop(self):
        """Stop the server; return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(40)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return status


@pytest.fixture
def small(tmp_path):
    """`small("2")`: a small server with two processes."""
    servers, obstacle = [], tmp_path / "obstacle"
    obstacle.write_text("", encoding="utf-8")

    def started(processes):
        servers.append(SmallServer(processes, obstacle))
        return servers[-1]

    yield started
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()


@posix
@pytest.mark.parametrize("processes", ONE_AND_TWO)
def test_no_request_is_refused(small, processes):
    server = small(processes)
    with Clients(server.port, "/0.01") as clients:
        for number in (1, 2):
            server.restart(number)
            time.sleep(0.2)
    assert (clients.failures, clients.count > 20) == ([], True)
    assert server.stop() == 0


@posix
@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_long_requests_are_finished(small, processes):
    server = small(processes)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/1")
    time.sleep(0.1)
    server.restart(1)
    assert connection.getresponse().read() == b"ok"
    connection.close()
    assert server.stop() == 0


@posix
@pytest.mark.parametrize("processes", ONE_AND_TWO)
def test_failing_restart_leaves_the_old_processes(small, processes):
    server = small(processes)
    server.obstacle.write_text("SECRET_KEY is too short.", encoding="utf-8")
    with Clients(server.port, "/") as clients:
        server.restart(1, "The restart has failed; the old processes go on.")
        assert "SECRET_KEY is too short." in "".join(server.said)
        server.obstacle.write_text("", encoding="utf-8")
        server.restart(1)
    assert clients.failures == []
    assert server.stop() == 0


@posix
def test_stop_ends_retired_processes_too(small):
    """An idle connection keeps a retired process running, but does not delay a stop."""
    server = small("1")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", "/")
    connection.getresponse().read()
    server.restart(1)
    begun = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begun < 15
    connection.close()


def test_running_servers_are_listed(tmp_path):
    assert running_servers(tmp_path) == []
    with pytest.raises(SystemExit), registered(tmp_path, "http://127.0.0.1:8000/") as files:
        # another process sees the lock, which this one already has
        code = (
            "import sys; from pathlib import Path; from quire.config.running_servers import running_servers as r;"
            "print([one.address for one in r(Path(sys.argv[1]))])"
        )
        command = [sys.executable, "-c", code, str(tmp_path)]
        environment = os.environ | {"PYTHONPATH": str(SERVE.parent / "src")}
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert said.stdout == "['http://127.0.0.1:8000/']\n"
        files.request_restart("a")
        assert (files.take_request(), files.take_request()) == ("a", None)
        files.respond("a", "No room.")
        assert files.take_response("b") is None
        assert files.take_response("a")["problem"] == "No room."
        sys.exit(0)
    assert list((tmp_path / "servers").iterdir()) == []


def test_files_of_a_killed_server_are_deleted(tmp_path):
    folder = tmp_path / "servers"
    folder.mkdir()
    (folder / "host-1.json").write_text('{"address": "x"}', encoding="utf-8")
    (folder / "host-1.request").write_text("{", encoding="utf-8")
    assert running_servers(tmp_path) == []
    assert list(folder.iterdir()) == []


def test_command_without_a_server_says_so(instance, capsys, monkeypatch):  # noqa: F811
    with pytest.raises(SystemExit) as ended:
        cli.main(["restart"])
    said = capsys.readouterr().err
    assert ended.value.code == 1 and said.count("\n") == 1
    assert "No server that serve.py has started runs on" in said


def command(*arguments):
    """Return the output of manage.py in a process of its own."""
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments], capture_output=True, text=True, timeout=120
    )


@posix
@pytest.mark.slow
@pytest.mark.parametrize("processes", ["1", "2"])
def test_command_restarts_the_real_server_with_new_settings(instance, processes, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RATELIMIT_ENABLED", "false")
    server = start("--processes", processes)
    address = server.stdout.readline().removeprefix("Quire is ready at ").strip()
    port = int(address.rpartition(":")[2].strip("/"))
    with Clients(port, "/api/v1/posts") as clients:
        done = command("restart")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{address} has restarted.\n", "")
    assert (clients.failures, clients.count > 20) == ([], True)
    key = instance / "secret_key"
    secret = key.read_text(encoding="ascii")
    key.write_text("x", encoding="ascii")
    refused = command("restart")
    assert refused.returncode == 1 and "Error: SECRET_KEY is too short" in refused.stderr
    key.write_text(secret, encoding="ascii")
    assert get(f"{address}api/v1/posts")[0] == 200
    server.send_signal(signal.SIGTERM)
    said = server.communicate(timeout=60)[1]
    assert server.returncode == 0, said


@posix
@pytest.mark.slow
def test_maintenance_starts_immediately_and_outlasts_a_restart(instance, monkeypatch):  # noqa: F811
    monkeypatch.setenv("RATELIMIT_ENABLED", "false")
    server = start("--processes", "2")
    address = server.stdout.readline().removeprefix("Quire is ready at ").strip()

    def statuses():
        return {get(f"{address}api/v1/posts")[0] for _ in range(20)}

    seen = [statuses()]
    for arguments in (("maintenance", "on"), ("restart",), ("maintenance", "off")):
        assert command(*arguments).returncode == 0
        seen.append(statuses())
    assert seen == [{200}, {503}, {503}, {200}]
    server.send_signal(signal.SIGTERM)
    said = server.communicate(timeout=60)[1]
    assert server.returncode == 0, said
