"""Quotas: how often a network, and all networks together for one account, may ask for something."""

import time
from dataclasses import dataclass
from functools import partial
from math import ceil

from flask import Response, after_this_request, current_app, has_request_context
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from limits.util import WindowStats

from quire.actor import Actor
from quire.errors import TooManyRequests, rate_limit_headers
from quire.security import login_throttle
from quire.security.client_network import client_network


@dataclass(frozen=True)
class Quota:
    """The rate limits of a network, and of an account or address."""

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
    """Use one unit of the quotas of the actor's network and of `account`. Raises TooManyRequests."""
    counters: Storage | None = current_app.extensions.get(login_throttle.STORAGE)
    if counters is None:
        return
    limiter, quota = FixedWindowRateLimiter(counters), QUOTAS[kind]
    keys = (
        (quota.network, client_network(actor.ip)),
        (quota.account, login_throttle.account_hash(account)),
    )
    for item, key in keys:
        if not limiter.test(item, kind, key):
            reset = limiter.get_window_stats(item, kind, key).reset_time
            seconds = max(1, ceil(reset - time.time()))
            raise TooManyRequests(kind, item.amount, item.get_expiry(), seconds)
    for item, key in keys:
        limiter.hit(item, kind, key)
    if has_request_context():
        # how often others ask for an account concerns only its owner
        own = keys[0] if actor.user_id is None else keys[1]
        after_this_request(
            partial(_add_headers, kind, own[0], limiter.get_window_stats(own[0], kind, own[1]))
        )


def _add_headers(
    kind: str, item: RateLimitItem, stats: WindowStats, response: Response
) -> Response:
    """Add the remainder of a quota to the headers."""
    seconds = max(1, ceil(stats.reset_time - time.time()))
    headers = rate_limit_headers(kind, item.amount, item.get_expiry(), stats.remaining, seconds)
    response.headers.update(headers)
    return response
