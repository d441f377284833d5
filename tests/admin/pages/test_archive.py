"""The page that exports everything: for administrators, streamed, and without passwords."""

from tests.exchange.archive.archives import contents, manifest


def test_it_is_for_administrators(browser):
    assert browser().get("archive/").status_code == 302
    for name in ("mod", "ann", "bob"):
        assert browser(name).get("archive/").status_code == 403
        assert browser(name).post("archive/download").status_code == 403
    page = browser("root").get("archive/").text
    content = page.partition("<main")[2]
    assert "Export everything" in content and "Posts" in content and "Sessions" not in content


def test_it_gives_the_archive(admin, state):
    answer = admin.post("archive/download")
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="quire-20')
    assert answer.headers["Cache-Control"] == "no-store"
    data = answer.data
    assert manifest(data)["passwords"] is False
    assert {one["title"] for one in contents(data)["records/posts.ndjson"]} >= {"Tide tables"}
