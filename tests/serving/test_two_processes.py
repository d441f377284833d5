"""Two processes of one server: metrics are the sums of both, and every line of their logs is complete."""

import json
import os
import re
import signal
import threading
import time
import urllib.request
from collections import Counter

import pytest

from tests.serving.test_main import instance, start  # noqa: F401 - a fixture
from tests.serving.test_restart import command

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
COUNT = re.compile(
    r'^quire_http_requests_total\{method="GET",route="/api/v1/posts",status="200"\} (\S+)$',
    re.MULTILINE,
)
LOG_BYTES = 8000


def ask(address, ids, number):
    """Send requests on separate connections; record the ids of the responses."""
    for page in range(number):
        with urllib.request.urlopen(
            f"{address}api/v1/posts?page={page % 3 + 1}", timeout=20
        ) as answer:
            ids.append(answer.headers["X-Request-Id"])


def ask_at_once(address, ids):
    threads = [threading.Thread(target=ask, args=(address, ids, 20)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def counted(address):
    with urllib.request.urlopen(f"{address}metrics", timeout=20) as answer:
        return [int(float(one)) for one in COUNT.findall(answer.read().decode())]


def expect_count(address, number):
    """Wait until the count reaches the number, within the interval of writing, and check that it stays."""
    end, seen = time.monotonic() + 30, []
    while seen[-3:] != [[number]] * 3:
        assert time.monotonic() < end, seen
        seen.append(counted(address))
        time.sleep(0.3)
    assert max(seen) == [number], seen  # if counted twice, it would be larger for a while


@posix
@pytest.mark.slow
def test_requests_through_both_are_counted_and_logged_once(instance, monkeypatch):  # noqa: F811
    settings = {
        "RATELIMIT_ENABLED": "false", "LOG_FORMAT": "json", "LOG_FILE": "logs/quire.log",
        "LOG_FILE_BYTES": str(LOG_BYTES), "LOG_FILE_KEEP": "1000",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    server, ids = start("--processes", "2"), []
    try:
        address = server.stdout.readline().removeprefix("Quire is ready at ").strip()
        ask_at_once(address, ids)
        expect_count(address, 160)
        done = command("restart")
        assert done.returncode == 0, done.stderr
        expect_count(address, 160)
        ask_at_once(address, ids)
        expect_count(address, 320)
    finally:
        server.send_signal(signal.SIGTERM)
        said = server.communicate(timeout=60)[1]
    assert server.returncode == 0, said
    _check_logs(instance / "logs", ids)


def _check_logs(folder, ids):
    paths = [path for path in folder.iterdir() if ".log" in path.name and path.suffix != ".lock"]
    writers = {path.name.partition(".log")[0] for path in paths if path.stat().st_size}
    assert len(writers) >= 2 and len(paths) > len(writers)
    assert all(path.stat().st_size <= LOG_BYTES for path in paths)
    lines = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    logged = Counter(one["request_id"] for one in lines if one["event"] == "request")
    assert {id: logged[id] for id in ids} == dict.fromkeys(ids, 1)
    assert len(set(ids)) == 320
