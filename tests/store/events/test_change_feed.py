"""Commit order: a reader of the feed misses no change while others write."""

import threading

import pytest

from quire.actor import ANONYMOUS, SYSTEM
from quire.records import POSTS, TAGS
from quire.store import write
from quire.store.events.change_feed import Place, catch_up, read_changes
from quire.store.events.feed_position import current_position
from quire.store.size_limit import UNLIMITED

WRITERS, EACH = 8, 12


@pytest.fixture
def writers(app):
    """Threads that write tags, some of them several in one transaction."""

    def write_tags(number):
        with app.app_context():
            for i in range(EACH // 3):
                write.create(TAGS, SYSTEM, {"name": f"{number} {i}"})
                write.create_many(TAGS, SYSTEM, [{"name": f"{number} {i} {n}"} for n in "ab"])

    threads = [threading.Thread(target=write_tags, args=(n,)) for n in range(WRITERS)]
    for one in threads:
        one.start()
    yield threads
    for one in threads:
        one.join()


def test_reader_misses_no_change_of_eight_concurrent_writers(app, writers):
    told, place, goes_on = [], Place(0), True
    with app.app_context():
        while goes_on:
            writing = any(one.is_alive() for one in writers)
            catch_up()
            part = read_changes(ANONYMOUS, [TAGS], place, 7, UNLIMITED)
            told += [one["id"] for one in part.changes]
            place, goes_on = part.next, writing or part.more or bool(part.changes)
        assert place.position == current_position().last
    assert len(told) == len(set(told)) == WRITERS * EACH


def test_page_of_the_feed_takes_two_statements(app, make, people, statements):
    for title in "ABCDE":
        make(POSTS, title=title, body="x", published=True, author=people["ann"].id)
    with app.app_context():
        catch_up()
        part, sent = statements(read_changes, ANONYMOUS, [POSTS, TAGS], Place(0), 100, UNLIMITED)
    assert len(part.changes) == 5
    assert len(sent) == 2


def test_events_of_other_types_are_skipped(app, make, monkeypatch):
    monkeypatch.setattr("quire.store.events.change_feed.EVENTS_AT_ONCE", 1)
    with app.app_context():
        catch_up()
        last = current_position().last
        make(TAGS, name="a")
        catch_up()
        part = read_changes(ANONYMOUS, [POSTS], Place(last), 100, UNLIMITED)
        assert (part.changes, part.next.position) == ([], current_position().last)
