"""One test for each registered record type."""

import pytest

import quire.records  # noqa: F401
from quire.api.bulk import write_rules
from quire.declare.record import REGISTRY
from quire.declare.rules import NOBODY
from tests.extended_set import sampled
from tests.users import ROLES

NAMES = {"anonymous": None, **{role: name for name, role in reversed(ROLES.items())}}


def pytest_generate_tests(metafunc):
    """Parametrize tests by record types.

    `record`: every type; `made`: those that users create; `changed`: those that users change; `deleted`: those that
    users create and delete; `bulk`: those with bulk requests. If a test is marked `of_every_run("posts")`, all other
    types are slow.
    """
    records = list(REGISTRY.values())
    chosen = {
        "record": records,
        "listed": [r for r in records if not r.singleton],
        "made": [r for r in records if r.access.create is not NOBODY],
        "changed": [r for r in records if r.access.update is not NOBODY],
        "deleted": [r for r in records if NOBODY not in (r.access.create, r.access.delete)],
        "bulk": [r for r in records if write_rules(r)],
    }
    mark = metafunc.definition.get_closest_marker("of_every_run")
    for name, some in chosen.items():
        if name in metafunc.fixturenames:
            default = [r for r in some if mark is None or r.path in mark.args]
            metafunc.parametrize(name, sampled(some, default), ids=[r.path for r in some])


@pytest.fixture
def by_role(as_):
    """`by_role("author")`: a client of a user with that role."""
    return lambda role: as_(NAMES[role])


@pytest.fixture
def in_app_context(app):
    """`in_app_context(function, ...)` calls it in an application context, outside of any request."""

    def call(function, *args, **kwargs):
        with app.app_context():
            return function(*args, **kwargs)

    return call


def address(record, id=None):
    """Return the address of one record, or of the list without an id."""
    if record.singleton or id is None:
        return record.path
    return f"{record.path}/{id}"
