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

from flask import current_app
from limits.storage import Storage

from quire.actor import Actor
from quire.errors import TooMany, Unavailable
from quire.store.audit import note
from quire.store.networks import client_network

HOUR = 3600
LONGEST = 60
"""The longest delay between two attempts in seconds; the first is one second, each next one twice."""
KNOWN_SECONDS = 30 * 24 * HOUR
"""How long a network is known from which somebody has signed in."""
FORGIVEN_SECONDS = 24 * HOUR
"""How long it is remembered that failures are forgiven: longer than these count."""
STORAGE = "quire_tallies"


@dataclass(frozen=True)
class Delay:
    """`free` failures in `seconds` cost nothing; after each one more the next attempt has to wait."""

    free: int
    seconds: int


@dataclass(frozen=True)
class Guarded:
    """How failures of one kind count: for an account from one network, for a network with all
    accounts, for an account from all networks that nobody has signed in to it from."""

    network: Delay
    both: Delay | None = None
    account: Delay | None = None


KINDS = {
    "password": Guarded(Delay(30, HOUR // 4), Delay(5, HOUR), Delay(20, 60)),
    # with a million codes, distributed guessing must be slower than with passwords
    "code": Guarded(Delay(30, HOUR // 4), Delay(5, HOUR), Delay(20, HOUR)),
    "token": Guarded(Delay(30, HOUR // 4)),
}


@dataclass
class Guess:
    """An attempt that is looked at; `right` is set by whoever finds that it was no mere guess."""

    right: bool = False


@dataclass
class Turn:
    """One attempt in the counters."""

    tallies: Storage
    taken: list[tuple[str, Delay]] = field(default_factory=list)

    def take(self, key: str, delay: Delay) -> int:
        """Count the attempt; the seconds it would have to wait, 0 when it may be made now."""
        number = self.tallies.incr(key, delay.seconds)
        self.taken.append((key, delay))
        beyond = number - delay.free
        if beyond <= 0 or self.tallies.incr(_wait(key), _growing(beyond)) == 1:
            return 0
        self.tallies.incr(key, delay.seconds, -1)
        self.taken.pop()
        return max(1, ceil(self.tallies.get_expiry(_wait(key)) - time.time()))

    def give_back(self) -> None:
        """Make it as if there had been no attempt."""
        for key, delay in self.taken:
            if self.tallies.incr(key, delay.seconds, -1) >= delay.free:
                self.tallies.clear(_wait(key))


def _wait(key: str) -> str:
    return f"{key}:wait"


def _growing(beyond: int) -> int:
    return min(2 ** min(beyond - 1, 10), LONGEST)


@contextmanager
def guess(kind: str, account: str, actor: Actor, id: int | None = None) -> Iterator[Guess]:
    """Look at an attempt: `with guess("password", email, actor) as it: it.right = ...`.

    `account` is any text that stands for one ("" for none), `id` goes to the audit. What is not
    found right counts as a failure, but for Unavailable. Raises TooMany before anything is looked at.
    """
    tallies: Storage | None = current_app.extensions.get(STORAGE)
    made = Guess()
    if tallies is None:
        yield made
        return
    turn, keys = Turn(tallies), _Keys(tallies, kind, account, actor.ip)
    _enter(turn, keys, actor, id)
    try:
        yield made
    except Unavailable:
        turn.give_back()
        raise
    if made.right:
        turn.give_back()
        keys.succeed()


def _enter(turn: Turn, keys: "_Keys", actor: Actor, id: int | None) -> None:
    for key, delay in keys.due():
        seconds = turn.take(key, delay)
        if seconds:
            turn.give_back()
            if turn.tallies.incr(f"{key}:told", seconds) == 1:
                note(actor, "sign_in_throttled", "users", id, keys.kind)
            raise TooMany(seconds, delay.free)


class _Keys:
    """The names of the counters of one attempt; those of an account hold no address."""

    def __init__(self, tallies: Storage, kind: str, account: str, ip: str | None):
        self.tallies, self.kind = tallies, kind
        self.network = f"{kind}:{client_network(ip)}"
        self.account = f"{kind}:{_named(tallies, account)}" if account else ""
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
            self.tallies.clear(_wait(self.both))
            self.tallies.incr(self.known, KNOWN_SECONDS)


def _named(tallies: Storage, account: str) -> str:
    """What stands for an account; another one each time that its failures have been forgiven."""
    forgiven = tallies.get(_forgiven(account))
    return hashed(f"{forgiven}:{account}")


def _forgiven(account: str) -> str:
    return f"forgiven:{hashed(account)}"


def hashed(account: str) -> str:
    """What stands for an address in the names of counters."""
    return hashlib.sha256(account.encode("utf-8", "replace")).hexdigest()[:32]


def forgive(*accounts: str) -> None:
    """Forget all failures of accounts, from everywhere."""
    tallies: Storage | None = current_app.extensions.get(STORAGE)
    if tallies is not None:
        for account in accounts:
            tallies.incr(_forgiven(account), FORGIVEN_SECONDS)
