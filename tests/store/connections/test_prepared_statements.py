"""Statements compiled once say what SQLAlchemy would have said."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    null,
    or_,
    select,
)

from quire.actor import SYSTEM
from quire.declare.clock import now
from quire.declare.sql_types import DecimalNumber, UTCDateTime
from quire.declare.unicode_text import CaseFolded
from quire.store import audit
from quire.store.connections.many_rows import AT_ONCE
from quire.store.connections.prepared_statements import Prepared, WithLists, prepare
from quire.store.db import db, read_connection, transaction

TABLE = audit.AuditEvent.__table__
ROW = audit.audit_row(SYSTEM, "create", "posts", 7, ["title", "tags"])


def kept(app, add):
    """Return the one audit row that `add(connection)` leaves."""
    with app.app_context():
        with transaction() as connection:
            add(connection)
        with read_connection() as connection:
            last = select(TABLE).order_by(TABLE.c.id.desc()).limit(1)
            return connection.execute(last).one()._asdict()


def test_insert_uses_defaults_and_nulls(app):
    one = kept(app, lambda connection: Prepared(insert(TABLE))(connection, [ROW, ROW]))
    other = kept(app, lambda connection: connection.execute(insert(TABLE), ROW))
    assert other.pop("id") == one.pop("id") + 1
    assert abs((other.pop("created_at") - one.pop("created_at")).total_seconds()) < 60
    assert one == other
    assert one["fields"] == ["title", "tags"]
    assert one["ip"] is None


def test_select_takes_parameters_and_constants(app):
    kept(app, lambda connection: Prepared(insert(TABLE))(connection, {**ROW, "created_at": now()}))
    sought = and_(
        TABLE.c.record_id == bindparam("id"),
        TABLE.c.type == "posts",
        TABLE.c.created_at <= bindparam("until", type_=TABLE.c.created_at.type),
    )
    find = Prepared(select(TABLE.c.action).where(sought))
    with app.app_context(), read_connection() as connection:
        assert find(connection, {"id": 7, "until": now()}) == [("create",)]
        assert find(connection, {"id": 8, "until": now()}) == []


KINDS = Table(
    "kinds_of_values",
    MetaData(),
    Column("id", Integer(), primary_key=True),
    Column("row", Integer()),  # a word of SQL
    Column("text", Text(), default="none"),
    Column("folded", CaseFolded(50)),
    Column("flag", Boolean()),
    Column("moment", UTCDateTime()),
    Column("price", DecimalNumber()),
    Column("point", JSON(none_as_null=True)),
    Column("extra", JSON()),
)
VALUES = [
    {"row": 1, "text": "\\u0000 \\ ' \" % %s {} \U0001f30a", "flag": True, "point": {"x": [None, "ü"]}},
    {"row": -(2**31), "folded": "Straße", "moment": datetime(1, 2, 3, tzinfo=UTC), "point": None},
    {"row": None, "text": "", "flag": False, "moment": now(), "price": Decimal("9999999999.99")},
]  # fmt: skip


@pytest.fixture
def kinds(app):
    """A table of its own with a column of each kind."""
    with app.app_context():
        KINDS.create(db.engine)
        yield KINDS
        KINDS.drop(db.engine)


def stored(write):
    """Return what a call leaves in the table, without the ids."""
    with db.engine.begin() as connection:
        write(connection)
        rows = connection.execute(select(KINDS).order_by(KINDS.c.id)).all()
        connection.execute(delete(KINDS))
        return [row[1:] for row in rows]


def test_many_rows_are_stored_like_single_ones(kinds):
    many = stored(lambda connection: Prepared(insert(kinds))(connection, VALUES))
    single = stored(lambda connection: [connection.execute(insert(kinds), one) for one in VALUES])
    assert many == single
    assert [row[1] for row in many] == [VALUES[0]["text"], "none", ""]


@pytest.mark.parametrize("count", [AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 1])
def test_groups_of_rows_are_stored_in_their_order(kinds, count):
    rows = [{**VALUES[number % 3], "row": number} for number in range(count)]
    many = stored(lambda connection: Prepared(insert(kinds))(connection, rows))
    single = stored(lambda connection: [connection.execute(insert(kinds), one) for one in rows])
    assert many == single
    assert [row[0] for row in many] == list(range(count))


@pytest.mark.parametrize("same", [[1], {"a": True}])
def test_equal_values_of_other_types_are_kept_apart(kinds, same):
    """Python calls 1 and True equal; to JSON they are not."""
    rows = [{"row": 1, "extra": same}, {"row": 1, "extra": [True]}, {"row": True, "extra": same}]
    many = stored(lambda connection: Prepared(insert(kinds))(connection, rows))
    assert [repr(row[-1]) for row in many] == [repr(same), "[True]", repr(same)]


def test_omitted_columns_are_null(kinds):
    """Not the null of JSON, which is a value."""
    is_null = select(func.count()).where(kinds.c.extra.is_(null()))
    with db.engine.begin() as connection:
        add = Prepared(insert(kinds))
        add(connection, VALUES)
        add(connection, VALUES[0])
        add.insert_one(connection, VALUES[1])
        assert connection.execute(is_null).scalar() == 5


def test_many_rows_update_existing_ones(kinds):
    add = Prepared(insert(kinds), True, "ON CONFLICT (id) DO UPDATE SET text = excluded.text")

    def write(connection):
        add(connection, [{"id": 1, "text": "old", "row": 1}])
        add(connection, [{"id": 1, "text": "new", "row": 2}, {"id": 2, "text": "two", "row": 3}])

    assert [row[:2] for row in stored(write)] == [(1, "new"), (3, "two")]


@pytest.mark.parametrize("is_list", [False, True])
def test_rows_are_fetched_as_the_caller_wants(app, is_list):
    ids = (
        TABLE.c.id.in_(bindparam("ids", expanding=True))
        if is_list
        else TABLE.c.id == bindparam("ids")
    )
    find, asked = prepare(select(TABLE.c.type, TABLE.c.fields).where(ids)), []

    def fetch(cursor):
        asked.append(1)
        return cursor.fetchmany(1)

    with app.app_context(), transaction() as connection:
        id = Prepared(insert(TABLE)).insert_one(connection, ROW)
        rows = find(connection, {"ids": [id] if is_list else id}, fetch)
    assert (rows, asked) == ([("posts", ["title", "tags"])], [1])
    assert type(find) is (WithLists if is_list else Prepared)


def test_lists_are_filled_in_among_other_values(kinds):
    listed = kinds.c.folded.in_(bindparam("names", expanding=True))
    others = kinds.c.row.not_in(bindparam("rows", expanding=True))
    find = prepare(
        select(kinds.c.text, kinds.c.extra).where(
            kinds.c.row > bindparam("row"), or_(listed, listed), others, kinds.c.flag.is_(None)
        )
    )
    with db.engine.begin() as connection:
        names = ["Straße", "SEA", "?"]
        rows = [{"row": n, "text": one, "folded": one, "extra": [n]} for n, one in enumerate(names)]
        Prepared(insert(kinds))(connection, rows)

        def found(names, rows=(2,)):
            return find(connection, {"names": names, "rows": list(rows), "row": 0})

        assert found(["STRASSE", "sea", "?"]) == [("SEA", [1])]
        assert found(["sea"], rows=[]) == [("SEA", [1])]
        assert found([]) == []


def test_parameters_with_the_same_name_share_a_value(app):
    moments = [bindparam("moment", type_=UTCDateTime()) for _ in range(2)]
    find = Prepared(select(*(one.label(f"value_{i}") for i, one in enumerate(moments))))
    moment = now()
    with app.app_context(), read_connection() as connection:
        assert find(connection, {"moment": moment}) == [(moment, moment)]
