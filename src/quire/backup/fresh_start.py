"""What a restored database must not go on with: sessions that may have ended since, and places in the feed."""

from collections.abc import Iterator

from sqlalchemy import Connection, inspect

from quire.security.tokens import new_secret

SKIPPED_IDS = 1_000_000
"""Access tokens name the id of their session: those that were given since the backup belong to nobody."""


Statement = tuple[str, dict[str, str | int]]
"""SQL, and the values of its parameters."""


def fresh_start(connection: Connection) -> Iterator[Statement]:
    """What makes a database begin anew that is as it was in a backup, of whatever schema."""
    tables = set(inspect(connection).get_table_names())
    if "sessions" in tables:
        yield "DELETE FROM sessions", {}
        raised = "UPDATE sqlite_sequence SET seq = seq + :more WHERE name = 'sessions'"
        yield raised, {"more": SKIPPED_IDS}
    if "change_feed" in tables:
        yield "UPDATE change_feed SET epoch = :epoch", {"epoch": new_secret()[:16]}
