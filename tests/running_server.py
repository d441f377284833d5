"""An application on an address of this machine, served by the real server."""

import threading
from contextlib import ExitStack, contextmanager, suppress

from quire.serving import sockets
from quire.serving.main import server_options
from quire.serving.server import Server


def free_port():
    """Return a free port of this machine."""
    with sockets.bind("127.0.0.1", 0) as sock:
        return sock.getsockname()[1]


@contextmanager
def running(application, **options):
    """Run a server in a thread; yield its port, and stop it at the end."""
    sock = sockets.bind("127.0.0.1", 0)
    server = Server(application, sock, **options)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server, server.effective_port
    finally:
        server.stop()
        thread.join(40)
        assert not thread.is_alive()


@contextmanager
def serving(app):
    """Serve Quire with the limits of its settings; yield its address."""
    with running(app, **server_options(app)) as (_, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def silent_server():
    """Run a server that accepts and sends nothing; yield its port, and a function that counts connections."""
    with sockets.bind("127.0.0.1", 0) as listener, ExitStack() as accepted:
        listener.listen()
        listener.setblocking(False)

        def connections():
            count = 0
            with suppress(BlockingIOError):
                while True:
                    accepted.enter_context(listener.accept()[0])
                    count += 1
            return count

        yield listener.getsockname()[1], connections
