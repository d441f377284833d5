"""A broker that accepts messages but never responds: requests do not wait for it, and no job is lost."""

import shutil
import subprocess
import sys

import pytest

from tests.faults.kill import PASSWORD, ROOT, Server, environment_of
from tests.running_server import free_port
from tests.tcp_proxies import proxied
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server"),
]
NEW = {"username": "new", "email": "new@example.org", "password": PASSWORD}


@pytest.fixture
def broker(tmp_path_factory):
    """The port of a Redis server of this test."""
    port = free_port()
    words = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(
        words, cwd=tmp_path_factory.mktemp("redis"), stdout=subprocess.DEVNULL
    )
    yield port
    process.kill()
    process.wait()


def test_no_job_is_lost(broker, tmp_path):
    with proxied(broker) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        environment = environment_of(tmp_path, CELERY_BROKER_URL=url)
        server = Server(environment)
        try:
            proxy.delay = 3600
            connection = server.connect()
            assert server.ask(connection, "POST", "/users", NEW)[0] == 201
            assert server.ask(connection, "GET", "/posts", None)[0] == 200
            connection.close()
            proxy.delay = 0
            words = [sys.executable, str(ROOT / "manage.py"), "worker"]
            worker = subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: list((tmp_path / "outbox").glob("*.eml")), 60)
            finally:
                worker.kill()
                worker.wait(30)
        finally:
            server.kill()
    assert len(list((tmp_path / "outbox").glob("*.eml"))) == 1
