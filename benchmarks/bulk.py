"""How much faster 500 new posts are in one bulk request than one by one, on a running server."""

import argparse
import http.client
import json
import tempfile
import time
from pathlib import Path

from sign_ins import PASSWORD, free_port, server

ROWS = 500


def post(connection, path, body, token=None):
    """The JSON of a successful POST."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
    answer = connection.getresponse()
    data = json.loads(answer.read())
    assert answer.status in (200, 201), (path, answer.status, data)
    return data


def values(number):
    """What one post is made of."""
    text = f"Paragraph {number} with *some* words about the sea.\n\n" * 4
    return {"title": f"Tide table {number}", "body": text, "tags": ["sea", "tides"]}


def seconds(call):
    """How long a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def main():
    """Measure both in turns and print the ratio of the best of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), port, {}, "admin"):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        proof = {"email": "ann@example.org", "password": PASSWORD}
        token = post(connection, "auth/token", proof)["access_token"]
        single, together = [], []
        for turn in range(rounds):
            base = turn * 2 * ROWS
            rows = [values(base + number) for number in range(2 * ROWS)]
            single.append(
                seconds(
                    lambda some=rows: [post(connection, "posts", x, token) for x in some[:ROWS]]
                )
            )
            body = {"operations": [{"op": "create", "data": one} for one in rows[ROWS:]]}
            together.append(seconds(lambda sent=body: post(connection, "posts/bulk", sent, token)))
        print(f"one by one  {min(single):.3f} s")
        print(f"in bulk     {min(together):.3f} s")
        print(f"ratio       {min(single) / min(together):.1f}")


if __name__ == "__main__":
    main()
