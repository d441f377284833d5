"""No byte and no timing of a response reveals whether an account exists."""

import itertools
import re
import time
from statistics import median

import pytest

TRIES = 500
OWN = re.compile(rb'"request_id":"\w+"|nonce="[^"]*"|nonce-[\w-]+|name="csrf_token" value="[^"]*"')
"""What is another at each request, in its body or headers."""


def told(answer):
    """Return all parts of a response except those that always differ."""
    headers = [(k, v) for k, v in answer.headers if k not in ("X-Request-Id", "Date", "Set-Cookie")]
    return repr((answer.status, OWN.sub(b"", repr(headers).encode()), OWN.sub(b"", answer.data)))


def sign_in(client, email, name):
    """Send a wrong password to the API."""
    return client.post("/api/v1/auth/token", json={"email": email, "password": "wrong"})


def sign_in_page(client, email, name):
    """Send a wrong password to the page."""
    return client.post("/auth/login", data={"email": email, "password": "wrong"})


def ask_reset(client, email, name):
    """Request a password reset."""
    return client.post("/auth/reset", data={"email": email})


def register_page(client, email, name):
    """Register an account with an unused name on the page."""
    given = {"username": name, "email": email, "password": "pallas-athene"}
    return client.post("/auth/register", data={**given, "confirm": "pallas-athene"})


def register(client, email, name):
    """Register an account with an unused name through the API."""
    given = {"username": name, "email": email, "password": "pallas-athene"}
    return client.post("/api/v1/users", json=given)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ask", "status"),
    [(sign_in, 401), (sign_in_page, 401), (ask_reset, 302), (register_page, 302), (register, 202)],
)
def test_known_and_unknown_addresses_get_the_same_response(make_app, people, ask, status):
    app = make_app(REQUIRE_EMAIL_VERIFICATION=True, MAIL_SUPPRESS_SEND=True)
    numbers = itertools.count()
    seconds, answers = {"known": [], "unknown": []}, {"known": set(), "unknown": set()}
    client = app.test_client(use_cookies=False)
    client.checked = False

    def timed(kind, email):
        begun = time.thread_time()  # not affected by other programs
        answer = ask(client, email, f"nan-{next(numbers)}")
        seconds[kind].append(time.thread_time() - begun)
        assert answer.status_code == status
        answers[kind].add(told(answer).replace(email, ""))

    for _ in range(TRIES):
        timed(
            "known", "root@example.org"
        )  # of the same length as the others, since the page shows the address
        timed("unknown", f"{len(seconds['unknown']):04d}@example.org")
    assert answers["known"] == answers["unknown"]
    assert len(answers["known"]) == 1
    known, unknown = median(seconds["known"]), median(seconds["unknown"])
    assert abs(known - unknown) < 0.002, (known, unknown)
