"""Emails administrators when they sign in on a new device."""

import re

from flask import request

from quire.auth.account_links import mail_notice
from quire.auth.accounts import Account
from quire.declare.clock import now, rfc3339
from quire.records.accounts.known_devices import is_new
from quire.security.client_network import client_network
from quire.security.tokens import digest

_NUMBERS = re.compile(r"[\d._]+")
LONGEST_AGENT = 200


def notify_of_new_device(owner: Account) -> None:
    """Record the device of this request; email administrators if it is new.

    A device is a program in a network. Versions do not count, since browsers get a new one each
    month.
    """
    if owner.role != "admin":
        return
    agent = "".join(c for c in request.user_agent.string[:LONGEST_AGENT] if c.isprintable())
    mark = digest(f"{_NUMBERS.sub('', agent)}\n{client_network(request.remote_addr)}")
    if is_new(owner.id, mark):
        words = {"agent": agent or "unknown", "ip": request.remote_addr or "unknown"}
        mail_notice(owner.id, "new_device", time=rfc3339(now()), **words)
