"""Budgets: how often one network, and anybody for one address or account, may ask for something."""

import time
from dataclasses import dataclass
from math import ceil

from flask import current_app
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from quire.actor import Actor
from quire.errors import TooMany
from quire.store import attempts
from quire.store.networks import client_network


@dataclass(frozen=True)
class Budget:
    """What a network may have, and what may be had for one account or address."""

    network: RateLimitItem
    account: RateLimitItem


BUDGETS = {
    "register": Budget(parse("20/hour"), parse("5/hour")),
    "reset": Budget(parse("20/hour"), parse("5/hour")),
    "verify": Budget(parse("20/hour"), parse("5/hour")),
    "invite": Budget(parse("100/hour"), parse("5/hour")),
    "comment": Budget(parse("200/hour"), parse("30/hour")),
}


def spend(kind: str, account: str, actor: Actor) -> None:
    """Take one of what the network of `actor`, and `account`, may have. Raises TooMany."""
    tallies: Storage | None = current_app.extensions.get(attempts.STORAGE)
    if tallies is None:
        return
    limiter, budget = FixedWindowRateLimiter(tallies), BUDGETS[kind]
    keys = (
        (budget.network, client_network(actor.ip)),
        (budget.account, attempts.hashed(account)),
    )
    for item, key in keys:
        if not limiter.test(item, kind, key):
            reset = limiter.get_window_stats(item, kind, key).reset_time
            raise TooMany(max(1, ceil(reset - time.time())), item.amount)
    for item, key in keys:
        limiter.hit(item, kind, key)
