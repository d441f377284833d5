"""The checks for missing administrators and for administrators without a second factor."""

from quire.actor import SYSTEM
from quire.checks import accounts
from quire.records import USERS
from quire.records.accounts.second_factors import TotpDevice
from quire.store.db import transaction
from quire.store.write import update


def test_administrator_without_a_second_factor_is_reported(app, people):
    with app.app_context():
        assert accounts.check_second_factors().reason.endswith("factor: root.")
        device = {"user_id": people["root"].id, "secret": "sealed"}
        with transaction() as connection:
            connection.execute(TotpDevice.__table__.insert().values(**device))
        assert accounts.check_second_factors().status == "ok"


def test_missing_administrator_is_an_error(app, people):
    with app.app_context():
        assert accounts.check_administrator().status == "ok"
        with transaction() as connection:
            connection.execute(USERS.model.__table__.update().values(role="member"))
        result = accounts.check_administrator()
    assert result.status == "error" and "users create" in result.action


def test_only_the_first_names_are_listed(app, people):
    with app.app_context():
        for name in ("mod", "ann", "abe", "bob"):
            update(USERS, SYSTEM, people[name].id, {"role": "admin"})
        assert accounts.check_second_factors().reason.endswith("factor: abe, ann, bob and others.")
