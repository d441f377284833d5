"""Writers in separate processes, one of which dies in its transaction: a reader of changes misses nothing."""

import subprocess
import sys
from contextlib import closing
from urllib.parse import urlencode

import psycopg
import pytest

from tests.faults.kill import ROOT, Server, environment_of

pytestmark = pytest.mark.faults
WRITERS, ROUNDS = 8, 20
WRITING = """
import os, sys, time
from quire.actor import SYSTEM
from quire.app import create_app
from quire.records import TAGS
from quire.store import write
from quire.store.db import transaction

number, rounds, dies = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "dies"
with create_app("production").app_context():
    for i in range(rounds):
        write.create(TAGS, SYSTEM, {"name": f"{number} {i}"})
        with transaction():  # events get their ids now, and are seen later than those of others
            write.create(TAGS, SYSTEM, {"name": f"{number} {i} slow"})
            if dies and i == rounds // 3:
                print("in the middle", flush=True)
                sys.stdin.read()
            time.sleep(0.02 * (i % 3))
            write.create_many(TAGS, SYSTEM, [{"name": f"{number} {i} {n}"} for n in "ab"])
"""


@pytest.fixture
def environment(tmp_path, own_postgresql, database_url):
    return environment_of(tmp_path, DATABASE_URL=database_url)


@pytest.fixture
def start_writers(environment):
    """`start_writers()`: processes that write tags; the first one stops in a transaction and reports that."""
    started = []

    def start():
        for number in range(WRITERS):
            words = (str(number), str(ROUNDS), "lives" if number else "dies")
            started.append(
                subprocess.Popen(
                    [sys.executable, "-c", WRITING, *words],
                    env={**environment, "PYTHONPATH": str(ROOT / "src")},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        return started

    yield start
    for one in started:
        one.kill()
        one.communicate()


@pytest.fixture
def server(environment):
    one = Server(environment)
    yield one
    one.kill()


def changes(server, connection, since=None):
    """Return the ids of the tags changed since a cursor, the next cursor, and whether more follow."""
    query = urlencode({"types": "tags", "limit": 100} | ({"since": since} if since else {}))
    status, answer = server.ask(connection, "GET", f"/changes?{query}", None)
    assert status == 200, answer
    assert {one["op"] for one in answer["changes"]} <= {"upsert"}
    return [one["id"] for one in answer["changes"]], answer["next"], answer["more"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_poller_misses_nothing(server, start_writers, database_url):
    told, goes_on = [], True
    with closing(server.connect()) as connection:
        _, since, _ = changes(server, connection)
        victim, *others = start_writers()
        while goes_on:
            writing = any(one.poll() is None for one in (victim, *others))
            ids, since, more = changes(server, connection, since)
            told += ids
            if len(told) > WRITERS * ROUNDS and victim.poll() is None:
                assert victim.stdout.readline() == "in the middle\n"
                victim.kill()
                victim.wait()
            goes_on = writing or more or bool(ids)
    assert [one.returncode for one in others] == [0] * len(others)
    with closing(psycopg.connect(database_url)) as database:
        there = {id for (id,) in database.execute("SELECT id FROM tags")}
    assert len(there) > (WRITERS - 1) * ROUNDS * 4
    assert len(told) == len(set(told))
    assert set(told) == there
