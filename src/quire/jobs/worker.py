"""The worker: a thread beside the server that sends what is owed, at once or when it is due."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from flask import Flask

from quire.jobs import delivery, pictures, writing
from quire.store import mailbox
from quire.store.mailbox import Owed

logger = logging.getLogger("quire.mail")

LOOK_SECONDS = 3.0
"""How often to look for what other processes owe, and for what is due again."""
STOP_SECONDS = 20.0
"""How long a stopping server waits for the mail that is being sent."""
FIRST_PAUSE = 10
LONGEST_PAUSE = 6 * 3600
MOST_ATTEMPTS = 10
"""With pauses that triple, the last one is some fifteen hours after the first."""


def work_off(stopping: threading.Event | None = None) -> None:
    """Send all mail that is due now, until `stopping` is set."""
    while stopping is None or not stopping.is_set():
        owed = mailbox.claim()
        if owed is None:
            return
        _send(owed)


def _send(owed: Owed) -> None:
    if owed.attempts > MOST_ATTEMPTS:
        logger.error("Mail %d (%s) is given up.", owed.id, owed.kind)
        mailbox.done(owed)
        return
    if owed.kind == "picture":
        pictures.process(owed.user_id)
        mailbox.done(owed)
        return
    letter = writing.write(owed)
    try:
        if letter is not None:
            delivery.deliver(letter, str(owed.id))
    except OSError as error:
        _failed(owed, error)
    else:
        mailbox.done(owed)


def _failed(owed: Owed, error: OSError) -> None:
    if delivery.is_final(error):
        logger.error("Mail %d (%s) is refused: %s", owed.id, owed.kind, error)
        mailbox.done(owed)
        return
    seconds = pause(owed.attempts)
    logger.warning(
        "Mail %d (%s) is not sent, next try in %d s: %s", owed.id, owed.kind, seconds, error
    )
    mailbox.postpone(owed, seconds)


def pause(attempts: int) -> int:
    """Seconds until the next attempt."""
    return int(min(FIRST_PAUSE * 3 ** (attempts - 1), LONGEST_PAUSE))


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """A worker as long as the block lasts; what it is sending at the end, it finishes."""
    stopping = threading.Event()
    thread = threading.Thread(target=_work, args=(app, stopping), name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        mailbox.owed_here.set()
        thread.join(STOP_SECONDS)


def _work(app: Flask, stopping: threading.Event) -> None:
    while not stopping.is_set():
        mailbox.owed_here.clear()
        with _Unharmed(), app.app_context():
            work_off(stopping)
        if not stopping.is_set():
            mailbox.owed_here.wait(LOOK_SECONDS)


class _Unharmed:
    """What fails in here is logged; the thread goes on, as the server does after a bad request."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> bool:
        if error is not None:
            logger.error("Mail could not be looked after", exc_info=error)
        return isinstance(error, Exception)
