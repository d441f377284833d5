"""Follow docs/adding-a-record-type.md in a copy of the source tree, and check its promises."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "adding-a-record-type.md"
COPIED = (
    "src",
    "tests",
    "docs",
    "tools",
    "alembic_migrations",
    "manage.py",
    "serve.py",
    "setup.cfg",
    "README.md",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the source tree in which the tutorial has been followed."""
    folder = tmp_path_factory.mktemp("tutorial")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    run(folder, "manage.py", "db", "upgrade")
    for kind, path, more, code in blocks():
        target = folder / path
        if kind == "file":
            target.write_text(code, encoding="utf-8")
        else:
            lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
            place = next(i for i, line in enumerate(lines) if line.endswith(f"{more} as {more}\n"))
            target.write_text("".join([*lines[: place + 1], code, *lines[place + 1 :]]), "utf-8")
    run(folder, "manage.py", "db", "migrate", "-m", "Add events")
    run(folder, "manage.py", "db", "upgrade")
    return folder


def blocks():
    """Return the code of the tutorial: kind, path, place, text."""
    pattern = r"```python (file|append)=(\S+)(?: after=(\w+))?\n(.*?)```"
    return re.findall(pattern, TUTORIAL.read_text(encoding="utf-8"), re.DOTALL)


def run(folder, *words, status=0):
    """Run a script of the copy with the copy's own package, and return its output."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("QUIRE", "COV", "PYTEST", "TEST_"))
    }
    kept |= {
        "PYTHONPATH": str(folder / "src"),
        "QUIRE_INSTANCE": str(folder / "instance"),
        "BCRYPT_LOG_ROUNDS": "4",
    }
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=kept,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_tutorial_touches_two_source_files():
    assert {path for _, path, _, _ in blocks() if path.startswith("src/")} == {
        "src/quire/records/events.py",
        "src/quire/records/__init__.py",
    }


def test_migration_of_the_tutorial_is_complete(copy):
    run(copy, "manage.py", "db", "check")
    script = next((copy / "alembic_migrations" / "versions").glob("*add_events*"))
    text = script.read_text(encoding="utf-8")
    assert "import quire" not in text and "from quire" not in text


SCRIPT = Path(__file__).with_name("use_events.py")


def test_every_interface_supports_the_new_type(copy):
    found = json.loads(run(copy, str(SCRIPT)).splitlines()[-1])
    assert found["created"]["starts_at"] == "2027-06-21T16:00:00Z"
    assert found["created"]["price"] == "12.50"
    assert found["created"]["description_html"] == "<p>Bring <em>something</em> to read.</p>\n"
    assert found["statuses"] == {
        "anonymous": 401, "author": 403, "stale": 412, "hidden": 404, "ends": 422,
    }  # fmt: skip
    assert found["refused"] == {
        "capacity": "too_small", "price": "wrong_type", "website": "bad_format", "seats": "unknown",
    }  # fmt: skip
    assert found["bounds"] == ["Price must be at least 0.", "Code must look like AB-12."]
    capacity, price, code = found["schema"].values()
    assert (capacity["minimum"], capacity["maximum"]) == (1, 2**31 - 1)
    assert (price["pattern"], price["x-minimum"]) == ("^[0-9]{1,10}(\\.[0-9]{1,2})?$", "0")
    assert "[A-Z]{2}-[0-9]+" in json.dumps(code)
    assert found["inputs"] == {
        "capacity": {"type": "number", "min": "1", "max": "2147483647", "step": "1"},
        "price": {"type": "number", "min": "0", "step": "0.01"},
        "code": {"type": "text", "pattern": "[A-Z]{2}-[0-9]+"},
    }
    assert found["lists"] == {"filter": 1, "search": 1, "anonymous": 1, "by_price": [2, 1]}
    assert found["revisions"] == [1, 2]
    assert found["audit"] == ["create", "update"]
    assert "/api/v1/events" in found["paths"] or "/events" in found["paths"]
    assert found["admin"] == {
        "list": 200,
        "new": 200,
        "edit": 200,
        "details": 200,
        "as_author": 403,
    }


GUARDS = (
    "tests/api/test_openapi.py::test_committed_document_is_current",
    "tests/config/test_load.py",
    "tests/house/test_engine.py",
    "tests/translations/test_catalogues.py",
)
"""Tests that once named each type, or that compare generated files."""


def test_generated_files_and_their_tests_cover_the_new_type(copy):
    said = run(copy, "tools/generated.py", status=1)
    assert "de.po: 'Starts at' is not translated" in said
    done = run(
        copy, "-m", "pytest", *GUARDS, "-n0", "-q", "-p", "no:cacheprovider", "-k", "not complete"
    )
    assert re.search(r"\d+ passed", done) and "failed" not in done


def test_every_record_suite_and_tutorial_test_pass(copy):
    tests = ("tests/every_record", "tests/test_events.py")
    done = run(copy, "-m", "pytest", *tests, "-k", "events", "-q", "-p", "no:cacheprovider")
    assert re.search(r"\d+ passed", done) and "failed" not in done
