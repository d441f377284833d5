"""The programs in docs/clients.md: each is run against a server."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running_server import serving

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
SCOPES = ["posts:read", "posts:write", "tags:read", "tags:write"]


def programs(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def run(app, as_, tmp_path):
    """`run(command, program)`: what a program prints; it has a key of ann's."""
    key = as_("ann").post("api_keys", json={"name": "k", "scopes": SCOPES}).json["key"]
    files = {"COPY": str(tmp_path / "copy.db"), "OUT": str(tmp_path / "public")}

    def run_program(command, program):
        more = {"API": f"{url}/api/v1", "KEY": key, "PYTHONUTF8": "1"} | files
        done = subprocess.run(
            command, input=program, env={**os.environ, **more}, timeout=60, check=False,
            capture_output=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    with serving(app) as url:
        yield run_program


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs curl")
def test_curl_creates_once_and_overwrites_nothing(run, as_):
    [program] = programs("bash")
    output = run(["bash", "-eu"], program)
    assert "201" in output and "Idempotency-Replayed: true" in output
    assert '"code":"version_conflict"' in output
    posts = as_(None).get("posts").json["posts"]
    assert [one["title"] for one in posts] == ["From curl, edited"]


def sync(run, more=""):
    program, _ = programs("python")
    run([sys.executable, "-"], f"{program}\n{more}\nsync()\n")


def copied(tmp_path, statement):
    copy = sqlite3.connect(tmp_path / "copy.db")
    try:
        return copy.execute(statement).fetchall()
    finally:
        copy.close()


def test_what_changed_offline_arrives_once_and_conflicts_are_kept(run, as_, tmp_path):
    ann = as_("ann")
    stays, goes = (
        ann.post("posts", json={"title": title, "body": "x", "published": True}).json["id"]
        for title in ("Stays", "Goes")
    )
    sync(run)
    assert len(copied(tmp_path, "select id from records where type = 'posts'")) == 2
    ann.patch(f"posts/{stays}", json={"title": "Changed there"})
    ann.delete(f"posts/{goes}")
    offline = (
        'queue("POST", "/posts", {"title": "Written offline", "body": "x"})\n'
        f'queue("PATCH", "/posts/{stays}", {{"title": "Changed here", "version": 1}})'
    )
    sync(run, offline)
    sync(run)
    [records, refusals] = [
        [json.loads(one[0]) for one in copied(tmp_path, statement)]
        for statement in (
            "select record from records where type = 'posts' order by id",
            "select refusal from queue",
        )
    ]
    assert [one["title"] for one in records] == ["Changed there", "Written offline"]
    assert [one["code"] for one in refusals] == ["version_conflict"]


def test_a_change_waits_while_the_key_is_not_accepted(run, as_, tmp_path):
    sync(run, 'queue("POST", "/posts", {"title": "Waits", "body": "x"})\nKEY = "qk_expired"')
    assert copied(tmp_path, "select refusal from queue") == [(None,)]
    sync(run)
    assert copied(tmp_path, "select key from queue") == []
    assert [one["title"] for one in as_("ann").get("posts").json["posts"]] == ["Waits"]


def test_a_copy_that_is_too_old_starts_again(run, as_, tmp_path):
    ann = as_("ann")
    ann.post("posts", json={"title": "There", "body": "x"})
    gone = ann.post("posts", json={"title": "Gone", "body": "x"}).json["id"]
    sync(run)
    ann.delete(f"posts/{gone}")
    outdated = as_("bob").get("changes").json["next"]  # of another reader, so worth nothing here
    sync(run, f"copy.execute('update position set cursor = ?', ({outdated!r},)); copy.commit()")
    assert len(copied(tmp_path, "select id from records where type = 'posts'")) == 1


def test_the_site_rewrites_only_what_changed(run, as_, tmp_path):
    ann = as_("ann")
    first, second, draft = (
        ann.post("posts", json={"title": f"<{n}>", "body": "x", "published": n < 3}).json["id"]
        for n in (1, 2, 3)
    )
    _, program = programs("python")
    command = [sys.executable, "-"]
    assert run(command, program).split() == ["upsert", f"{first}.html", "upsert", f"{second}.html"]
    page = tmp_path / "public" / f"{first}.html"
    assert "<h1>&lt;1&gt;</h1><p>x</p>" in page.read_text(encoding="utf-8")
    assert not (tmp_path / "public" / f"{draft}.html").exists()
    ann.post(f"posts/{first}/unpublish")
    assert run(command, program).split() == ["delete", f"{first}.html"]
    assert not page.exists() and run(command, program) == ""
