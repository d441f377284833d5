"""Daily maintenance of the trash, revisions and expired rows."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.declare.job_registry import SCHEDULE
from quire.jobs import maintenance
from quire.records import COMMENTS, POSTS, SESSIONS, TAGS
from quire.records.accounts import email_links, known_devices
from quire.records.accounts.known_devices import KnownDevice
from quire.store import import_origins, write
from quire.store.audit import AuditEvent
from quire.store.db import read_connection, transaction
from quire.store.import_origins import ImportOrigin
from quire.store.revisions import Revision
from tests.users import give_session

ROWS = Revision.__table__


@pytest.fixture(autouse=True)
def app_in_context(app):
    with app.app_context():
        yield


def ago(**time):
    return now() - timedelta(**time)


def versions(record, id):
    wanted = select(ROWS.c.version).where(ROWS.c.type == record.path, ROWS.c.record_id == id)
    with read_connection() as connection:
        return list(connection.execute(wanted.order_by(ROWS.c.version)).scalars())


def aged(record, id, *moments):
    """Set the times of a record's revisions."""
    with transaction() as connection:
        for version, moment in enumerate(moments, 1):
            mine = (ROWS.c.type == record.path, ROWS.c.record_id == id, ROWS.c.version == version)
            connection.execute(update(ROWS).where(*mine).values(created_at=moment))


def test_trash_is_emptied_after_thirty_days(people):
    raw = {"body": "b", "author": people["ann"].id}
    gone, young, live = (
        write.create(POSTS, SYSTEM, {"title": "T", **raw, "deleted_at": moment}).id
        for moment in (rfc3339(ago(days=31)), rfc3339(ago(days=29)), None)
    )
    said = write.create(COMMENTS, SYSTEM, {"post": gone, "body": "x", "status": "approved"}).id
    with transaction() as connection:  # comments do not prevent deleting their post
        assert connection.execute(select(COMMENTS.table.c.id)).scalars().all() == [said]
    assert maintenance.prune()["records in the trash"] == 1
    with read_connection() as connection:
        assert set(connection.execute(select(POSTS.table.c.id)).scalars()) == {young, live}
        assert connection.execute(select(COMMENTS.table.c.id)).all() == []


def test_old_revisions_are_thinned_out():
    id = write.create(TAGS, SYSTEM, {"name": "n0"}).id
    for number in range(1, 8):
        write.update(TAGS, SYSTEM, id, {"name": f"n{number}"})
    old, day = ago(days=500), ago(days=100).replace(hour=12)
    aged(
        TAGS, id, old, old, day, day, day + timedelta(days=1), day + timedelta(days=1), now(), now()
    )
    assert maintenance.prune()["revisions"] == 3
    assert versions(TAGS, id) == [1, 4, 6, 7, 8]
    assert maintenance.prune()["revisions"] == 0


def test_published_revisions_are_kept_forever(people):
    raw = {"title": "T", "body": "b", "author": people["ann"].id}
    id = write.create(POSTS, SYSTEM, raw).id
    start = rfc3339(ago(days=600))
    for values in (
        {"title": "private"}, {"published_at": start}, {"title": "public"},
        {"published_at": None}, {"title": "private again"}, {"title": "latest"},
    ):  # fmt: skip
        write.update(POSTS, SYSTEM, id, values)
    aged(POSTS, id, *[ago(days=500)] * 7)
    assert maintenance.prune()["revisions"] == 3
    assert versions(POSTS, id) == [1, 3, 4, 7]


def test_ended_sessions_and_links_are_deleted(app, people):
    give_session(app, app.test_client(), people["ann"])
    give_session(app, app.test_client(), people["bob"])
    table = SESSIONS.table
    with transaction() as connection:
        mine = table.c.user_id == people["ann"].id
        connection.execute(update(table).where(mine).values(expires_at=ago(minutes=1)))
    used = email_links.find_active(
        email_links.create_link("reset", "ann@example.org", people["ann"].id), "reset"
    )
    email_links.create_link("invite", "new@example.org", role="author")
    email_links.consume(used)
    done = maintenance.prune()
    assert (done["ended sessions"], done["ended links"]) == (1, 1)
    with read_connection() as connection:
        assert connection.execute(select(table.c.user_id)).scalars().all() == [people["bob"].id]


def test_maintenance_runs_once_a_day():
    assert SCHEDULE["every.prune"].seconds == 86_400


def test_old_editor_pages_are_deleted():
    known = import_origins.KnownItem("posts", 1, "", 1)
    with transaction() as connection:
        for name in ("old", "new"):
            import_origins.store_items(connection, import_origins.PAGES, name, {"posts": known})
        import_origins.store_items(connection, "markdown", "old", {"a.md": known})
        mine = update(ImportOrigin).where(ImportOrigin.place == "old")
        connection.execute(mine.values(imported_at=ago(days=8)))
    assert maintenance.prune()["pages of editors"] == 1
    assert import_origins.known_items(import_origins.PAGES, "new") and import_origins.known_items(
        "markdown", "old"
    )


def count(table):
    with read_connection() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_audit_log_keeps_two_years_and_its_last_event():
    events = AuditEvent.__table__
    for name in ("One", "Two", "Three"):
        write.create(TAGS, SYSTEM, {"name": name})
    with read_connection() as connection:
        ids = sorted(connection.execute(select(events.c.id)).scalars())
    with transaction() as connection:
        old = update(events).where(events.c.id <= ids[-2])
        connection.execute(old.values(created_at=ago(days=731)))
    assert maintenance.prune()["events of the audit log"] == len(ids) - 1
    with transaction() as connection:
        connection.execute(update(events).values(created_at=ago(days=731)))
    assert maintenance.prune()["events of the audit log"] == 0
    assert count(events) == 1


def test_old_known_devices_count_as_new_again(people):
    devices = KnownDevice.__table__
    ann = people["ann"].id
    known_devices.is_new(ann, "a" * 64)
    with transaction() as connection:
        connection.execute(update(devices).values(created_at=ago(days=731)))
    known_devices.is_new(ann, "b" * 64)
    assert maintenance.prune()["known devices"] == 1
    assert known_devices.is_new(ann, "a" * 64)


def test_import_origins_of_long_deleted_records_are_forgotten():
    here = write.create(TAGS, SYSTEM, {"name": "Here"}).id
    with transaction() as connection:
        items = {
            name: import_origins.KnownItem("tags", id, "f", 1)
            for name, id in (("here", here), ("gone", 901), ("gone lately", 902))
        }
        import_origins.store_items(connection, "test", "place", items)
        old = update(ImportOrigin).where(ImportOrigin.item != "gone lately")
        connection.execute(old.values(imported_at=ago(days=366)))
    assert maintenance.prune()["origins of records that are gone"] == 1
    assert set(import_origins.known_items("test", "place")) == {"here", "gone lately"}
