"""Measures how much a feed of 20 full posts from a warm cache costs, compared with a static page of the same size.

Both are served by the same waitress process and requested alternately over one connection.
"""

import argparse
import http.client
import statistics
import tempfile
import threading
import time
from pathlib import Path

from flask import Response
from waitress.server import create_server

from quire.actor import SYSTEM
from quire.app import create_app
from quire.records import POSTS, USERS
from quire.store import write
from quire.store.db import db

PATHS = {"fixed": "/fixed", "atom": "/feed.atom", "rss": "/feed.rss", "json": "/feed.json"}


def filled(url, words):
    """Create an application with 30 posts of so many words, and a page of fixed bytes."""
    app = create_app("testing", {"DATABASE_URL": url})
    with app.app_context():
        db.drop_all()
        db.create_all()
        ann = write.create(USERS, SYSTEM, {"username": "ann", "role": "author"}).id
        body = "\n\n".join(["Nobody has *ever* asked the tide to come & go."] * (words // 10))
        raw = {"body": body, "author": ann, "tags": ["sea", "boats"]}
        for number in range(30):
            at = f"2026-01-{number + 1:02}T10:00:00Z"
            write.create(POSTS, SYSTEM, raw | {"title": f"Post {number}", "published_at": at})
    page = []
    app.add_url_rule("/fixed", "fixed", lambda: Response(page[0], mimetype="application/atom+xml"))
    page.append(app.test_client().get(PATHS["atom"]).data)
    return app


def ask(connection, path):
    """Return the milliseconds and bytes of one GET."""
    begun = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, answer.status
    return (time.perf_counter() - begun) * 1000, len(body)


def main():
    """Measure, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1500)
    parser.add_argument("--words", type=int, default=600, help="words of each post")
    parser.add_argument("--database", default="", help="PostgreSQL to use; it is emptied")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        app = filled(asked.database or f"sqlite:///{Path(folder, 'q.db').as_posix()}", asked.words)
        server = create_server(app, host="127.0.0.1", port=0, threads=4)
        threading.Thread(target=server.run, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", server.effective_port)
        taken = {name: [] for name in PATHS}
        sizes = {}
        for number in range(asked.rounds + 50):
            for name, path in PATHS.items():
                spent, sizes[name] = ask(connection, path)
                if number >= 50:
                    taken[name].append(spent)
        fixed = statistics.median(taken["fixed"])
        for name, all_of_it in taken.items():
            middle = statistics.median(all_of_it)
            print(f"{name:6} {sizes[name]:8} bytes  {middle:.3f} ms  {middle / fixed:.2f}x")
        with app.app_context():
            db.engine.dispose()
        server.close()


if __name__ == "__main__":
    main()
