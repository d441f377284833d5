"""Counters of several processes: each writes a file, and their sum neither loses nor repeats anything."""

import json
import os
import time

import pytest
from filelock import FileLock

from quire.monitoring.counters import Counters
from quire.monitoring.shared_counters import ENDED, ENDED_SECONDS, SharedCounters


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "metrics"


class Process:
    """A process that shares its counters, simulated by its files."""

    def __init__(self, folder):
        self.own = Counters()
        self.shared = SharedCounters(folder, self.own)

    def counted(self):
        return self.shared.read(0).numbers.get(("x",), [0])[0]


def let_end(folder, *, keep=()):
    """Make all processes except those in `keep` look as if they ended some time ago."""
    before = time.time() - ENDED_SECONDS - 1
    for path in set(folder.glob("*-*.json")) - set(keep):
        os.utime(path, (before, before))


def files(folder):
    return sorted(path.name for path in folder.glob("*-*.json"))


def test_every_process_reports_the_sum_of_all(folder):
    one, other = Process(folder), Process(folder)
    one.own.add("x", amount=3)
    other.own.add("x", amount=4)
    one.shared.write(1)
    other.shared.write(2)
    assert (one.counted(), other.counted()) == (7, 7)
    assert [state.job_threads for state in one.shared.read(1).processes] == [1, 2]


def test_own_numbers_need_no_file(folder):
    one = Process(folder)
    one.own.add("x")
    assert one.counted() == 1 and not folder.exists()


def test_ended_process_stays_counted_after_its_file_is_deleted(folder):
    gone, stays = Process(folder), Process(folder)
    for one in (gone, stays):
        one.own.add("x", amount=5)
        one.shared.write(1)
    let_end(folder, keep=[stays.shared._file])
    assert stays.counted() == 10
    assert len(stays.shared.read(1).processes) == 1
    stays.shared.write(1)
    assert files(folder) == [stays.shared._file.name]
    assert stays.counted() == 10
    assert Process(folder).counted() == 10


def test_process_that_slept_is_counted_once(folder):
    sleeper, other = Process(folder), Process(folder)
    sleeper.own.add("x", amount=5)
    sleeper.shared.write(1)
    let_end(folder)
    other.shared.write(1)
    assert files(folder) == [other.shared._file.name]
    sleeper.own.add("x")
    sleeper.shared.write(1)
    assert (sleeper.counted(), other.counted()) == (6, 6)


def test_crash_before_deleting_a_merged_file_counts_once(folder):
    gone, stays = Process(folder), Process(folder)
    gone.own.add("x", amount=5)
    gone.shared.write(1)
    left = gone.shared._file.read_bytes()
    let_end(folder)
    stays.shared.write(1)
    gone.shared._file.write_bytes(left)
    let_end(folder, keep=[stays.shared._file])
    assert stays.counted() == 5
    stays.shared.write(1)
    assert stays.counted() == 5 and files(folder) == [stays.shared._file.name]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_incomplete_file_is_skipped(folder, content):
    one = Process(folder)
    one.own.add("x")
    one.shared.write(1)
    (folder / "host-1-a.json").write_bytes(content)
    assert one.counted() == 1
    let_end(folder, keep=[one.shared._file])
    one.shared.write(1)
    assert files(folder) == [one.shared._file.name]


def test_unwritable_folder_does_not_stop_counting(folder):
    folder.write_bytes(b"in the way")
    one = Process(folder)
    one.own.add("x")
    one.shared.write(1)
    assert one.counted() == 1


def test_only_one_process_merges_ended_ones(folder):
    gone, stays = Process(folder), Process(folder)
    gone.own.add("x")
    gone.shared.write(1)
    let_end(folder)
    with FileLock(folder / "lock"):
        stays.shared.write(1)
    assert len(files(folder)) == 2
    stays.shared.write(1)
    assert json.loads((folder / ENDED).read_text(encoding="utf-8"))["numbers"] == [[["x"], [1]]]
