"""Budgets: how often one network, and anybody for one address or account, may ask for something."""

import time
from dataclasses import dataclass
from math import ceil

from flask import current_app
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from quire.actor import Actor
from quire.errors import TooManyRequests
from quire.security import login_throttle
from quire.security.client_network import client_network


@dataclass(frozen=True)
class Quota:
    """What a network may have, and what may be had for one account or address."""

    network: RateLimitItem
    account: RateLimitItem


QUOTAS = {
    "register": Quota(parse("20/hour"), parse("5/hour")),
    "reset": Quota(parse("20/hour"), parse("5/hour")),
    "verify": Quota(parse("20/hour"), parse("5/hour")),
    "invite": Quota(parse("100/hour"), parse("5/hour")),
    "comment": Quota(parse("200/hour"), parse("30/hour")),
}


def consume(kind: str, account: str, actor: Actor) -> None:
    """Take one of what the network of `actor`, and `account`, may have. Raises TooManyRequests."""
    tallies: Storage | None = current_app.extensions.get(login_throttle.STORAGE)
    if tallies is None:
        return
    limiter, budget = FixedWindowRateLimiter(tallies), QUOTAS[kind]
    keys = (
        (budget.network, client_network(actor.ip)),
        (budget.account, login_throttle.account_hash(account)),
    )
    for item, key in keys:
        if not limiter.test(item, kind, key):
            reset = limiter.get_window_stats(item, kind, key).reset_time
            raise TooManyRequests(max(1, ceil(reset - time.time())), item.amount)
    for item, key in keys:
        limiter.hit(item, kind, key)
