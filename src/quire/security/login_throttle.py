"""Slows down the guessing of passwords, codes and tokens: counts failures and delays the next attempt.

An attempt is counted before it is checked and uncounted if it was right, so that simultaneous attempts count as
well. Nobody is locked out: the owner of an account only has to wait on the network that the guesses come from, and
at most a minute if they come from everywhere.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil

from blinker import Signal
from flask import current_app
from limits.storage import Storage

from quire.actor import Actor
from quire.errors import TooManyRequests, Unavailable
from quire.security.client_network import client_network

HOUR = 3600
MAX_DELAY_SECONDS = 60
"""The longest delay between two attempts; the first is one second, and it doubles each time."""
KNOWN_SECONDS = 30 * 24 * HOUR
"""How long a network is remembered from which the user has signed in."""
RESET_SECONDS = 24 * HOUR
"""How long a reset is remembered, which is longer than any failure counts."""
STORAGE = "quire_counters"
attempts_throttled = Signal(
    "The actor `sender` has to wait before another attempt of this `kind` on the account `id`."
)


@dataclass(frozen=True)
class Delay:
    """The first `free` failures in `seconds` cost nothing; after each further one, the next attempt has to wait."""

    free: int
    seconds: int


@dataclass(frozen=True)
class Limits:
    """The limits for failures of one kind.

    They apply to an account from one network, to a network with all accounts, and to an account from all networks
    on which nobody has signed in to it.
    """

    network: Delay
    both: Delay | None = None
    account: Delay | None = None


KINDS = {
    "password": Limits(Delay(30, HOUR // 4), Delay(5, HOUR), Delay(20, 60)),
    # with a million codes, distributed guessing must be slower than with passwords
    "code": Limits(Delay(30, HOUR // 4), Delay(5, HOUR), Delay(20, HOUR)),
    "token": Limits(Delay(30, HOUR // 4)),
}


@dataclass
class Attempt:
    """An attempt that is being checked; the caller sets `right` if it succeeds."""

    right: bool = False


@dataclass
class CountedAttempt:
    """One attempt in the counters."""

    counters: Storage
    increments: list[tuple[str, Delay]] = field(default_factory=list)

    def take(self, key: str, delay: Delay) -> int:
        """Count the attempt; return the seconds it has to wait, or 0 if it can be made now."""
        number = self.counters.incr(key, delay.seconds)
        self.increments.append((key, delay))
        excess = number - delay.free
        if excess <= 0 or self.counters.incr(_wait_key(key), _delay_seconds(excess)) == 1:
            return 0
        self.counters.incr(key, delay.seconds, -1)
        self.increments.pop()
        return max(1, ceil(self.counters.get_expiry(_wait_key(key)) - time.time()))

    def undo(self) -> None:
        """Uncount the attempt."""
        for key, delay in self.increments:
            if self.counters.incr(key, delay.seconds, -1) >= delay.free:
                self.counters.clear(_wait_key(key))


def _wait_key(key: str) -> str:
    return f"{key}:wait"


def _delay_seconds(excess: int) -> int:
    return min(2 ** min(excess - 1, 10), MAX_DELAY_SECONDS)


@contextmanager
def count_attempt(
    kind: str, account: str, actor: Actor, id: int | None = None
) -> Iterator[Attempt]:
    """Check an attempt: `with count_attempt("password", email, actor) as attempt: attempt.right = ...`.

    `account` is any text that identifies one ("" for none), `id` goes to the audit. An attempt counts
    as a failure unless `right` is set or Unavailable is raised. Raises TooManyRequests before the block runs.
    """
    counters: Storage | None = current_app.extensions.get(STORAGE)
    attempt = Attempt()
    if counters is None:
        yield attempt
        return
    counted_attempt, keys = CountedAttempt(counters), _Keys(counters, kind, account, actor.ip)
    _count_or_refuse(counted_attempt, keys, actor, id)
    try:
        yield attempt
    except Unavailable:
        counted_attempt.undo()
        raise
    if attempt.right:
        counted_attempt.undo()
        keys.succeed()


def _count_or_refuse(
    counted_attempt: CountedAttempt, keys: "_Keys", actor: Actor, id: int | None
) -> None:
    for key, delay in keys.due():
        seconds = counted_attempt.take(key, delay)
        if seconds:
            counted_attempt.undo()
            if counted_attempt.counters.incr(f"{key}:told", seconds) == 1:
                attempts_throttled.send(actor, id=id, kind=keys.kind)
            raise TooManyRequests(keys.kind, delay.free, delay.seconds, seconds)


class _Keys:
    """The names of the counters of one attempt; those of an account contain no address."""

    def __init__(self, counters: Storage, kind: str, account: str, ip: str | None):
        self.counters, self.kind = counters, kind
        self.network = f"{kind}:{client_network(ip)}"
        self.account = f"{kind}:{_account_key(counters, account)}" if account else ""
        self.both = f"{self.account}:{client_network(ip)}"
        self.known = f"{self.both}:known"

    def due(self) -> Iterator[tuple[str, Delay]]:
        """The counters that apply, with their limits."""
        limits = KINDS[self.kind]
        if limits.both and self.account:
            yield self.both, limits.both
        yield self.network, limits.network
        if limits.account and self.account and not self.counters.get(self.known):
            yield self.account, limits.account

    def succeed(self) -> None:
        """Reset the failures from this network, and remember the network."""
        if self.account:
            self.counters.clear(self.both)
            self.counters.clear(_wait_key(self.both))
            self.counters.incr(self.known, KNOWN_SECONDS)


def _account_key(counters: Storage, account: str) -> str:
    """The key of an account, which changes each time its failures are reset."""
    resets = counters.get(_reset_key(account))
    return account_hash(f"{resets}:{account}")


def _reset_key(account: str) -> str:
    return f"forgiven:{account_hash(account)}"


def account_hash(account: str) -> str:
    """The hash that identifies an account in the names of counters."""
    return hashlib.sha256(account.encode("utf-8", "replace")).hexdigest()[:32]


def reset(*accounts: str) -> None:
    """Reset the failures of accounts, from all networks."""
    counters: Storage | None = current_app.extensions.get(STORAGE)
    if counters is not None:
        for account in accounts:
            counters.incr(_reset_key(account), RESET_SECONDS)
