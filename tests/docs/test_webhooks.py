"""The example receiver in docs/api.md verifies webhooks that Quire sends."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from quire.actor import SYSTEM
from quire.jobs.webhooks.fan_out import queue_deliveries
from quire.jobs.worker import run_due_jobs
from quire.records import TAGS, WEBHOOKS
from quire.store.write import create, update
from tests.running_server import free_port

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
STARTED = "Running on http://127.0.0.1"


@pytest.fixture
def receiver(tmp_path):
    """`receiver(secret)`: start the example; return its address and its output lines."""
    [example] = re.findall(
        r"```python\n(import os\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    (tmp_path / "receiver.py").write_text(example, encoding="utf-8")
    started = []

    def start(secret):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "receiver.py", "run", "--port", str(port)],
            cwd=tmp_path, env={**os.environ, "WEBHOOK_SECRET": secret}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8",
        )  # fmt: skip
        started.append(process)
        assert any(STARTED in line for line in process.stdout)
        return f"http://127.0.0.1:{port}/hook", process.stdout

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_example_receiver_verifies_a_delivery(app, monkeypatch, receiver):
    monkeypatch.setitem(app.config, "WEBHOOK_PRIVATE_NETWORKS", True)
    with app.app_context():
        raw = {"url": "http://127.0.0.1:9/", "events": ["tags.created"]}
        made = create(WEBHOOKS, SYSTEM, raw)
        url, lines = receiver(made.revealed["secret"])
        update(WEBHOOKS, SYSTEM, made.id, {"url": url})
        tag = create(TAGS, SYSTEM, {"name": "sea"}).id
        queue_deliveries()
        run_due_jobs()
    seen = [next(line for line in lines if line.startswith("tags."))]
    assert seen == [f"tags.created {tag}\n"]
