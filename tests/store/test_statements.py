"""Statements compiled once say what SQLAlchemy would have said."""

from sqlalchemy import and_, bindparam, insert, select

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.store import audit
from quire.store.db import read_connection, transaction
from quire.store.statements import Prepared

TABLE = audit.AuditEvent.__table__
ROW = audit.audit_row(SYSTEM, "create", "posts", 7, ["title", "tags"])


def kept(app, add):
    """The one audit row that `add(connection)` leaves."""
    with app.app_context():
        with transaction() as connection:
            add(connection)
        with read_connection() as connection:
            last = select(TABLE).order_by(TABLE.c.id.desc()).limit(1)
            return connection.execute(last).one()._asdict()


def test_an_insert_takes_defaults_and_nulls(app):
    one = kept(app, lambda connection: Prepared(insert(TABLE))(connection, [ROW, ROW]))
    other = kept(app, lambda connection: connection.execute(insert(TABLE), ROW))
    assert other.pop("id") == one.pop("id") + 1
    assert abs((other.pop("created_at") - one.pop("created_at")).total_seconds()) < 60
    assert one == other
    assert one["fields"] == ["title", "tags"]
    assert one["ip"] is None


def test_a_select_takes_parameters_and_constants(app):
    kept(app, lambda connection: Prepared(insert(TABLE))(connection, {**ROW, "created_at": now()}))
    sought = and_(
        TABLE.c.record_id == bindparam("id"),
        TABLE.c.type == "posts",
        TABLE.c.created_at <= bindparam("until", type_=TABLE.c.created_at.type),
    )
    find = Prepared(select(TABLE.c.action).where(sought))
    with app.app_context(), read_connection() as connection:
        assert find(connection, {"id": 7, "until": now()}).scalars().all() == ["create"]
        assert find(connection, {"id": 8, "until": now()}).scalars().all() == []
