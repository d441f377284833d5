"""`manage.py restart`: its output for each server."""

import threading

import pytest

from quire.config.running_servers import registered

ADDRESS, OTHER = "http://127.0.0.1:8000/", "http://127.0.0.1:8001/"


@pytest.fixture
def serve(instance, monkeypatch):
    """`serve(answer)`: a registered server that calls `answer(files, request)` when it is asked to restart.

    It stops when `answer` returns true. Returns its thread.
    """
    threads, stopping = [], threading.Event()

    def run(answer, address, ready):
        with registered(instance, address) as files:
            ready.set()
            while not stopping.wait(0.01):
                id = files.take_request()
                if id is not None and answer(files, id):
                    return

    def start(answer, address=ADDRESS, host="a"):
        monkeypatch.setattr("socket.gethostname", lambda: host)
        ready = threading.Event()
        threads.append(threading.Thread(target=run, args=(answer, address, ready)))
        threads[-1].start()
        ready.wait()
        return threads[-1]

    yield start
    stopping.set()
    for thread in threads:
        thread.join()


def test_restart_is_reported(console, serve):
    serve(lambda files, request: files.respond(request, None))
    assert console("restart") == (0, f"{ADDRESS} has restarted.\n", "")


def test_refused_restart_is_reported_with_its_reason(console, serve):
    serve(lambda files, request: files.respond(request, "SECRET_KEY is too short."))
    said = f"Error: {ADDRESS} goes on with its old processes. SECRET_KEY is too short.\n"
    assert console("restart") == (1, "", said)


def test_server_that_stops_is_reported(console, serve):
    serve(lambda files, request: True)
    assert console("restart") == (1, "", f"Error: {ADDRESS} has stopped.\n")


def test_stopped_server_is_reported_alongside_a_restarted_one(console, serve):
    stopped = serve(lambda files, request: True, OTHER, "b")
    serve(lambda files, request: stopped.join() or files.respond(request, None))
    said = (f"{ADDRESS} has restarted.\n", f"Error: {OTHER} has stopped.\n")
    assert console("restart") == (1, *said)


def test_server_that_does_not_respond_is_reported(console, serve):
    serve(lambda files, request: None)
    said = f"Error: {ADDRESS} has not responded in time; its log says more.\n"
    assert console("restart", "--timeout", "1") == (1, "", said)
