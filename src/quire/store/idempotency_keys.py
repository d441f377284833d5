"""Idempotency keys: responses stored in the transaction of their effect, for repeated requests.

When the first transaction of a request begins, one statement looks for an earlier response; if there is
one, the transaction is rolled back. Keys are unique, so there is at most one effect. While the first
request is running, a repeated one is rejected immediately: this process knows its own requests, and
PostgreSQL has a lock that ends with the transaction. Other processes on SQLite wait for their turn to
write, as for every change.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    Connection,
    LargeBinary,
    Text,
    bindparam,
    delete,
    insert,
    literal,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.clock import now
from quire.declare.column_types import Time, Whole
from quire.declare.mixins import HasId
from quire.errors import Conflict, IdempotencyKeyReused
from quire.security.tokens import Digest
from quire.store.connections.prepared_statements import Prepared
from quire.store.db import Model, deferred_commit, has_one_writer, read_connection, transaction
from quire.store.transactions.advisory_locks import TRY_LOCK
from quire.store.transactions.long_work import delete_in_batches

LIFETIME = timedelta(hours=24)
"""How long a response can be repeated."""
RETRY_SECONDS = 1
"""When to retry a request that is still running."""


class IdempotencyKey(HasId, Model):
    """The response to the request that `digest` identifies; `fingerprint` is that of its body.

    A response with a secret is not stored: it has no `status`, and `location` is the record's URL.
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
    """A request with a key: `digest` covers its sender, its path and the key, `fingerprint` its body."""

    digest: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A response to repeat; `status` is None if it contained a secret."""

    status: int | None
    body: bytes
    etag: str | None
    location: str | None


_keys = IdempotencyKey.__table__
_is_asked = _keys.c.digest == bindparam("key_digest")
_find = Prepared(
    select(
        *(_keys.c[name] for name in ("status", "body", "etag", "location", "fingerprint")),
        (_keys.c.created_at > bindparam("after")).label("is_current"),
    ).where(_is_asked)
)
_is_known = select(_keys.c.id).where(_is_asked).exists()
_is_free = Prepared(select(~_is_known, literal(True)))
_is_free_and_locked = Prepared(select(~_is_known, TRY_LOCK))
"""Whether a key is unused, and whether no other request is using it now. Two columns, as most keys are unused."""
_delete_expired = Prepared(
    delete(_keys).where(
        _keys.c.digest == bindparam("expired"), _keys.c.created_at <= bindparam("before")
    )
)
_insert = Prepared(insert(_keys), deferred=True)

_running: dict[str, object] = {}
"""The requests that this process is handling, by digest; at most one per thread."""


class AlreadyAnswered(Exception):
    """The request was answered before, with this `answer`. Not a Problem, since nothing is wrong."""

    def __init__(self, answer: StoredAnswer):
        super().__init__()
        self.answer = answer


def find_answer(request: KeyedRequest) -> StoredAnswer | None:
    """The response to an earlier request with this key. Raises IdempotencyKeyReused if its body was different."""
    values = {"key_digest": request.digest, "after": now() - LIFETIME}
    with read_connection() as connection:
        rows = _find(connection, values)
    return _answer_in(rows[0], request) if rows else None


def _answer_in(row: Sequence[Any], request: KeyedRequest) -> StoredAnswer | None:
    *answer, fingerprint, is_current = row
    if not is_current:
        return None
    if fingerprint != request.fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key has been used with another body.")
    return StoredAnswer(*answer)


@contextmanager
def one_effect(request: KeyedRequest) -> Iterator[None]:
    """Commit the work of a request together with `store_answer`, or neither.

    Raises Conflict while the same request is in progress; AlreadyAnswered and IdempotencyKeyReused when
    the first transaction begins. If another process answers the request after that, this one fails at
    its end.
    """
    claiming = deferred_commit(partial(_claim, request))
    with _only_one_here(request.digest), _no_other_answer(), claiming:
        yield


@contextmanager
def _no_other_answer() -> Iterator[None]:
    """Translate a duplicate key, in the INSERT of a response or its commit, into Conflict."""
    try:
        yield
    except IntegrityError as error:
        if IdempotencyKey.__tablename__ not in str(error.orig):
            raise
        raise _in_progress() from None


@contextmanager
def _only_one_here(digest: str) -> Iterator[None]:
    token = object()
    if _running.setdefault(digest, token) is not token:
        raise _in_progress()
    try:
        yield
    finally:
        del _running[digest]


def _claim(request: KeyedRequest, connection: Connection) -> None:
    """Look for a response in the transaction that has just begun, and lock the key until it ends.

    SQLite has a single writer and needs no lock. Raises AlreadyAnswered, IdempotencyKeyReused, Conflict.
    """
    look = _is_free if has_one_writer() else _is_free_and_locked
    names = {"key_digest": request.digest, "lock_name": f"idempotency key {request.digest}"}
    [(is_free, is_locked)] = look(connection, names)
    answer = None if is_free else find_answer(request)
    if answer is not None:
        raise AlreadyAnswered(answer)
    if not is_locked:
        raise _in_progress()
    if not is_free:
        _delete_expired(connection, {"expired": request.digest, "before": now() - LIFETIME})


def _in_progress() -> Conflict:
    return Conflict(
        "A request with this Idempotency-Key is being processed. Try again soon.",
        code="request_in_progress",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def store_answer(request: KeyedRequest, answer: StoredAnswer) -> None:
    """Store the response in the transaction of its effect."""
    row = {
        "digest": request.digest,
        "fingerprint": request.fingerprint,
        "status": answer.status,
        "body": answer.body,
        "etag": answer.etag,
        "location": answer.location,
    }
    with transaction() as connection:
        _insert(connection, row)


def delete_expired_answers() -> int:
    """Delete expired responses; return how many there were."""
    return delete_in_batches(_keys, _keys.c.created_at <= now() - LIFETIME)
