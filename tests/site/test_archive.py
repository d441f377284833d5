"""The archive by month: what the public sees, in UTC."""

import pytest

from quire.records import POSTS
from tests.site.conftest import soup


@pytest.fixture
def monthly_posts(make, people):
    """Posts at the edges of months, and some that nobody sees."""
    moments = ("2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z",
               "2026-02-01T00:00:00Z", "2099-05-01T00:00:00Z", None)  # fmt: skip
    for moment in moments:
        make(POSTS, title=f"At {moment}", body="x", author=people["ann"].id, published_at=moment)


def test_months_newest_first_with_their_numbers(visitor, monthly_posts):
    for name in (None, "root"):
        page = soup(visitor(name).get("/archive"))
        assert [h.text for h in page.main.find_all("h2")] == ["2026", "2025"]
        rows = [" ".join(row.text.split()) for row in page.select(".rows li")]
        assert rows == ["February 2026 1 post", "January 2026 2 posts", "December 2025 1 post"]
        assert page.select_one(".rows a")["href"] == "/archive/2026/02"


def test_a_month_has_its_posts(client, monthly_posts):
    page = soup(client.get("/archive/2026/01"))
    titles = [h.text for h in page.select(".entry h2")]
    assert titles == ["At 2026-01-31T23:59:59Z", "At 2026-01-01T00:00:00Z"]
    assert "2 posts" in page.select_one(".count").text
    assert (
        soup(client.get("/archive/2025/12")).select_one(".entry h2").text.startswith("At 2025-12")
    )


@pytest.mark.parametrize(
    "place", ["2099/05", "2024/01", "2026/13", "2026/00", "0000/01", "2026/1", "x/y"]
)
def test_other_months_are_no_pages(client, monthly_posts, place):
    assert client.get(f"/archive/{place}").status_code == 404


def test_an_empty_archive_says_so(client):
    assert "Nothing has been published" in client.get("/archive").text
    assert soup(client.get("/")).footer.find("a", href="/archive")
