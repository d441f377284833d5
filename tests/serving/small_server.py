"""A server with a tiny application, for tests that stop it from outside: `PROCESSES` is its argument."""

import signal
import sys
import time
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

from quire.config.validation import StartupError
from quire.serving.server import Server
from quire.serving.sockets import bind
from quire.serving.supervisor import Supervisor


def application(environ, start_response):
    """Respond with `ok` after as many seconds as the path says."""
    time.sleep(float(environ["PATH_INFO"].strip("/") or 0))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def build():
    """Return what each process serves."""
    return application, {"threads": 2}, nullcontext()


def say(sock):
    """Print the port for the test."""
    print(sock.getsockname()[1], flush=True)


def build_unless_told():
    """Return the same, unless a file contains a reason to fail."""
    if len(sys.argv) > 2 and (words := Path(sys.argv[2]).read_text(encoding="utf-8")):
        raise StartupError(words)
    return build()


def handle_signals(supervisor):
    """Handle signals as serve.py does."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    signal.signal(signal.SIGHUP, lambda *_: supervisor.restart())


def main(processes):
    """Serve until a signal; return the exit status."""
    sock = bind("127.0.0.1", 0)
    if processes == 1:
        server = Server(*build()[:1], sock, **build()[1])
        supervisor = Supervisor(build_unless_told, sock, 1, own=server)
        handle_signals(supervisor)
        say(sock)
        return supervisor.run_own(nullcontext())
    fleet = Supervisor(build_unless_told, sock, processes)
    handle_signals(fleet)
    return fleet.run(lambda: say(sock))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
