"""Shows where the time of one request goes, without sockets."""

import argparse
import cProfile
import pstats
import timeit

from quire.app import create_app
from quire.auth.accounts import Account
from quire.auth.jwt import issue

KINDS = {
    "list": ("GET", "/api/v1/posts?page=1"),
    "deep": ("GET", "/api/v1/posts?page=400"),
    "tag": ("GET", "/api/v1/posts?tags.name=tag-007"),
    "one": ("GET", "/api/v1/posts/4243"),
    "comment": ("POST", "/api/v1/posts/4243/comments"),
}


def main() -> None:
    """Time each kind of request, and profile the named one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", help="SQLite file that convert.py has made")
    parser.add_argument("kind", nargs="?", choices=KINDS, help="the kind to profile")
    asked = parser.parse_args()
    app = create_app("production", {"DATABASE_URL": f"sqlite:///{asked.database}"})
    client = app.test_client()
    with app.app_context():
        token = issue(Account(3, "user0003", "author"))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    def ask(kind: str) -> None:
        method, path = KINDS[kind]
        body = {"json": {"body": "a comment"}, "headers": headers} if method == "POST" else {}
        status = client.open(path, method=method, **body).status_code
        assert status in (200, 201), status

    for kind in KINDS:
        ask(kind)
        best = min(timeit.repeat(lambda k=kind: ask(k), number=50, repeat=5)) / 50
        print(f"{kind:8} {best * 1e6:7.0f} µs")
    if asked.kind:
        with cProfile.Profile() as profile:
            for _ in range(200):
                ask(asked.kind)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
