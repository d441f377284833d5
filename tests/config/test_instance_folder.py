"""Only its owner can access the instance folder and everything in it, old and new."""

import os
import stat

import pytest

from quire.config.instance_folder import open_paths, prepare
from quire.config.load import load
from tests.cli.conftest import Console, settle

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders have access lists there")


@pytest.fixture(autouse=True)
def usual_umask():
    """Start with the usual umask, and restore the previous one for other tests."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    settle(monkeypatch, tmp_path / "a" / "instance")
    return tmp_path / "a" / "instance"


def modes(folder):
    """Return the modes of a folder and of everything in it."""
    paths = [folder, *folder.rglob("*")]
    return {p.name: oct(stat.S_IMODE(p.stat().st_mode)) for p in paths if not p.is_symlink()}


def test_files_made_by_commands_are_private(folder, capsys, monkeypatch):
    console = Console(capsys, monkeypatch, folder)
    assert console("users", "invite", "ann@example.org")[0] == 0
    assert console("seed", "--posts", "2", "--users", "2", "--comments", "1", "--tags", "1")[0] == 0
    found = modes(folder)
    assert {"quire.db", "secret_key"} <= found.keys()
    assert set(found.values()) == {"0o700", "0o600"}


def test_files_made_after_loading_settings_are_private(folder):
    load()
    (folder / "later" / "still").mkdir(parents=True)
    (folder / "later" / "still" / "file.txt").write_text("x", encoding="utf-8")
    assert set(modes(folder).values()) == {"0o700", "0o600"}


def test_open_folder_is_made_private_with_its_content(folder):
    (folder / "uploads" / "ab").mkdir(parents=True)
    (folder / "uploads" / "ab" / "file.png").write_bytes(b"x")
    (folder / "quire.db").write_bytes(b"")
    (folder / "dangling").symlink_to(folder / "nowhere")
    assert len(list(open_paths(folder))) == 5
    prepare(folder)
    assert list(open_paths(folder)) == []
    assert modes(folder)["file.png"] == "0o600"


def test_files_added_to_a_private_folder_are_made_private_at_start(folder):
    load()
    (folder / "quire.db").write_bytes(b"")
    (folder / "quire.db").chmod(0o644)
    load()
    assert modes(folder)["quire.db"] == "0o600"


def test_targets_of_symbolic_links_are_left_alone(folder, tmp_path):
    target = tmp_path / "elsewhere"
    target.mkdir(mode=0o755)
    folder.mkdir(parents=True)
    (folder / "uploads").symlink_to(target)
    prepare(folder)
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_requested_output_file_keeps_the_usual_mode(folder, tmp_path, capsys, monkeypatch):
    console = Console(capsys, monkeypatch, folder)
    assert console("openapi", tmp_path / "openapi.json")[0] == 0
    assert stat.S_IMODE((tmp_path / "openapi.json").stat().st_mode) == 0o644
    (tmp_path / "openapi.json").chmod(0o600)
    assert console("openapi", tmp_path / "openapi.json")[0] == 0
    assert stat.S_IMODE((tmp_path / "openapi.json").stat().st_mode) == 0o600
