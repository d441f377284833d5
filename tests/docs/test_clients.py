"""The programs in docs/clients.md, each run against a server."""

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
HTTPX, OFFLINE, SITE = range(3)
"""The programs in Python, in their order."""
SCOPES = ["posts:read", "posts:write", "tags:read", "tags:write"]


def programs(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def environment(app, as_, tmp_path):
    """The environment of a program: the URL of a server, an API key of ann's, paths for files."""
    key = as_("ann").post("api_keys", json={"name": "k", "scopes": SCOPES}).json["key"]
    files = {"COPY": str(tmp_path / "copy.db"), "OUT": str(tmp_path / "public")}
    with serving(app) as url:
        yield {**os.environ, "API": f"{url}/api/v1", "KEY": key, "PYTHONUTF8": "1", **files}


@pytest.fixture
def run(environment):
    """`run(command, program)`: the output of a program."""

    def run_program(command, program):
        done = subprocess.run(
            command, input=program, env=environment, timeout=60, check=False,
            capture_output=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run_program


@pytest.fixture
def follow(environment):
    """`follow(program)`: the output lines of a program that waits for changes."""
    started = []

    def start(program):
        process = subprocess.Popen(
            [sys.executable, "-c", program], env={**environment, "WAIT": "25"},
            stdout=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        started.append(process)
        return process.stdout

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs curl")
def test_curl_program_creates_once_and_overwrites_nothing(run, as_):
    [program] = programs("bash")
    output = run(["bash", "-eu"], program)
    assert "\n201\n" in output and "\n201, replayed: true\n" in output
    for code in ("unknown_parameter", "validation_failed", "version_conflict"):
        assert f'"code":"{code}"' in output
    posts = as_(None).get("posts").json["posts"]
    assert [one["title"] for one in posts] == ["From curl, edited"]


def test_shell_program_needs_no_text_tools():
    [program] = programs("bash")
    assert not re.search(r"\b(sed|awk|grep)\b", program)


def test_httpx_program_publishes_edits_and_reads(run, as_):
    program = programs("python")[HTTPX]
    when, title, *refusals = run([sys.executable, "-"], program).split(maxsplit=1)
    title, *refusals = title.splitlines()
    assert when.startswith("20") and title == "From Python, edited"
    assert [one.split()[:2] for one in refusals] == [
        ["colour", "unknown"], ["title", "too_short"], ["body", "required"],
    ]  # fmt: skip
    assert len(as_(None).get("posts").json["posts"]) == 1


LOST_ANSWERS = """
answered, lost = client.request, ["timeout", "busy"]

def request(*given, **more):
    response = answered(*given, **more)
    match lost.pop() if lost else "":
        case "timeout":
            raise httpx.ReadTimeout("no answer")
        case "busy":
            return httpx.Response(503, headers={"Retry-After": "0"})
    return response

client.request = request
print(send("POST", "posts", json={"title": "Once", "body": "x"}).headers["Idempotency-Replayed"])
"""


def test_httpx_program_repeats_unanswered_requests(run, as_):
    program = programs("python")[HTTPX].partition("if __name__")[0]
    assert run([sys.executable, "-"], program + LOST_ANSWERS) == "true\n"
    assert [one["title"] for one in as_("ann").get("posts").json["posts"]] == ["Once"]


RACING_EDIT = """
titles = iter(["There", "There again"])

def edit(post):
    other = next(titles, None)
    if other:
        send("PATCH", "posts/1", json={"title": other})
    return {"title": post["title"] + ", here"}

print(change("posts/1", edit).json()["title"])
"""


def test_httpx_program_edits_the_latest_version(run, as_):
    as_("ann").post("posts", json={"title": "First", "body": "x"})
    program = programs("python")[HTTPX].partition("if __name__")[0]
    assert run([sys.executable, "-"], program + RACING_EDIT) == "There again, here\n"


def sync(run, more=""):
    program = programs("python")[OFFLINE]
    run([sys.executable, "-"], f"{program}\n{more}\nsync()\n")


def copied(tmp_path, statement):
    copy = sqlite3.connect(tmp_path / "copy.db")
    try:
        return copy.execute(statement).fetchall()
    finally:
        copy.close()


def test_offline_changes_arrive_once_and_conflicts_are_kept(run, as_, tmp_path):
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


def test_offline_change_waits_while_the_key_is_refused(run, as_, tmp_path):
    sync(run, 'queue("POST", "/posts", {"title": "Waits", "body": "x"})\nKEY = "qk_expired"')
    assert copied(tmp_path, "select refusal from queue") == [(None,)]
    sync(run)
    assert copied(tmp_path, "select key from queue") == []
    assert [one["title"] for one in as_("ann").get("posts").json["posts"]] == ["Waits"]


def test_offline_copy_with_an_invalid_cursor_starts_again(run, as_, tmp_path):
    ann = as_("ann")
    ann.post("posts", json={"title": "There", "body": "x"})
    gone = ann.post("posts", json={"title": "Gone", "body": "x"}).json["id"]
    sync(run)
    ann.delete(f"posts/{gone}")
    outdated = as_("bob").get("changes").json["next"]  # of another reader, so invalid here
    waiting = 'queue("POST", "/posts", {"title": "Waits", "body": "x", "colour": "red"})'
    sync(run, f"copy.execute('update position set cursor = ?', ({outdated!r},))\n{waiting}")
    assert len(copied(tmp_path, "select id from records where type = 'posts'")) == 1
    assert len(copied(tmp_path, "select key from queue where refusal is not null")) == 1


def test_static_site_rewrites_only_changed_pages(run, as_, tmp_path):
    ann = as_("ann")
    first, second, draft = (
        ann.post("posts", json={"title": f"<{n}>", "body": "x", "published": n < 3}).json["id"]
        for n in (1, 2, 3)
    )
    program = programs("python")[SITE]
    command = [sys.executable, "-"]
    assert run(command, program).split() == ["upsert", f"{first}.html", "upsert", f"{second}.html"]
    page = tmp_path / "public" / f"{first}.html"
    assert "<h1>&lt;1&gt;</h1><p>x</p>" in page.read_text(encoding="utf-8")
    assert not (tmp_path / "public" / f"{draft}.html").exists()
    ann.post(f"posts/{first}/unpublish")
    assert run(command, program).split() == ["delete", f"{first}.html"]
    assert not page.exists() and run(command, program) == ""


def test_static_site_follows_changes_live(follow, as_, tmp_path):
    ann = as_("ann")
    lines = follow(programs("python")[SITE])
    ids = []
    for title in ("First", "Second"):
        raw = {"title": title, "body": "x", "published": True}
        ids.append(ann.post("posts", json=raw).json["id"])
        assert next(lines) == f"upsert {ids[-1]}.html\n"
    ann.delete(f"posts/{ids[0]}")
    assert next(lines) == f"delete {ids[0]}.html\n"
    assert not (tmp_path / "public" / f"{ids[0]}.html").exists()


def test_static_site_with_an_invalid_cursor_starts_again(run, as_, tmp_path):
    ann = as_("ann")
    ann.post("posts", json={"title": "There", "body": "x", "published": True})
    public = tmp_path / "public"
    public.mkdir()
    (public / "4711.html").touch()
    (public / ".cursor").write_text(ann.get("changes").json["next"])  # of another reader
    run([sys.executable, "-"], programs("python")[SITE])
    assert [one.name for one in public.glob("*.html")] == ["1.html"]
