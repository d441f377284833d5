"""Explains why a replica is not used and what to do about it, in the reader's language."""

from typing import NamedTuple

from quire.translations.messages import Message


class Fault(NamedTuple):
    """The reason why a replica is not used, and the remedy."""

    reason: str
    action: str


PRIMARY_AWAY = Fault(
    Message("Not known: the primary server of the database is not responding."),
    Message("Check DATABASE_URL and that its server is running."),
)
AWAY = Fault(
    Message(
        "The replica of the database is not responding; the primary server answers all requests."
    ),
    Message("Check DATABASE_REPLICA_URL and that its server is running."),
)
FOREIGN = Fault(
    Message(
        "DATABASE_REPLICA_URL leads to no replica of DATABASE_URL; the primary server answers all requests."
    ),
    Message("Set up streaming replication, or remove the setting."),
)
LATE = Fault(
    Message("The replica of the database is far behind; the primary server answers most requests."),
    Message(
        "See pg_stat_replication on the primary server, and whether a long query is delaying the replica."
    ),
)
