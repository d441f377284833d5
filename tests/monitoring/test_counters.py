"""Counters of one process: adding, copying and subtracting, from several threads at the same time."""

import threading

from quire.monitoring.counters import BUCKETS, LATENCY, REQUESTS, Counters, add_up


def test_numbers_are_added_by_name_and_labels():
    counters = Counters()
    counters.add("jobs", "a")
    counters.add("jobs", "a", amount=2)
    counters.add("jobs", "b")
    assert counters.snapshot() == {("jobs", "a"): [3], ("jobs", "b"): [1]}


def test_request_is_counted_in_one_latency_bucket():
    counters = Counters()
    for seconds in (0.001, 0.005, 0.006, 99):
        counters.add_request("/", "GET", "200", seconds)
    numbers = counters.snapshot()
    assert numbers[REQUESTS, "/", "GET", "200"] == [4]
    *classes, total = numbers[LATENCY, "/", "GET"]
    assert classes == [2, 1, *[0] * (len(BUCKETS) - 2), 1]
    assert round(total, 3) == 99.012


def test_statuses_of_a_route_share_its_latency():
    counters = Counters()
    counters.add_request("/", "GET", "200", 1)
    counters.add_request("/", "GET", "304", 1)
    assert counters.snapshot()[LATENCY, "/", "GET"][-1] == 2


def test_concurrent_threads_lose_no_counts():
    counters = Counters()

    def work():
        for _ in range(2000):
            counters.add("x")
            counters.add_request("/", "GET", "200", 0.01)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    numbers = counters.snapshot()
    assert numbers["x",] == [8000] and numbers[REQUESTS, "/", "GET", "200"] == [8000]


def test_snapshot_is_immutable_and_can_be_subtracted():
    counters = Counters()
    counters.add("x")
    before = counters.snapshot()
    counters.add("x")
    assert before == {("x",): [1]}
    counters.subtract(before)
    assert counters.snapshot() == {("x",): [1]}


def test_counters_of_several_processes_are_added_up():
    assert add_up([{("x",): [1, 2]}, {("x",): [3, 4], ("y",): [5]}, {}]) == {
        ("x",): [4, 6],
        ("y",): [5],
    }
