"""Idempotency keys: answers stored in the transaction of their effect, for whoever asks again.

Each key is unique, so there is one effect at most. Who asks again meanwhile is refused and waits for
nothing: this process knows what it is answering, and PostgreSQL has a lock that ends with the
transaction. Other processes on SQLite wait for their turn to write, as for every change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection, LargeBinary, Text, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Time, Whole
from quire.declare.mixins import HasId
from quire.errors import Conflict, IdempotencyKeyReused
from quire.security.tokens import Digest
from quire.store.advisory_locks import try_advisory_lock
from quire.store.db import Model, deferred_commit, read_connection, transaction
from quire.store.short_transactions import delete_in_batches
from quire.store.statements import Prepared

LASTS = timedelta(hours=24)
"""How long an answer is given again."""
RETRY_SECONDS = 1
"""When to ask again for an answer that is being made."""


class IdempotencyKey(HasId, Model):
    """The answer to a request: `digest` says which, `fingerprint` what was in its body.

    One that showed a secret is not stored: there is no `status`, and `location` says where to look.
    """

    __tablename__ = "idempotency_keys"

    digest: Mapped[Digest] = mapped_column(unique=True)
    fingerprint: Mapped[Digest]
    status: Mapped[Whole | None]
    body: Mapped[bytes] = mapped_column(LargeBinary())
    etag: Mapped[str | None] = mapped_column(Text())
    location: Mapped[str | None] = mapped_column(Text())
    created_at: Mapped[Time] = mapped_column(default=now, index=True)


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with a key: `digest` stands for who sends it, where, by which key; `fingerprint` for its body."""

    digest: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What is given again; `status` is None for an answer that showed a secret."""

    status: int | None
    body: bytes
    etag: str | None
    location: str | None


_keys = IdempotencyKey.__table__
_find = Prepared(
    select(
        *(_keys.c[name] for name in ("status", "body", "etag", "location", "fingerprint")),
        (_keys.c.created_at > bindparam("after")).label("is_current"),
    ).where(_keys.c.digest == bindparam("wanted"))
)
_delete_expired = Prepared(
    delete(_keys).where(
        _keys.c.digest == bindparam("expired"), _keys.c.created_at <= bindparam("before")
    )
)
_insert = Prepared(insert(_keys))

_running: dict[str, object] = {}
"""The requests that this process is answering, by digest: at most one for each of its threads."""


def find_answer(asked: KeyedRequest) -> StoredAnswer | None:
    """The answer to an earlier request. Raises IdempotencyKeyReused when that had another body."""
    after = now() - LASTS
    with read_connection() as connection:
        row = _find(connection, {"wanted": asked.digest, "after": after}).first()
    if row is None:
        return None
    if not row.is_current:
        with transaction() as connection:
            _delete_expired(connection, {"expired": asked.digest, "before": after})
        return None
    if row.fingerprint != asked.fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key has been used with another body.")
    return StoredAnswer(row.status, row.body, row.etag, row.location)


@contextmanager
def one_effect(asked: KeyedRequest) -> Iterator[None]:
    """Around all that a request does, and `store_answer`: both are committed at the end, or nothing.

    Raises Conflict while the same request is being answered. Where it has been answered since
    `find_answer`, the block fails, at the latest in `store_answer`.
    """
    with _only_one_here(asked.digest), deferred_commit(partial(_lock, asked.digest)):
        yield


@contextmanager
def _only_one_here(digest: str) -> Iterator[None]:
    token = object()
    if _running.setdefault(digest, token) is not token:
        raise _in_progress()
    try:
        yield
    finally:
        del _running[digest]


def _lock(digest: str, connection: Connection) -> None:
    """Be the only one to answer, until the transaction ends that has just begun."""
    if not try_advisory_lock(f"idempotency key {digest}"):
        raise _in_progress()


def _in_progress() -> Conflict:
    return Conflict(
        "A request with this Idempotency-Key is being processed. Try again soon.",
        code="request_in_progress",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def store_answer(asked: KeyedRequest, answer: StoredAnswer) -> None:
    """Store the answer, in the transaction of its effect. Raises Conflict when there is one already."""
    row = {
        "digest": asked.digest,
        "fingerprint": asked.fingerprint,
        "status": answer.status,
        "body": answer.body,
        "etag": answer.etag,
        "location": answer.location,
    }
    try:
        with transaction() as connection:
            _insert(connection, row)
    except IntegrityError:
        raise _in_progress() from None


def delete_expired_answers() -> int:
    """Forget answers that are given to nobody any more; how many there were."""
    return delete_in_batches(_keys, _keys.c.created_at <= now() - LASTS)
