"""Upkeep: what grows by itself is cut back once a day."""

from datetime import timedelta

from quire.declare.clock import now
from quire.declare.jobs import every
from quire.declare.record import REGISTRY
from quire.store import queue

DAY = 86_400
EVENT_DAYS = 30
"""How long an event of a record is kept after all is done that it asks for."""


@every(DAY)
def prune_outbox() -> None:
    """Forget old events of records."""
    queue.prune(now() - timedelta(days=EVENT_DAYS), REGISTRY)
