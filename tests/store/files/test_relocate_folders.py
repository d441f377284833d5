"""Files move from one folder to another; failures lose none of them."""

import errno

import pytest

from quire.store.files.local import ORIGINAL, LocalStorage, incoming_dir
from quire.store.files.relocate import relocate

NAMES = [f"{number:032}-12345678.pdf" for number in range(3)] + [
    f"{ORIGINAL}{'0' * 32}-12345678.png"
]
CONTENT = {name: name.encode() for name in NAMES}
SIZE = sum(map(len, CONTENT.values()))


class BrokenStorage(LocalStorage):
    """A folder on a disk that loses the last byte of what it gets."""

    def put(self, name, source):
        source.write_bytes(source.read_bytes()[:-1])
        super().put(name, source)


class FullStorage(LocalStorage):
    """A folder on a disk with no room for the third file."""

    def put(self, name, source):
        if name == NAMES[2]:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().put(name, source)


class ShrinkingStorage(LocalStorage):
    """A folder whose first file is deleted while it is moved."""

    def find(self, name):
        file = super().find(name)
        if name == NAMES[0]:
            self.delete(name)
        return file


def contents(storage):
    """Return the content of each file of a storage, by name."""
    return {name: storage.path(name).read_bytes() for name in storage.older_than(float("inf"))}


def add(storage, name, content):
    storage.path(name).parent.mkdir(parents=True, exist_ok=True)
    storage.path(name).write_bytes(content)


def move(source, target):
    return relocate(source, target, lambda done, total: None)


@pytest.fixture
def source(app, tmp_path):
    """A folder with four files."""
    storage = LocalStorage(tmp_path / "source")
    for name, content in CONTENT.items():
        add(storage, name, content)
    with app.app_context():
        before = set(incoming_dir().glob("*.part"))  # of other tests
        yield storage
        assert set(incoming_dir().glob("*.part")) == before


@pytest.fixture
def target(tmp_path):
    """The path of an empty folder."""
    return tmp_path / "target"


def test_only_stored_files_move_with_progress(source, target):
    add(source, "Thumbs.db", b"x")
    told = []
    moved = relocate(source, LocalStorage(target), lambda *one: told.append(one))
    assert (moved.count, moved.size, moved.existing, moved.differing) == (4, SIZE, 0, [])
    assert told == [(done, 4) for done in range(1, 5)]
    assert contents(LocalStorage(target)) == CONTENT
    assert contents(source) == {"Thumbs.db": b"x"}
    assert move(source, LocalStorage(target)).count == 0


def test_existing_files_are_compared(source, target):
    add(LocalStorage(target), NAMES[0], CONTENT[NAMES[0]])
    add(LocalStorage(target), NAMES[1], b"another")
    moved = move(source, LocalStorage(target))
    assert (moved.count, moved.existing, moved.differing) == (3, 1, [NAMES[1]])
    assert contents(source) == {NAMES[1]: CONTENT[NAMES[1]]}
    assert contents(LocalStorage(target)) == CONTENT | {NAMES[1]: b"another"}


def test_files_damaged_on_arrival_stay_in_the_source(source, target):
    moved = move(source, BrokenStorage(target))
    assert (moved.count, moved.size, sorted(moved.differing)) == (0, 0, sorted(NAMES))
    assert (contents(source), contents(LocalStorage(target))) == (CONTENT, {})


def test_move_stopped_by_a_full_disk_can_be_continued(source, target):
    with pytest.raises(OSError, match="No space left"):
        move(source, FullStorage(target))
    assert contents(source) | contents(LocalStorage(target)) == CONTENT
    move(source, LocalStorage(target))
    assert (contents(source), contents(LocalStorage(target))) == ({}, CONTENT)


def test_files_deleted_during_the_move_are_skipped(source, target):
    moved = move(ShrinkingStorage(source.root), LocalStorage(target))
    kept = {name: CONTENT[name] for name in NAMES[1:]}
    assert (moved.count, contents(source), contents(LocalStorage(target))) == (3, {}, kept)
