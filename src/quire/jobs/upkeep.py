"""Upkeep: what grows by itself is cut back once a day, and by `manage.py prune`."""

from datetime import timedelta

from quire.declare.clock import now
from quire.declare.jobs import every
from quire.declare.record import REGISTRY
from quire.store import pruning, queue, stray_files

DAY = 86_400
EVENT_DAYS = 30
"""How long an event of a record is kept after all is done that it asks for."""


def prune_outbox() -> int:
    """Forget old events of records; how many there were."""
    return queue.prune(now() - timedelta(days=EVENT_DAYS), REGISTRY)


PARTS = {
    "records in the trash": pruning.trash,
    "revisions": pruning.revisions,
    "ended sessions": pruning.ended_sessions,
    "ended links": pruning.ended_links,
    "pages of editors": pruning.ended_pages,
    "old events": prune_outbox,
    "files that no record knows": stray_files.sweep,
}
"""What is cut back, in the words of `manage.py prune`."""


@every(DAY)
def prune() -> dict[str, int]:
    """Cut back all of it; how many of each went."""
    return {words: part() for words, part in PARTS.items()}
