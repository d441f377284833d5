"""Functions for sockets where operating systems differ."""

import ctypes
import socket
import struct
import sys

try:
    import fcntl
    import resource
    import termios
except ImportError:  # pragma: no cover - Windows has no such limits.
    fcntl = resource = termios = None  # type: ignore[assignment]

SO_ATTACH_FILTER = 26
# Load the TCP flags; if they are SYN without ACK, drop the packet, else keep all of it.
NO_SYN = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (6, 0, 0, 0), (6, 0, 0, 0xFFFF))


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket that does not listen yet. Raises OSError."""
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    sock = socket.socket(family, kind, proto)
    if sys.platform == "win32":  # pragma: no cover
        # There, SO_REUSEADDR would let two servers share a port unnoticed.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def url(host: str, sock: socket.socket) -> str:
    """Return the address to open in a browser."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{sock.getsockname()[1]}/"


def max_connections() -> int:
    """Return how many connections one process can have: what the system allows, at most 4,000."""
    if resource is None:
        return 450  # select() on Windows accepts 512 sockets.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = 4200 if hard == resource.RLIM_INFINITY else min(4200, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        soft = target
    return 4000 if soft == resource.RLIM_INFINITY else max(100, min(4000, soft - 200))


def unacknowledged_bytes(sock: socket.socket) -> int:
    """Return how many bytes the system has accepted for a client that the client's system has not received.

    See tcp(7), SIOCOUTQ; 0 if a system does not tell.
    """
    if sys.platform != "linux":
        return 0
    return int(struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0])


def drop_new_connections(sock: socket.socket) -> bool:
    """Prevent new connections on a listening socket; return False if that is impossible.

    Between the last accept() and close(), a connection could still be established and would be reset. Linux can be
    told to ignore SYN packets; the client then tries again a second later and finds the next server, or none.
    """
    if sys.platform != "linux":
        return False
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in NO_SYN))
    program = struct.pack("HP", len(NO_SYN), ctypes.addressof(code))
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    except OSError:
        return False
    return True
