"""The page that exports everything: for administrators, streamed, and without passwords."""

from contextlib import contextmanager
from threading import BoundedSemaphore

from quire.admin.pages import archive
from quire.web.threads import BLOCKING_KEY
from tests.exchange.archive.archives import contents, manifest


def test_page_is_for_administrators(browser):
    assert browser().get("archive/").status_code == 302
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("archive/").status_code == 403
        assert browser(name).post("archive/download").status_code == 403
    page = browser("root").get("archive/").text
    content = page.partition("<main")[2]
    assert "Export everything" in content and "Posts" in content and "Sessions" not in content


def test_download_contains_the_archive(admin, state):
    answer = admin.post("archive/download")
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="quire-20')
    assert answer.headers["Cache-Control"] == "no-store"
    data = answer.data
    assert manifest(data)["passwords"] is False
    assert {one["title"] for one in contents(data)["records/posts.ndjson"]} >= {"Tide tables"}


def test_number_of_simultaneous_downloads_is_limited(admin, monkeypatch):
    monkeypatch.setattr(archive, "_streams", BoundedSemaphore(1))
    first = admin.post("archive/download", buffered=False)
    second = admin.post("archive/download")
    assert (second.status_code, second.headers["Retry-After"]) == (503, "10")
    first.close()
    assert contents(admin.post("archive/download").data)


def test_download_occupies_no_thread(admin):
    entered = []

    @contextmanager
    def blocking():
        entered.append("in")
        yield
        entered.append("out")

    answer = admin.post("archive/download", environ_overrides={BLOCKING_KEY: blocking})
    assert contents(answer.data)
    assert entered == ["in", "out"]
