"""The home page, the layout of every page, headers and assets."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from flask_admin import expose
from sqlalchemy import delete

from quire.actor import SYSTEM
from quire.admin.dashboard import counts, system
from quire.admin.dashboard.system import EXTENSION
from quire.admin.panel_view import PanelView
from quire.admin.setup import SECTIONS
from quire.checks import readiness
from quire.checks.check import error
from quire.config.version import VERSION
from quire.declare.clock import now
from quire.declare.job_registry import PER_PROCESS
from quire.jobs.worker import run_due_jobs, running_workers
from quire.records import POSTS, SETTINGS
from quire.store import write
from quire.store.daily_views import add_views
from quire.store.db import transaction
from quire.store.events.outbox import OutboxEvent, enqueue
from tests.admin.conftest import Browser
from tests.waiting import wait_until


def lines(text):
    """Return what needs attention: words and addresses."""
    found = BeautifulSoup(text, "html.parser")
    return {one.span.text: one["href"] for one in found.select(".attention a")}


def test_home_shows_what_needs_attention_and_a_chart(admin, app, backups):
    with app.app_context():
        write.create(POSTS, SYSTEM, {"title": "Mine", "body": "Words.", "author": "root"})
    text = admin.get().text
    assert lines(text) == {
        "There is no backup yet": "/admin/backups/",
        "2 comments are waiting for a decision": "/admin/comments/moderation/",
        "1 draft of yours": "/admin/posts/?status=draft&author.username=root",
        "1 post is scheduled": "/admin/posts/?status=scheduled",
    }
    assert "6 posts, 2 comments, 5 new users" in text and "<table" in text and 'role="img"' in text
    assert '">Mine</a>' in text and "What to do next" not in text


def test_home_shows_authors_their_own_posts(browser, ids):
    text = browser("ann").get().text
    assert list(lines(text)) == ["1 comment is waiting for a decision", "1 draft of yours"]
    assert "2 posts, 1 comment, 0 new users." in text and "Recent changes" not in text
    assert "New post" in text and "New page" not in text and "Invite" not in text


def test_own_posts_are_the_drafts_and_posts_changed_last(browser, app):
    with app.app_context():
        raws = [
            {"title": f"Own {n}", "body": "x", "author": "ann", "published": bool(n % 2)}
            for n in range(9)
        ]
        posts = [write.create(POSTS, SYSTEM, raw).id for raw in raws]
        write.create(POSTS, SYSTEM, {"title": "Another’s", "body": "x", "author": "root"})
        with transaction() as connection:
            connection.execute(POSTS.table.update().values(updated_at=now() - timedelta(hours=1)))
        for n in (0, 1, 2):
            write.update(POSTS, SYSTEM, posts[n], {"body": "changed"})
        write.delete(POSTS, SYSTEM, posts[8])
    own = BeautifulSoup(browser("ann").get().text, "html.parser").select(".own-posts a")
    assert [one.text for one in own] == [f"Own {n}" for n in (2, 1, 0, 7, 6, 5)]


def test_recently_changed_old_post_is_among_ones_own(browser, app, monkeypatch):
    monkeypatch.setattr(counts, "MAX_COMPARED", 3)
    with app.app_context():
        raws = [
            {
                "title": f"Own {n}",
                "body": "x",
                "author": "ann",
                "published_at": f"2026-01-0{n + 1}T00:00:00Z",
            }
            for n in range(5)
        ]
        posts = [write.create(POSTS, SYSTEM, raw).id for raw in raws]
        with transaction() as connection:
            connection.execute(POSTS.table.update().values(updated_at=now() - timedelta(hours=1)))
        write.update(POSTS, SYSTEM, posts[0], {"body": "changed"})
    own = BeautifulSoup(browser("ann").get().text, "html.parser").select(".own-posts a")
    assert [one.text for one in own][:4] == [f"Own {n}" for n in (0, 4, 3, 2)]


def test_home_shows_administrators_failures(admin, browser, app):
    with app.app_context():
        with transaction() as connection:
            connection.execute(delete(OutboxEvent.__table__))
        enqueue("letters.fold", 7)
        run_due_jobs()
    assert lines(admin.get().text)["1 background job has failed"] == "/admin/jobs/"
    assert "failed" not in browser("mod").get().text


def test_home_warns_about_old_backups(admin, backups):
    backups.mkdir(parents=True)
    (backups / "quire-20260101-000000.zip").write_bytes(b"")
    assert any(words.startswith("The newest backup is") for words in lines(admin.get().text))
    (backups / f"quire-{now():%Y%m%d-%H%M%S}.zip").write_bytes(b"")
    assert "/admin/backups/" not in lines(admin.get().text).values()


def test_empty_site_welcomes_only_its_administrator(app, people):
    for name, welcomed in (("root", True), ("mod", False), ("ann", False)):
        text = Browser(app, people[name]).get().text
        assert ("What to do next" in text) == welcomed
    assert "You have not written any posts yet." in text


def test_daily_views_are_shown_to_those_who_see_all_posts(app, browser):
    with app.app_context():
        add_views(40)
        add_views(2)
    for name in ("root", "mod"):
        text = browser(name).get().text
        assert "Post views" in text and ": 42 views." in text
    assert "Post views" not in browser("ann").get().text


def test_administrators_see_the_state_of_the_server(app, admin, browser, monkeypatch):
    with app.app_context():
        run_due_jobs()  # an old waiting job is a problem
    app.extensions.pop(EXTENSION, None)
    text = admin.get().text
    assert f"Quire {VERSION}" in text and "All is well" in text
    monkeypatch.setattr(readiness, "check_disk", lambda: error("The disk is full.", "Free some."))
    assert "The disk is full." not in admin.get().text  # it is checked once a minute
    app.extensions.pop(EXTENSION)
    page = BeautifulSoup(admin.get().text, "html.parser")
    assert "The disk is full. Free some." in page.get_text()
    assert "Free on the disk" not in browser("mod").get().text
    app.extensions.pop(EXTENSION)


def test_all_checks_have_a_page(admin, browser):
    text = admin.get("checks/").text
    assert "Database" in text and "Newest backup" in text and "badge success" in text
    assert browser("mod").get("checks/").status_code == 403


@pytest.mark.parametrize("name", ["root", "ann"])
def test_first_home_page_of_a_process_takes_six_statements(app, browser, statements, name):
    app.extensions.pop(EXTENSION, None)
    with running_workers(app, threads=0):
        wait_until(lambda: EXTENSION in app.extensions)
    visitor = browser(name)
    visitor.get(
        "palette/"
    )  # loads what every page needs, but nothing that only the home page shows
    _, sent = statements(visitor.get)
    assert len(sent) <= 6, sent
    app.extensions.pop(EXTENSION)


def test_pages_do_not_refresh_the_state_of_the_server(app, admin, statements, monkeypatch):
    time = SimpleNamespace(now=0.0, monotonic=lambda: time.now)
    monkeypatch.setattr(system, "time", time)
    app.extensions.pop(EXTENSION, None)
    [task] = [one.run for one in PER_PROCESS if one.run is system.refresh_overview]
    admin.get("palette/")
    for time.now in (0.0, system.REFRESH, 2 * system.REFRESH):
        with app.app_context():
            assert statements(task)[1]
        time.now += system.LASTS - 1
        _, sent = statements(admin.get)
        assert len(sent) <= 6, sent
    app.extensions.pop(EXTENSION)


def test_sizes_are_formatted_in_the_readers_language(app, admin, monkeypatch):
    app.extensions.pop(EXTENSION, None)
    monkeypatch.setattr(system, "database_bytes", lambda: 1_600_000)
    assert "SQLite, 1.5 MB" in admin.get().text or "PostgreSQL, 1.5 MB" in admin.get().text
    assert ", 1,5 MB" in admin.get(headers={"Accept-Language": "de"}).text
    app.extensions.pop(EXTENSION)


def test_recent_changes_name_their_records(admin, ids, app):
    admin.post(f"posts/edit/?id={ids.live}", {"title": "Tides"})
    admin.post("tags/delete/", {"id": "1"})
    with app.app_context():
        write.update(SETTINGS, SYSTEM, 1, {"tagline": "By the sea"})
    page = BeautifulSoup(admin.get().text, "html.parser")
    recent = page.select_one("[aria-labelledby=recent-head]")
    assert "root changed the title of the post “Tides”" in recent.text
    [link] = recent.find_all("a", string="Tides")
    assert link["href"] == f"/admin/posts/details/?id={ids.live}"
    assert "deleted the tag “nets, fishing”" in recent.text and "session #" not in recent.text
    assert not recent.find_all("a", string="nets, fishing")


def test_site_name_is_in_the_layout(admin, app):
    with app.app_context():
        write.update(SETTINGS, SYSTEM, 1, {"site_name": "<Harbour>"})
    assert "&lt;Harbour&gt;" in admin.get().text


@pytest.mark.parametrize("color", ["light", "dark"])
def test_colors_follow_the_preference(admin, color):
    admin.client.set_cookie("user_prefs", f"theme={color}")
    assert f'data-theme="{color}"' in admin.get().text


def test_colors_follow_the_device_by_default(admin):
    admin.client.set_cookie("user_prefs", 'theme="><script>')
    text = admin.get().text
    assert "data-theme" not in text and "<script>" not in text


PAGES = [
    "", "posts/", "posts/new/", "posts/edit/?id=1", "posts/details/?id=1", "posts/delete/?id=1",
    "posts/edit/?id=4711", "settings/edit/?id=1", "users/edit/?id=1", "comments/", "audit_events/",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_pages_contain_no_inline_scripts_or_styles(admin, path):
    answer = admin.get(path)
    text = answer.text
    assert not re.search(r"<[^>]+\s(on\w+|style)=", text) and "javascript:" not in text
    assert not re.search(r"<style|<script(?![^>]*src=)", text)
    policy = answer.headers["Content-Security-Policy"]
    assert (
        "unsafe" not in policy
        and "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_nonces_differ(admin):
    first, second = (admin.get().headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


def test_assets_are_our_own_and_cached(admin):
    addresses = re.findall(r'(?:src|href)="(/admin/static/[^"]+)"', admin.get().text)
    assert len(addresses) >= 3
    for address in addresses:
        with admin.client.get(address.replace("&amp;", "&")) as answer:
            assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
    assert admin.get("static/vendor/jquery.min.js").status_code == 404
    with admin.get("static/panel.js") as answer:
        assert "immutable" not in answer.headers["Cache-Control"]


def test_signing_out_is_a_form(admin):
    assert re.search(
        r'<form method="post" action="/auth/logout">\s*<input type="hidden" name="csrf_token"',
        admin.get().text,
    )


def test_menu_is_grouped(admin):
    groups = re.findall(r'<h2 id="nav-\d">([^<]+)</h2>', admin.get().text)
    assert groups == list(SECTIONS)


def test_our_own_errors_do_not_run_views_twice(app):
    calls = []

    class Broken(PanelView):
        @expose("/")
        def index(self):
            calls.append(1)
            raise TypeError("a plain bug")

    view = Broken(name="Broken", endpoint="broken")
    with app.test_request_context("/admin/"), pytest.raises(TypeError, match="a plain bug"):
        view._run_view(Broken.index.__wrapped__)
    assert calls == [1]


def test_posts_are_found_by_state_after_a_change(admin, ids, state):
    admin.post("posts/action/", {"action": "publish", "rowid": ids.draft})
    assert state(POSTS, ids.draft)["status"] == "published"
    assert "5 posts" in admin.get("posts/").text and "draft of yours" not in admin.get().text
