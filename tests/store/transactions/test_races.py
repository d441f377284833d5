"""Concurrent writers that want the same thing: one gets it, the others get a clear response."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from quire.exchange.load_posts import load
from quire.exchange.model import ImportedPerson, ImportedPost, ImportedTerm
from quire.records import POSTS
from tests.users import signed_in

WRITERS = 8
ANN = ImportedPerson("ann", email="ann@example.org")


def at_once(work):
    """Run `work(number)` in WRITERS threads that start together."""
    barrier = Barrier(WRITERS)

    def start(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(start, range(WRITERS)))


def test_concurrent_writers_of_one_slug_get_one_success(app, people):
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    post = {"title": "Mine", "slug": "mine", "body": "x"}
    answers = at_once(lambda n: clients[n].post("/api/v1/posts", json=post))
    assert sorted(a.status_code for a in answers) == [201] + [409] * (WRITERS - 1)
    refused = next(a.json for a in answers if a.status_code == 409)
    assert refused["code"] == "duplicate"
    assert refused["details"][0]["field"] == "slug"


def test_concurrent_posts_with_one_title_get_different_slugs(app, people):
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    post = {"title": "Same", "body": "x"}
    answers = at_once(lambda n: clients[n].post("/api/v1/posts", json=post))
    assert [a.status_code for a in answers] == [201] * WRITERS
    numbered = {f"same-{number}" for number in range(2, WRITERS + 1)}
    assert {a.json["slug"] for a in answers} == {"same", *numbered}


def test_concurrent_copies_get_different_slugs(app, people, make):
    post = make(POSTS, title="Same", body="x", author=people["ann"].id)
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    answers = at_once(lambda n: clients[n].post(f"/api/v1/posts/{post}/duplicate"))
    assert [a.status_code for a in answers] == [201] * WRITERS
    assert len({a.json["slug"] for a in answers}) == WRITERS


def test_new_tag_named_by_concurrent_posts_is_created_once(app, people):
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    orders = (["New", "Newer", "c++"], ["c++", "Newer", "New"])
    answers = at_once(
        lambda n: clients[n].post(
            "/api/v1/posts", json={"title": f"By {n}", "body": "x", "tags": orders[n % 2]}
        )
    )
    assert [a.status_code for a in answers] == [201] * WRITERS
    assert clients[0].get("/api/v1/tags").json["total"] == 3
    assert {len(a.json["tags"]) for a in answers} == {3}


def test_concurrent_imports_share_new_tags_and_categories(app, people):
    """Blogs with the same content: each post gets its own slug, and the terms are created once."""

    def work(number):
        entries = [
            ImportedPost(f"{i}", f"{i}.md", title="Same", body="x", slug="same", person=ANN,
                  category=ImportedTerm("News", "news"), tags=[ImportedTerm("New")])
            for i in range(3)
        ]  # fmt: skip
        with app.app_context():
            return load("test", f"blog {number}", entries, len(entries))

    reports = at_once(work)
    assert [report.counts["created"] for report in reports] == [3] * WRITERS
    client = signed_in(app, people["root"])
    totals = {path: client.get(f"/api/v1/{path}").json["total"] for path in ("tags", "categories")}
    assert totals == {"tags": 1, "categories": 1}


def test_one_of_several_changes_to_one_version_wins(app, people):
    ann = signed_in(app, people["ann"])
    made = ann.post("/api/v1/posts", json={"title": "One", "body": "x"})
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    tag = {"If-Match": made.headers["ETag"]}
    answers = at_once(
        lambda n: clients[n].patch("/api/v1/posts/1", json={"title": f"By {n}"}, headers=tag)
    )
    assert sorted(a.status_code for a in answers) == [200] + [412] * (WRITERS - 1)
    assert ann.get("/api/v1/posts/1").json["version"] == 2


def test_concurrent_comments_are_counted_exactly(app, people):
    ann = signed_in(app, people["ann"])
    ann.post("/api/v1/posts", json={"title": "One", "body": "x", "published": True})
    clients = [signed_in(app, people["abe"]) for _ in range(WRITERS)]
    at_once(lambda n: clients[n].post("/api/v1/posts/1/comments", json={"body": f"{n}"}))
    assert ann.get("/api/v1/posts/1").json["comment_count"] == WRITERS
    ann.delete("/api/v1/comments/1")
    ann.post("/api/v1/comments/2/spam")
    assert ann.get("/api/v1/posts/1").json["comment_count"] == WRITERS - 2
