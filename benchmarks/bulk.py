"""Measures how much faster 500 new posts are in one bulk request than one by one, on a running server."""

import argparse
import http.client
import json
import tempfile
import time
from pathlib import Path

from sign_ins import PASSWORD, free_port, server
from waiting import processor_ms

ROWS = 500


def post(connection, path, body, token=None):
    """Return the JSON of a successful POST."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
    answer = connection.getresponse()
    data = json.loads(answer.read())
    assert answer.status in (200, 201), (path, answer.status, data)
    return data


def values(number):
    """Return the values of one post."""
    text = f"Paragraph {number} with *some* words about the sea.\n\n" * 4
    return {"title": f"Tide table {number}", "body": text, "tags": ["sea", "tides"]}


def cost(pid, call):
    """Return the seconds that a call takes, and the seconds of CPU time that it takes the server."""
    begun, before = time.perf_counter(), processor_ms(pid)
    call()
    return time.perf_counter() - begun, (processor_ms(pid) - before) / 1000


def main():
    """Measure both alternately and print the ratios of the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", help="an empty one of PostgreSQL; otherwise SQLite")
    asked = parser.parse_args()
    rounds, port = asked.rounds, free_port()
    more = {"DATABASE_URL": asked.database} if asked.database else {}
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), port, more, "admin") as pid:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        proof = {"email": "ann@example.org", "password": PASSWORD}
        token = post(connection, "auth/token", proof)["access_token"]
        single, together = [], []
        for turn in range(rounds):
            base = turn * 2 * ROWS
            rows = [values(base + number) for number in range(2 * ROWS)]
            single.append(
                cost(
                    pid,
                    lambda some=rows: [post(connection, "posts", x, token) for x in some[:ROWS]],
                )
            )
            body = {"operations": [{"op": "create", "data": one} for one in rows[ROWS:]]}
            together.append(
                cost(pid, lambda sent=body: post(connection, "posts/bulk", sent, token))
            )
        for place, unit in enumerate(("seconds", "seconds of processor of the server")):
            alone, bulk = (min(turn[place] for turn in turns) for turns in (single, together))
            print(f"{alone:.3f} one by one, {bulk:.3f} in bulk, ratio {alone / bulk:.1f}: {unit}")


if __name__ == "__main__":
    main()
