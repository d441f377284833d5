"""Counters of one process: what is added, copied, taken away; from several threads at once."""

import threading

from quire.monitoring.counters import BUCKETS, LATENCY, REQUESTS, Counters, add_up


def test_numbers_are_added_by_name_and_labels():
    counters = Counters()
    counters.add("jobs", "a")
    counters.add("jobs", "a", amount=2)
    counters.add("jobs", "b")
    assert counters.snapshot() == {("jobs", "a"): [3], ("jobs", "b"): [1]}


def test_a_request_falls_in_one_class_of_latency():
    counters = Counters()
    for seconds in (0.001, 0.005, 0.006, 99):
        counters.add_request("/", "GET", "200", seconds)
    numbers = counters.snapshot()
    assert numbers[REQUESTS, "/", "GET", "200"] == [4]
    *classes, total = numbers[LATENCY, "/", "GET"]
    assert classes == [2, 1, *[0] * (len(BUCKETS) - 2), 1]
    assert round(total, 3) == 99.012


def test_a_second_status_of_a_route_shares_its_latency():
    counters = Counters()
    counters.add_request("/", "GET", "200", 1)
    counters.add_request("/", "GET", "304", 1)
    assert counters.snapshot()[LATENCY, "/", "GET"][-1] == 2


def test_nothing_is_lost_between_threads():
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


def test_a_copy_does_not_change_and_can_be_taken_away():
    counters = Counters()
    counters.add("x")
    before = counters.snapshot()
    counters.add("x")
    assert before == {("x",): [1]}
    counters.subtract(before)
    assert counters.snapshot() == {("x",): [1]}


def test_sums_of_several_processes():
    assert add_up([{("x",): [1, 2]}, {("x",): [3, 4], ("y",): [5]}, {}]) == {
        ("x",): [4, 6],
        ("y",): [5],
    }
