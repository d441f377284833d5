"""`manage.py users unlock`: failed attempts are reset if the console can reach them."""

import pytest

from quire.cli import main
from tests.auth.attempts import (
    ELSEWHERE,
    HERE,
    REDIS,
    Attempts,
    needs_redis,
    redis_client,
    wait_for_redis,
    wait_of,
)

PASSWORD = "correct horse 7"


@pytest.fixture
def ann(console):
    """A console on an instance with an account."""
    given = PASSWORD + "\n"
    console("users", "create", "ann", "ann@example.org", "--password-stdin", given=given)
    return console


def test_unlock_explains_that_attempts_are_in_server_memory(ann):
    status, output, _ = ann("users", "unlock", "ANN")
    assert status == 0
    assert "counted in the server process" in output
    noted = "SELECT action, record_id, door FROM audit_events ORDER BY id DESC LIMIT 1"
    assert ann.rows(noted) == [("unlock", 1, "cli")]
    assert ann("users", "unlock", "nobody")[0] == 1


@needs_redis
def test_unlock_resets_attempts_in_redis_for_all_addresses(ann, monkeypatch):
    redis_client().flushdb()
    monkeypatch.setenv("REDIS_URL", REDIS)
    wait_for_redis(monkeypatch)
    tried = Attempts(main.application())
    for ip in (HERE, ELSEWHERE):
        tried.block(ip=ip)
        wait_of(tried.right(ip=ip))
    assert ann("users", "unlock", "ann")[1] == "Failed sign-in attempts of ann have been reset.\n"
    assert tried.right().status_code == 200
    assert tried.right(ip=ELSEWHERE).status_code == 200
