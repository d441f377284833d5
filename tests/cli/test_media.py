"""`manage.py media move`: its output for the operator."""

import pytest

from tests.s3_server import Store

NAME = "0" * 32 + "-12345678.pdf"


def test_move_without_a_bucket_is_an_error(console):
    status, _, errors = console("media", "move", "--to", "bucket")
    assert (status, errors) == (1, "Error: S3_BUCKET is not set, so there is no bucket.\n")


@pytest.fixture
def store(monkeypatch):
    """A bucket named by the settings."""
    made = Store()
    made.clear()  # all stores of a process share their content
    for name, value in made.settings().items():
        monkeypatch.setenv(name, value)
    yield made
    made.stop()


@pytest.mark.slow
def test_move_reports_counts_and_differing_files(console, store):
    file = console.instance / "uploads" / "00" / NAME
    file.parent.mkdir(parents=True)
    file.write_bytes(b"%PDF-1.7\n")
    assert console("media", "move", "--to", "bucket")[:2] == (
        0, "Moved 1 file (9 bytes) to the bucket quire-files.\n",
    )  # fmt: skip
    file.write_bytes(b"%PDF-1.8\n")
    status, said, errors = console("media", "move", "--to", "folder")
    assert (status, said) == (1, f"Moved 0 files (0 bytes) to the folder {file.parents[1]}.\n")
    assert errors == f"{NAME} is a different file there. It was left alone in both places.\n"
    file.write_bytes(b"%PDF-1.7\n")
    assert console("media", "move", "--to", "folder")[1].endswith(
        "\n1 of them were already there.\n"
    )
    assert (store.names(), file.exists()) == ([], True)
    [row, *_] = console.rows("SELECT action, fields FROM audit_events ORDER BY id")
    assert row == ("move", '["bucket","1"]')


@pytest.mark.slow
def test_unreachable_bucket_is_a_one_line_error(console, store, monkeypatch):
    monkeypatch.setenv("S3_ENDPOINT", "http://127.0.0.1:9")
    status, said, errors = console("media", "move", "--to", "folder")
    assert (status, said) == (1, "") and "is not responding" in errors and "Traceback" not in errors
