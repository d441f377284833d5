"""What requests to a large SQLite database cost beside the same to a small one, in processor time.

Each database has a process of its own; both are asked in turns. Responses are made anew each time.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from quire.app import create_app

PATHS = (
    "/api/v1/posts", "/api/v1/posts?cursor=", "/api/v1/posts?tags.name=bread", "/api/v1/posts?sort=title",
    "/api/v1/posts?sort=-views", "/api/v1/posts?status=published", "/api/v1/comments",
    "/api/v1/posts?q=mushrooms", "/api/v1/posts?q=mushrooms&sort=-created_at", "/api/v1/comments?q=glue",
    "/api/v1/comments?q=glue&sort=-created_at&page=30", "/api/v1/search?q=mushrooms", "/search?q=mushrooms", "/",
    "/archive", "/tags/bread", "/feed.atom", "/sitemap.xml",
)  # fmt: skip
ROUNDS = 6


def answer(path):
    """Milliseconds of the first request for a path, and the median of the next."""
    app = create_app("production", {"DATABASE_URL": f"sqlite:///{path}", "RESPONSE_CACHE_BYTES": 0})
    client = app.test_client()
    for line in sys.stdin:
        taken = []
        for _ in range(ROUNDS):
            begun = time.process_time()
            status = client.get(line.strip()).status_code
            taken.append((time.process_time() - begun) * 1000)
            assert status == 200, (line, status)
        print(json.dumps([taken[0], statistics.median(taken[1:])]), flush=True)


def main():
    """Ask both databases in turns and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "databases", nargs="+", help="the small one and the large one, each migrated"
    )
    asked = parser.parse_args().databases
    if len(asked) == 1:
        answer(asked[0])
        return
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"QUIRE_INSTANCE": folder, "JOB_THREADS": "0"}
        processes = [
            subprocess.Popen(
                [sys.executable, __file__, path], env=environment, text=True,
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
            (first, next_small), (first_large, next_large) = numbers
            print(
                f"{path:50} first {first:8.1f} {first_large:9.1f}"
                f"  next {next_small:7.2f} {next_large:8.2f}  {next_large / next_small:5.1f}x"
            )
        for process in processes:
            process.communicate()


if __name__ == "__main__":
    main()
