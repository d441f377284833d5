"""Counters of several processes: each writes a file, all are added up, nothing is lost or counted twice."""

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
    """A process that shares its counters, as far as files show."""

    def __init__(self, folder):
        self.own = Counters()
        self.shared = SharedCounters(folder, self.own)

    def counted(self):
        return self.shared.read(0).numbers.get(("x",), [0])[0]


def let_end(folder, *, keep=()):
    """Let all processes but those that are kept have ended some time ago."""
    before = time.time() - ENDED_SECONDS - 1
    for path in set(folder.glob("*-*.json")) - set(keep):
        os.utime(path, (before, before))


def files(folder):
    return sorted(path.name for path in folder.glob("*-*.json"))


def test_all_processes_are_added_up_whoever_is_asked(folder):
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


def test_an_ended_process_is_counted_on_and_its_file_goes(folder):
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


def test_a_process_that_slept_for_long_is_counted_once(folder):
    sleeper, other = Process(folder), Process(folder)
    sleeper.own.add("x", amount=5)
    sleeper.shared.write(1)
    let_end(folder)
    other.shared.write(1)
    assert files(folder) == [other.shared._file.name]
    sleeper.own.add("x")
    sleeper.shared.write(1)
    assert (sleeper.counted(), other.counted()) == (6, 6)


def test_a_crash_between_taking_over_and_deleting_counts_once(folder):
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
def test_an_incomplete_file_is_passed_over(folder, content):
    one = Process(folder)
    one.own.add("x")
    one.shared.write(1)
    (folder / "host-1-a.json").write_bytes(content)
    assert one.counted() == 1
    let_end(folder, keep=[one.shared._file])
    one.shared.write(1)
    assert files(folder) == [one.shared._file.name]


def test_a_folder_that_cannot_be_written_stops_nothing(folder):
    folder.write_bytes(b"in the way")
    one = Process(folder)
    one.own.add("x")
    one.shared.write(1)
    assert one.counted() == 1


def test_only_one_process_takes_over(folder):
    gone, stays = Process(folder), Process(folder)
    gone.own.add("x")
    gone.shared.write(1)
    let_end(folder)
    with FileLock(folder / "lock"):
        stays.shared.write(1)
    assert len(files(folder)) == 2
    stays.shared.write(1)
    assert json.loads((folder / ENDED).read_text(encoding="utf-8"))["numbers"] == [[["x"], [1]]]
