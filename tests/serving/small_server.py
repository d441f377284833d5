"""A server around a tiny application, for tests that stop it from outside: `PROCESSES` argument."""

import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from quire.serving.server import Server
from quire.serving.sockets import bind
from quire.serving.supervisor import Supervisor


def application(environ, start_response):
    """Answer `ok` after as many seconds as the path says."""
    time.sleep(float(environ["PATH_INFO"].strip("/") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def build():
    """What each process serves."""
    return application, {"threads": 2}, nullcontext()


def say(sock):
    """Tell the test the port."""
    print(sock.getsockname()[1], flush=True)


def stop_on_signals(server):
    """As serve.py does it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())


def main(processes):
    """Serve until a signal; the exit status."""
    sock = bind("127.0.0.1", 0)
    if processes == 1:
        server = Server(*build()[:1], sock, **build()[1])
        stop_on_signals(server)
        say(sock)
        return 0 if server.run() else 1
    fleet = Supervisor(build, sock, processes)
    stop_on_signals(fleet)
    return fleet.run(lambda: say(sock))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
