"""Answers that are kept as bytes, so that they need not be made again while they hold."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class Shelf:
    """Bytes by key, as many as `room` bytes hold; what was not asked for longest goes first."""

    def __init__(self, room: int):
        self.room, self.free = room, room
        self.lock = threading.Lock()
        self.kept: OrderedDict[Any, bytes] = OrderedDict()

    def get(self, key: Any, make: Callable[[], bytes]) -> bytes:
        """The bytes for `key`, made if they are not here."""
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
                return self.kept[key]
        made = make()
        if len(made) <= self.room:
            self._put(key, made)
        return made

    def _put(self, key: Any, made: bytes) -> None:
        with self.lock:
            self.free += len(self.kept.pop(key, b"")) - len(made)
            self.kept[key] = made
            while self.free < 0:
                _, oldest = self.kept.popitem(last=False)
                self.free += len(oldest)
