"""Checks of accounts: whether there is an administrator, and how well they are protected."""

from sqlalchemy import select

from quire.auth import first_admin
from quire.checks.check import OK, Check, error, warning
from quire.records import USERS
from quire.records.accounts.second_factors import Passkey, TotpDevice
from quire.store.db import read_connection
from quire.translations.messages import Message

MAX_NAMES = 3


def check_administrator() -> Check:
    """Check whether there is an administrator."""
    if first_admin.is_needed():
        action = Message("Create one: manage.py users create USERNAME EMAIL --role admin.")
        return error(Message("There is no active administrator."), action)
    return OK


def check_second_factors() -> Check:
    """Check whether each administrator has a second factor."""
    names = _admins_without_second_factor()
    if not names:
        return OK
    shown = ", ".join(names[:MAX_NAMES])
    reason = (
        Message("Administrators without a second factor: %(names)s and others.", names=shown)
        if len(names) > MAX_NAMES
        else Message("Administrators without a second factor: %(names)s.", names=shown)
    )
    return warning(
        reason,
        Message(
            "Let them set one up at /profile/two-factor; REQUIRE_ADMIN_TWO_FACTOR enforces it."
        ),
    )


def _admins_without_second_factor() -> list[str]:
    users = USERS.model.__table__
    statement = select(users.c.username).where(users.c.role == "admin", users.c.is_active)
    for factor in (TotpDevice.__table__, Passkey.__table__):
        statement = statement.where(
            ~select(factor.c.id).where(factor.c.user_id == users.c.id).exists()
        )
    with read_connection() as connection:
        statement = statement.order_by(users.c.username).limit(MAX_NAMES + 1)
        return list(connection.execute(statement).scalars())
