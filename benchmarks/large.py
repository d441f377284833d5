"""Compares the cost of requests to a large database with that of a small one: first, repeated, and after changes.

Times are CPU time, or elapsed time with --elapsed: use that for PostgreSQL, whose work other processes do. Each
database has a process of its own; requests alternate between both. Responses are never cached. Pages of the panel are
requested as an administrator, who is added to both databases.
"""

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta

from sqlalchemy import event

from quire.actor import SYSTEM
from quire.app import create_app
from quire.errors import Conflict
from quire.records import COMMENTS, POSTS, USERS
from quire.store.db import db
from quire.store.events.feed_position import number_commits
from quire.store.lists import block_cache, id_blocks
from quire.store.write import create, update

EMAIL, PASSWORD = "large@example.org", "as large as the sea 7"
PATHS = (
    "/api/v1/posts", "/api/v1/posts?cursor=", "/api/v1/posts?tags.name=bread", "/api/v1/posts?sort=title",
    "/api/v1/posts?sort=-views", "/api/v1/posts?status=published", "/api/v1/comments",
    "/api/v1/posts?q=mushrooms", "/api/v1/posts?q=mushrooms&sort=-created_at", "/api/v1/comments?q=glue",
    "/api/v1/comments?q=glue&sort=-created_at&page=30", "/api/v1/search?q=mushrooms", "/search?q=mushrooms", "/",
    "/archive", "/tags/bread", "/feed.atom", "/sitemap.xml",
    "/api/v1/posts?page={middle}", "/api/v1/posts?sort=title&page={middle}",
    "/api/v1/posts?tags.name=bread&page={middle}", "/posts/{slug}",
    "/admin/", "/admin/posts/", "/admin/posts/?status=draft", "/admin/posts/?sort=title", "/admin/posts/?search=mushrooms",
    "/admin/posts/?title__icontains=mushrooms", "/admin/posts/?author.username={author}", "/admin/posts/edit/?id=9000",
    "/admin/comments/", "/admin/media/", "/admin/audit_events/", "/admin/users/",
)  # fmt: skip
ROUNDS = 6


def answer(database, clock):
    """Print the milliseconds of the first request for each path, the medians of later ones, and their statements."""
    settings = {"RESPONSE_CACHE_BYTES": 0, "WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False}
    url = database if "://" in database else f"sqlite:///{database}"
    app = create_app("production", {"DATABASE_URL": url, **settings})
    id_blocks.MAX_AGE = timedelta(0)
    clients, statements = {True: administrator(app), False: app.test_client()}, []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *about: statements.append(about[2]))
    one = clients[False].get("/api/v1/posts?tags.name=bread").json["posts"][0]
    for line in sys.stdin:
        url = line.strip()
        client = clients[url.startswith("/admin/")]
        if "{middle}" in url:
            pages = client.get(url.replace("{middle}", "1")).json["pages"]
            url = url.replace("{middle}", str(pages // 2))
        url = url.format(slug=one["slug"], author=one["author"]["username"])
        taken = []
        for _ in range(ROUNDS):
            statements.clear()
            begun = clock()
            status = client.get(url).status_code
            taken.append((clock() - begun) * 1000)
            assert status == 200, (url, status)
        asked, later = len(statements), []
        for _ in range(3):
            change(app)
            begun = clock()
            client.get(url)
            later.append((clock() - begun) * 1000)
        numbers = taken[0], statistics.median(taken[1:]), statistics.median(later), asked
        print(json.dumps(numbers), flush=True)
    with app.app_context():
        block_cache.store()


def change(app):
    """Change a post and add a comment; the lists are then counted as they would be a minute later."""
    with app.app_context():
        post = random.randrange(1, 10_000)
        update(POSTS, SYSTEM, post, {"excerpt": f"At {time.time()}"})
        create(COMMENTS, SYSTEM, {"post": post, "body": "Well said", "status": "approved"})
        number_commits()


def administrator(app):
    """Return a client that is signed in as an administrator."""
    with app.app_context(), contextlib.suppress(Conflict):
        create(
            USERS,
            SYSTEM,
            {"username": "large", "email": EMAIL, "password": PASSWORD, "role": "admin"},
        )
    client = app.test_client()
    client.post("/auth/login", data={"email": EMAIL, "password": PASSWORD})
    return client


def main():
    """Send the requests to both databases alternately and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "databases",
        nargs="+",
        help="paths or URLs of the small one and the large one, each migrated",
    )
    parser.add_argument("--elapsed", action="store_true")
    arguments = parser.parse_args()
    asked, options = arguments.databases, ["--elapsed"] * arguments.elapsed
    if len(asked) == 1:
        answer(asked[0], time.perf_counter if arguments.elapsed else time.process_time)
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"QUIRE_INSTANCE": folder, "JOB_THREADS": "0"}
        processes = [
            subprocess.Popen(
                [sys.executable, __file__, path, *options], env=environment, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for path in asked
        ]  # fmt: skip
        for path in PATHS:
            numbers = []
            for process in processes:
                process.stdin.write(path + "\n")
                process.stdin.flush()
                numbers.append(json.loads(process.stdout.readline()))
            (first, next_small, later, _), (first_large, next_large, later_large, statements) = (
                numbers
            )
            print(
                f"{path:50} first {first:8.1f} {first_large:9.1f}"
                f"  next {next_small:7.2f} {next_large:8.2f}  {next_large / next_small:5.1f}x"
                f"  changed {later:7.2f} {later_large:8.2f}  {statements:2} statements"
            )
        for process in processes:
            process.communicate()


if __name__ == "__main__":
    main()
