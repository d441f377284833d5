"""Views: each person is counted once, and nobody waits for it."""

import pytest
from sqlalchemy.exc import OperationalError

from quire.actor import SYSTEM
from quire.errors import Unavailable
from quire.jobs.worker import running_workers
from quire.records import POSTS
from quire.site import view_counter
from quire.store import read, write

BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
    "Opera/9.80 (Windows NT 6.1) Presto/2.12 Version/12.18",
]
PROGRAMS = [
    "", "curl/8.5.0", "python-requests/2.32", "Go-http-client/2.0", "Feedly/1.0 (+http://feedly.com)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/131.0 Safari/537.36",
    "Mozilla/5.0 (compatible; Baiduspider/2.0)", "facebookexternalhit/1.1", "Twitterbot/1.0",
    "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
]  # fmt: skip


@pytest.fixture
def views_of(app, content):
    """`views_of()`: the stored views of the live post, after all pending ones are written."""
    view_counter._counted.clear()

    def stored():
        with app.app_context():
            view_counter.flush_views()
            return read.get_record(POSTS, SYSTEM, content.live)["views"]

    yield stored
    view_counter._counted.clear()


def visit(client, path="/posts/live", **headers):
    headers = {"User-Agent": BROWSERS[0]} | {k.replace("_", "-"): v for k, v in headers.items()}
    return client.get(path, headers=headers)


@pytest.mark.parametrize("agent", BROWSERS)
def test_browsers_are_people(agent):
    assert view_counter.is_browser(agent)


@pytest.mark.parametrize("agent", PROGRAMS)
def test_programs_are_not_people(agent):
    assert not view_counter.is_browser(agent)


def test_each_view_counts_and_changes_nothing_else(app, client, content, views_of):
    with app.app_context():
        before = read.get_record(POSTS, SYSTEM, content.live)
    for _ in range(3):
        assert visit(client).status_code == 200
    assert views_of() == 3 and views_of() == 3
    with app.app_context():
        assert read.get_record(POSTS, SYSTEM, content.live) == before | {"views": 3}


def test_requests_that_do_not_count(client, visitor, content, views_of):
    for name in ("ann", "mod", "root"):  # they may edit it
        visit(visitor(name))
    visit(client, Sec_Purpose="prefetch;prerender")
    visit(client, Purpose="prefetch")
    visit(client, X_Moz="prefetch")
    visit(client, User_Agent="Googlebot/2.1")
    client.head("/posts/live", headers={"User-Agent": BROWSERS[0]})
    visit(visitor("abe"), "/posts/draft")
    visit(client, "/posts/nothing")
    assert views_of() == 0
    visit(visitor("bob"))
    assert views_of() == 1


def test_reading_writes_nothing(statements, content, client, views_of):
    client.environ_base["HTTP_USER_AGENT"] = BROWSERS[0]
    _, asked = statements(client.get, "/posts/live")
    assert asked and not [one for one in asked if not one.startswith(("SELECT", "WITH"))]
    assert views_of() == 1


def test_worker_writes_remaining_counts_at_the_end(app, client, content, views_of):
    with running_workers(app):
        visit(client)
    with app.app_context():
        assert read.get_record(POSTS, SYSTEM, content.live)["views"] == 1


def test_processes_add_up_and_deleted_posts_are_omitted(app, client, content, views_of):
    visit(client)
    visit(client, "/posts/abes")
    with app.app_context():
        view_counter.increment_many("posts", "views", {content.live: 5})  # another process
        write.delete(POSTS, SYSTEM, content.abes, permanent=True)
    assert views_of() == 6


def test_nothing_is_lost_while_the_database_is_unreachable(client, content, views_of, monkeypatch):
    def away(*given):
        raise Unavailable("away") from OperationalError("", {}, Exception())

    visit(client)
    with monkeypatch.context() as patch:
        patch.setattr(view_counter, "increment_many", away)
        with pytest.raises(Unavailable):
            views_of()
    visit(client)
    assert views_of() == 2
