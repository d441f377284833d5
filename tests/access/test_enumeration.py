"""Whether there is such an account is told by no byte and no time of a failed sign-in."""

import re
import time
from statistics import median

import pytest

TRIES = 2000


def timed(client, email):
    """Seconds and bytes of a failed sign-in, but for what numbers the request."""
    given = {"email": email, "password": "wrong"}
    begun = time.perf_counter()
    answer = client.post("auth/token", json=given)
    seconds = time.perf_counter() - begun
    headers = [(k, v) for k, v in answer.headers if k not in ("X-Request-Id", "Date")]
    return seconds, (answer.status, headers, re.sub(rb'"request_id":"\w+"', b"", answer.data))


@pytest.mark.slow
def test_known_and_unknown_accounts_are_answered_alike(client, people):
    client.checked = False
    emails = ("ann@example.org", "nan@example.org")
    answers = {email: [] for email in emails}
    for _ in range(TRIES):
        for email in emails:
            answers[email].append(timed(client, email))
    known, unknown = (answers[email] for email in emails)
    assert {repr(one[1]) for one in known} == {repr(one[1]) for one in unknown}
    assert len({repr(one[1]) for one in known}) == 1
    gap = median(one[0] for one in known) - median(one[0] for one in unknown)
    assert abs(gap) < 0.002
