"""Counts what happens in this process, cheaply: a number is incremented, nothing is written or sent.

Names and labels become those of Prometheus in site/metrics.py. Labels must come from a limited set.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency buckets, in seconds."""
REQUESTS = "http_requests"
LATENCY = "http_request_duration_seconds"
STATEMENTS = "sql_statements"
STATEMENT_SECONDS = "sql_seconds"
CACHE_LOOKUPS = "cache_lookups"
RESPONSE_LOOKUPS = "response_cache_lookups"
JOBS_RUN = "jobs_run"
READS = "replica_lookups"
DELIVERIES = "webhook_deliveries"
SIGN_IN_FAILURES = "sign_in_failures"

Key = tuple[str, ...]
"""The name of a counter and its labels."""
Numbers = dict[Key, list[float]]
"""One number per counter; for LATENCY the number in each bucket, the number above them, and the sum."""


class Counters:
    """Numbers that only grow, safe to increment from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: Numbers = {}

    def add(self, *key: str, amount: float = 1) -> None:
        """Increment the counter with this name and these labels."""
        with self._lock:
            number = self._numbers.get(key)
            if number is None:
                self._numbers[key] = [amount]
            else:
                number[0] += amount

    def add_request(self, route: str, method: str, status: str, seconds: float) -> None:
        """Count a request, and how long it took until its response began."""
        requests, latency = (REQUESTS, route, method, status), (LATENCY, route, method)
        with self._lock:
            number = self._numbers.get(requests)
            if number is None:
                number = self._numbers[requests] = [0]
                self._numbers.setdefault(latency, [0] * (len(BUCKETS) + 2))
            number[0] += 1
            classes = self._numbers[latency]
            classes[bisect_left(BUCKETS, seconds)] += 1
            classes[-1] += seconds

    def snapshot(self) -> Numbers:
        """Return a copy of all numbers."""
        with self._lock:
            return {key: list(numbers) for key, numbers in self._numbers.items()}

    def subtract(self, numbers: Mapping[Key, list[float]]) -> None:
        """Subtract what has been counted elsewhere."""
        with self._lock:
            for key, parts in numbers.items():
                own = self._numbers[key]
                own[:] = [a - b for a, b in zip(own, parts, strict=True)]


def add_up(parts: Iterable[Numbers]) -> Numbers:
    """Return the sums of the numbers of several processes."""
    sums: Numbers = {}
    for part in parts:
        for key, numbers in part.items():
            before = sums.get(key)
            sums[key] = (
                list(numbers)
                if before is None or len(before) != len(numbers)
                else [a + b for a, b in zip(before, numbers, strict=True)]
            )
    return sums


counters = Counters()
"""The counters of this process."""
count = counters.add
