"""What libraries load only because it is installed, and never use here: megabytes in each process."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def left_out(name: str) -> Iterator[None]:
    """Let libraries that are imported in this block do without the module `name`.

    What stands in `sys.modules` as None cannot be imported (Python reference, 5.3.1), and libraries take
    that as they take one that is not installed. One that has been loaded already stays.
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
