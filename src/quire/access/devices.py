"""Devices of administrators: a sign-in from one that is new is told to its owner by mail."""

import re

from flask import request

from quire.access.accounts import Account
from quire.access.links import mail_notice
from quire.declare.clock import now, rfc3339
from quire.store.credentials import digest
from quire.store.devices import is_new
from quire.store.networks import client_network

_NUMBERS = re.compile(r"[\d._]+")
LONGEST_AGENT = 200


def tell_of_new(owner: Account) -> None:
    """Note the device of this request; mail when it is another one of an administrator.

    A device is its program in its network. Versions do not count: browsers get a new one each month.
    """
    if owner.role != "admin":
        return
    agent = "".join(c for c in request.user_agent.string[:LONGEST_AGENT] if c.isprintable())
    mark = digest(f"{_NUMBERS.sub('', agent)}\n{client_network(request.remote_addr)}")
    if is_new(owner.id, mark):
        words = {"agent": agent or "unknown", "ip": request.remote_addr or "unknown"}
        mail_notice(owner.id, "new_device", time=rfc3339(now()), **words)
