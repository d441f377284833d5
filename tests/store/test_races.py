"""Writers who want the same thing at the same time: one gets it, the others are told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.people import signed_in

WRITERS = 8


def at_once(work):
    """Run `work(number)` in WRITERS threads that start together."""
    barrier = Barrier(WRITERS)

    def start(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(start, range(WRITERS)))


def test_one_slug_goes_to_one_writer(app, people):
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    post = {"title": "Mine", "slug": "mine", "body": "x"}
    answers = at_once(lambda n: clients[n].post("/api/v1/posts", json=post))
    assert sorted(a.status_code for a in answers) == [201] + [409] * (WRITERS - 1)
    refused = next(a.json for a in answers if a.status_code == 409)
    assert refused["code"] == "duplicate"
    assert refused["details"][0]["field"] == "slug"


def test_the_same_title_gives_each_its_slug(app, people):
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    answers = at_once(
        lambda n: clients[n].post("/api/v1/posts", json={"title": "Same", "body": "x"})
    )
    made = {a.json["slug"] for a in answers if a.status_code == 201}
    assert all(a.status_code in (201, 409) for a in answers)
    assert len(made) == sum(a.status_code == 201 for a in answers)


def test_of_two_changes_based_on_one_version_one_wins(app, people):
    ann = signed_in(app, people["ann"])
    made = ann.post("/api/v1/posts", json={"title": "One", "body": "x"})
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    tag = {"If-Match": made.headers["ETag"]}
    answers = at_once(
        lambda n: clients[n].patch("/api/v1/posts/1", json={"title": f"By {n}"}, headers=tag)
    )
    assert sorted(a.status_code for a in answers) == [200] + [412] * (WRITERS - 1)
    assert ann.get("/api/v1/posts/1").json["version"] == 2


def test_comments_are_counted_exactly(app, people):
    ann = signed_in(app, people["ann"])
    ann.post("/api/v1/posts", json={"title": "One", "body": "x", "published": True})
    clients = [signed_in(app, people["abe"]) for _ in range(WRITERS)]
    at_once(lambda n: clients[n].post("/api/v1/posts/1/comments", json={"body": f"{n}"}))
    assert ann.get("/api/v1/posts/1").json["comment_count"] == WRITERS
    ann.delete("/api/v1/comments/1")
    ann.post("/api/v1/comments/2/spam")
    assert ann.get("/api/v1/posts/1").json["comment_count"] == WRITERS - 2
