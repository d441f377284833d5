"""Attempts to prove something: how many were wrong lately, and how long the next one has to wait.

An attempt is counted before it is looked at and taken back when it was right, so that attempts made
at the same time count as well. Nobody is locked out: who is guessed at waits nowhere but where the
guesses come from, and for a minute where they come from everywhere.
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
LONGEST = 60
"""The longest delay between two attempts in seconds; the first is one second, each next one twice."""
KNOWN_SECONDS = 30 * 24 * HOUR
"""How long a network is known from which somebody has signed in."""
RESET_SECONDS = 24 * HOUR
"""How long it is remembered that failures are forgiven: longer than these count."""
STORAGE = "quire_tallies"
attempts_throttled = Signal(
    "The actor `sender` has to wait before another attempt of this `kind` on the account `id`."
)


@dataclass(frozen=True)
class Delay:
    """`free` failures in `seconds` cost nothing; after each one more the next attempt has to wait."""

    free: int
    seconds: int


@dataclass(frozen=True)
class Limits:
    """How failures of one kind count: for an account from one network, for a network with all
    accounts, for an account from all networks that nobody has signed in to it from."""

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
    """An attempt that is looked at; `right` is set by whoever finds that it was no mere guess."""

    right: bool = False


@dataclass
class CountedAttempt:
    """One attempt in the counters."""

    tallies: Storage
    taken: list[tuple[str, Delay]] = field(default_factory=list)

    def take(self, key: str, delay: Delay) -> int:
        """Count the attempt; the seconds it would have to wait, 0 when it may be made now."""
        number = self.tallies.incr(key, delay.seconds)
        self.taken.append((key, delay))
        beyond = number - delay.free
        if beyond <= 0 or self.tallies.incr(_wait_key(key), _delay_seconds(beyond)) == 1:
            return 0
        self.tallies.incr(key, delay.seconds, -1)
        self.taken.pop()
        return max(1, ceil(self.tallies.get_expiry(_wait_key(key)) - time.time()))

    def undo(self) -> None:
        """Make it as if there had been no attempt."""
        for key, delay in self.taken:
            if self.tallies.incr(key, delay.seconds, -1) >= delay.free:
                self.tallies.clear(_wait_key(key))


def _wait_key(key: str) -> str:
    return f"{key}:wait"


def _delay_seconds(beyond: int) -> int:
    return min(2 ** min(beyond - 1, 10), LONGEST)


@contextmanager
def count_attempt(
    kind: str, account: str, actor: Actor, id: int | None = None
) -> Iterator[Attempt]:
    """Look at an attempt: `with count_attempt("password", email, actor) as attempt: attempt.right = ...`.

    `account` is any text that stands for one ("" for none), `id` goes to the audit. What is not
    found right counts as a failure, but for Unavailable. Raises TooManyRequests before anything is looked at.
    """
    tallies: Storage | None = current_app.extensions.get(STORAGE)
    made = Attempt()
    if tallies is None:
        yield made
        return
    turn, keys = CountedAttempt(tallies), _Keys(tallies, kind, account, actor.ip)
    _enter(turn, keys, actor, id)
    try:
        yield made
    except Unavailable:
        turn.undo()
        raise
    if made.right:
        turn.undo()
        keys.succeed()


def _enter(turn: CountedAttempt, keys: "_Keys", actor: Actor, id: int | None) -> None:
    for key, delay in keys.due():
        seconds = turn.take(key, delay)
        if seconds:
            turn.undo()
            if turn.tallies.incr(f"{key}:told", seconds) == 1:
                attempts_throttled.send(actor, id=id, kind=keys.kind)
            raise TooManyRequests(seconds, delay.free)


class _Keys:
    """The names of the counters of one attempt; those of an account hold no address."""

    def __init__(self, tallies: Storage, kind: str, account: str, ip: str | None):
        self.tallies, self.kind = tallies, kind
        self.network = f"{kind}:{client_network(ip)}"
        self.account = f"{kind}:{_account_key(tallies, account)}" if account else ""
        self.both = f"{self.account}:{client_network(ip)}"
        self.known = f"{self.both}:known"

    def due(self) -> Iterator[tuple[str, Delay]]:
        """The counters that count, with what they allow."""
        limits = KINDS[self.kind]
        if limits.both and self.account:
            yield self.both, limits.both
        yield self.network, limits.network
        if limits.account and self.account and not self.tallies.get(self.known):
            yield self.account, limits.account

    def succeed(self) -> None:
        """Forget failures from here, and know this network from now on."""
        if self.account:
            self.tallies.clear(self.both)
            self.tallies.clear(_wait_key(self.both))
            self.tallies.incr(self.known, KNOWN_SECONDS)


def _account_key(tallies: Storage, account: str) -> str:
    """What stands for an account; another one each time that its failures have been forgiven."""
    forgiven = tallies.get(_reset_key(account))
    return account_hash(f"{forgiven}:{account}")


def _reset_key(account: str) -> str:
    return f"forgiven:{account_hash(account)}"


def account_hash(account: str) -> str:
    """What stands for an address in the names of counters."""
    return hashlib.sha256(account.encode("utf-8", "replace")).hexdigest()[:32]


def reset(*accounts: str) -> None:
    """Forget all failures of accounts, from everywhere."""
    tallies: Storage | None = current_app.extensions.get(STORAGE)
    if tallies is not None:
        for account in accounts:
            tallies.incr(_reset_key(account), RESET_SECONDS)
