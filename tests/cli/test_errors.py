"""A command that cannot run prints one line on standard error and exits with status 1."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

MANAGE = Path(__file__).parents[2] / "manage.py"
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other files and encodings")

DAMAGED = {
    "no database": lambda data: b"This is a text of some length, and no database. " * 50,
    "a right head, then rubbish": lambda data: data[:100] + b"\xa5" * (len(data) - 100),
    "a right first page": lambda data: data[:4096] + b"\xa5" * (len(data) - 4096),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_database_is_a_one_line_error_in_every_command(console, instance, kind):
    path = instance / "quire.db"
    path.write_bytes(DAMAGED[kind](path.read_bytes()))
    for words in ("users list", "prune", "seed --posts 1", "db upgrade", "db current",
                  "keys list", "import csv tags " + __file__, f"export {instance / 'x.zip'}"):  # fmt: skip
        status, output, errors = console(*words.split(" "))
        assert (status, output) == (1, ""), words
        assert errors.startswith("Error: The database cannot be opened: "), words
        assert errors.count("\n") == 1, words
    status, output, errors = console("check")
    assert status == 1
    assert "error    database: The database cannot be opened: " in output
    assert errors == "Error: 1 of the checks failed.\n"


def test_input_in_another_encoding_is_a_one_line_error(console):
    words = ("users", "create", "ann", "ann@example.org", "--password-stdin")
    status, output, errors = console(*words, given="pässword".encode("latin-1"))
    assert (status, output) == (1, "")
    assert errors == "Error: Some of the input is not valid utf-8 text.\n"
    assert console.rows("SELECT username FROM users") == []


def test_full_disk_is_reported_even_with_a_damaged_database(console, instance, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    assert "error    disk: Only 0 MB are free" in console("check")[1]
    (instance / "quire.db").write_bytes(b"not a database" * 1000)
    assert "error    disk: Only 0 MB are free" in console("check")[1]


def test_damage_in_one_table_is_a_one_line_error(console, instance):
    data = bytearray((instance / "quire.db").read_bytes())
    root = _root_page(instance, "users")
    data[(root - 1) * 4096 : root * 4096] = b"\xa5" * 4096
    (instance / "quire.db").write_bytes(data)
    status, output, errors = console("users", "list")
    assert (status, output) == (1, "")
    assert errors == "Error: The database cannot be read. (database disk image is malformed)\n"
    status, output, errors = console("check")
    assert "error    administrator: The database cannot be read. (database disk" in output
    assert status == 1 and errors.count("\n") == 1


def _root_page(instance, table):
    with closing(sqlite3.connect(instance / "quire.db")) as connection:
        words = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        return connection.execute(words, (table,)).fetchone()[0]


@pytest.mark.parametrize("place", ["/dev/null/instance", __file__])
@posix
def test_impossible_instance_folder_is_a_one_line_error(console, monkeypatch, place):
    monkeypatch.setenv("QUIRE_INSTANCE", place)
    monkeypatch.setenv("SECRET_KEY", "0123456789-abcdefghijklmnopqrstuvwxyz")
    for words in (["users", "list"], ["check"], ["openapi"]):
        status, output, errors = console(*words)
        assert (status, output) == (1, "")
        assert errors.startswith(f"Error: The instance folder {place} cannot be made: ")
        assert errors.count("\n") == 1


def test_unreadable_secret_key_is_a_one_line_error(console, instance):
    (instance / "secret_key").write_bytes(b"\xff\xfe")
    status, _, errors = console("users", "list")
    assert (status, errors.count("\n")) == (1, 1)
    assert "Cannot use the secret key" in errors


def test_missing_output_folder_is_a_one_line_error(console, tmp_path):
    for command in (["openapi"], ["export"]):
        status, _, errors = console(*command, tmp_path / "missing" / "f\u00f6lder" / "x.json")
        assert (status, errors.count("\n")) == (1, 1)
        assert "No such file or directory" in errors and "Traceback" not in errors


def test_first_command_creates_the_instance_folder(new_console, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "0123456789-abcdefghijklmnopqrstuvwxyz")
    assert new_console("users", "list") == (0, "", "")
    assert (new_console.instance / "quire.db").exists()
    assert not (new_console.instance / "secret_key").exists()


@pytest.mark.slow
@posix
def test_arguments_in_another_encoding_are_a_one_line_error(instance):
    """As in a console with LANG=C: bytes that are not UTF-8, or letters outside ASCII."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for more, words, given in (
        ({"LANG": "C"}, ["users", "set-password", "x", "--password-stdin"], "p\xe4sswort 1\n".encode("latin-1")),
        (ascii_only, ["users", "set-password", "x", "--password-stdin"], "p\xe4sswort 1\n".encode()),
        (ascii_only, ["users", "delete", "\xfcnknown", "--yes"], b""),
        ({"LANG": "C"}, ["users", "delete", b"\xfc", "--yes"], b""),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, MANAGE, *words], input=given, capture_output=True,
            env={**os.environ, **more},
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith(b"Error: ") and done.stderr.count(b"\n") == 1, done.stderr
