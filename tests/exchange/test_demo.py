"""The demo: a site with current content, in every state that has a page in the panel."""

from datetime import datetime, timedelta

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.declare.query import Query
from quire.exchange.demo import PENDING, create_demo
from quire.exchange.demo_pictures import SKIES, landscape
from quire.records import CATEGORIES, COMMENTS, MEDIA, POSTS
from quire.store.read import list_records
from tests.sample_images import opened


@pytest.fixture
def demo(app):
    """The records of the demo by type."""
    with app.app_context():
        create_demo()
        query = Query(per_page=1000, fields=None)
        return {one.path: rows(one, query) for one in (POSTS, COMMENTS, CATEGORIES, MEDIA)}


def rows(record, query):
    return list_records(record, SYSTEM, query).rows


def moment(text):
    return datetime.fromisoformat(text)


def test_dates_are_relative_to_today(demo):
    published = sorted(moment(one["published_at"]) for one in demo["posts"] if one["published_at"])
    assert published[0] > now() - timedelta(days=65)
    assert sum(one > now() - timedelta(days=30) for one in published) >= 10
    latest = max(moment(one["created_at"]) for one in demo["comments"])
    assert now() - timedelta(hours=1) < latest <= now()


def test_comments_are_later_than_their_posts(demo):
    at = {one["id"]: one["published_at"] for one in demo["posts"]}
    answered = [one for one in demo["comments"] if one["status"] != "pending"]
    assert answered and all(one["created_at"] >= at[one["post"]["id"]] for one in answered)


def test_every_page_has_content(demo):
    posts = demo["posts"]
    assert {one["category"]["name"] for one in posts} == {one["name"] for one in demo["categories"]}
    assert sum(one["cover"] is not None for one in posts) > len(posts) / 2
    assert all(one["alt"] for one in demo["media"]) and len(demo["media"]) == len(SKIES)
    own = sorted(one["status"] for one in posts if one["author"]["username"] == "admin")
    assert own == ["draft", "draft", "published", "published", "scheduled"]
    assert sum(one["status"] == "pending" for one in demo["comments"]) >= PENDING


@pytest.mark.parametrize("number", range(len(SKIES)))
def test_images_are_small_and_real(number):
    content = landscape(number)
    assert opened(content).size == (1280, 720) and len(content) < 60_000
