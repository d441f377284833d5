"""Removes data that a restored database must not reuse: sessions, cursors of the feed, unsent messages."""

from collections.abc import Collection, Iterator

from quire.backup.manifest import Engine
from quire.security.tokens import new_secret

SKIPPED_IDS = 1_000_000
"""The number of session ids to skip: access tokens contain one, and those issued since the backup must stay invalid."""


_SKIP_IDS: dict[Engine, str] = {
    "sqlite": "UPDATE sqlite_sequence SET seq = seq + :more WHERE name = 'sessions'",
    "postgresql": "SELECT setval('sessions_id_seq', nextval('sessions_id_seq') + :more)",
}
_MAIL = (
    "DELETE FROM outbox WHERE due_at IS NOT NULL AND type IN ('mail', 'webhook')",
    "UPDATE outbox SET due_at = NULL WHERE event IN ('comments.created', 'comments.approved')",
)
_DELIVERIES = (
    "UPDATE deliveries SET status = 'failed', next_attempt_at = NULL, "
    "error = 'Not sent again after a restore.' WHERE status = 'pending'"
)
_WAITING: dict[Engine, dict[str, tuple[str, ...]]] = {
    "sqlite": {
        "outbox": _MAIL,
        "deliveries": (
            _DELIVERIES,
            "UPDATE webhooks SET position = coalesce((SELECT max(id) FROM outbox), position)",
        ),
    },
    "postgresql": {
        "outbox": _MAIL,
        "deliveries": (
            _DELIVERIES,
            "UPDATE outbox SET position = nextval('outbox_position') WHERE position IS NULL",
            "UPDATE webhooks SET position = coalesce((SELECT max(position) FROM outbox), position)",
        ),
    },
}
"""Jobs that had not been run at the time of the backup have been run since."""
Statement = tuple[str, dict[str, str | int]]
"""SQL, and the values of its parameters."""


def fresh_start(tables: Collection[str], engine: Engine) -> Iterator[Statement]:
    """Return statements that make a restored database with these tables start afresh."""
    if "sessions" in tables:
        yield "DELETE FROM sessions", {}
        yield _SKIP_IDS[engine], {"more": SKIPPED_IDS}
    if "change_feed" in tables:
        yield "UPDATE change_feed SET epoch = :epoch", {"epoch": new_secret()[:16]}
    if "links" in tables:  # those used since the backup would be valid again
        yield "DELETE FROM links WHERE purpose = 'reset'", {}
    for name, statements in _WAITING[engine].items():
        if name in tables:
            yield from ((statement, {}) for statement in statements)
