"""Maintenance: deletes old data once a day and by `manage.py prune`."""

import logging
from datetime import timedelta

from flask import current_app

from quire.actor import ANONYMOUS
from quire.backup.folder import seconds_since_backup
from quire.backup.write import make_backup
from quire.config.validation import StartupError
from quire.declare.clock import now
from quire.declare.job_registry import PermanentFailure, periodic
from quire.declare.record import REGISTRY
from quire.jobs.worker import job_threads
from quire.monitoring.setup import shared_counters
from quire.monitoring.shared_counters import WRITE_SECONDS
from quire.records import orphaned_files
from quire.records.accounts import email_links, revocation
from quire.records.accounts.known_devices import KnownDevice
from quire.records.deliveries import PENDING, Delivery
from quire.store import idempotency_keys, preview_links, read, retention
from quire.store.db import transaction
from quire.store.events import queue
from quire.store.events.change_feed import catch_up
from quire.store.history import undoable_batches
from quire.store.instance_locks import BackupRunning
from quire.store.lists import block_cache
from quire.store.transactions.long_work import delete_in_batches

logger = logging.getLogger("quire.backup")

DAY = 86_400
BACKUP_LOOK = 300
"""Seconds between two checks whether a backup is due."""
STORE_SECONDS = 60
"""Seconds between two checks whether counts of large lists have to be stored."""
DELIVERY_DAYS = 30
"""Days for which deliveries of webhooks are stored."""


def prune_outbox() -> int:
    """Delete old events of records; return how many."""
    return queue.prune(now() - timedelta(days=current_app.config["CHANGES_DAYS"]), REGISTRY)


def delete_expired_links() -> int:
    """Delete links in emails, and the marks of preview links, that have expired; return how many."""
    with transaction() as connection:
        return email_links.delete_expired(connection) + preview_links.delete_expired(connection)


def prune_deliveries() -> int:
    """Delete completed deliveries of webhooks; return how many."""
    old = Delivery.created_at < now() - timedelta(days=DELIVERY_DAYS)
    return delete_in_batches(Delivery.__table__, old, Delivery.status != PENDING)


def forget_devices() -> int:
    """Delete devices first seen more than DEVICE_DAYS ago; return how many."""
    devices = KnownDevice.__table__
    before = now() - timedelta(days=current_app.config["DEVICE_DAYS"])
    return delete_in_batches(devices, devices.c.created_at < before)


PARTS = {
    "records in the trash": retention.purge_trash,
    "revisions": retention.thin_revisions,
    "events of the audit log": retention.prune_audit_log,
    "known devices": forget_devices,
    "origins of records that are gone": retention.forget_deleted_imports,
    "ended sessions": revocation.delete_expired_sessions,
    "ended links": delete_expired_links,
    "idempotency keys": idempotency_keys.delete_expired_answers,
    "pages of editors": retention.delete_expired_pages,
    "old events": prune_outbox,
    "old deliveries of webhooks": prune_deliveries,
    "batches that can no longer be undone": undoable_batches.prune,
    "files that no record knows": orphaned_files.delete_orphans,
}
"""The kinds of data that are deleted, as `manage.py prune` names them."""


@periodic(BACKUP_LOOK, lease=3600, waits=True, title="Make a backup if one is due")
def back_up() -> None:
    """Make a backup if one is due. Raises PermanentFailure with the reason for a failure."""
    every, age = current_app.config["BACKUP_EVERY"], seconds_since_backup()
    if not every or (age is not None and age < every):
        return
    try:
        backup = make_backup(None, current_app.config["BACKUP_PASSPHRASE"] or None, lambda *_: None)
    except BackupRunning:
        return
    except StartupError as error:
        raise PermanentFailure(f"No backup was made: {error}") from error
    for name in backup.missing:
        logger.warning("The backup lacks %s: the database refers to it, and it is missing.", name)


@periodic(2, per_process=True)
def tell_schedules() -> None:
    """Announce what has been published or withdrawn by schedule, and number the events.

    Without a number, every total of a large list would count an event as new (block_counts.py).
    """
    catch_up()


@periodic(STORE_SECONDS, per_process=True)
def store_blocks() -> None:
    """Store the counts of large lists for the next process."""
    block_cache.store()


@periodic(DAY, title="Count large lists")
def count_large_lists() -> None:
    """Count the lists that everyone sees before anyone waits for them: with millions of rows, that takes seconds."""
    for record in REGISTRY.values():
        if record.allows(ANONYMOUS, "read") is not False:
            read.count_ahead(record, ANONYMOUS)
    block_cache.store()


@periodic(WRITE_SECONDS, per_process=True)
def write_counters() -> None:
    """Publish this process's counters to the others."""
    shared_counters().write(job_threads(current_app))


@periodic(DAY, title="Delete expired data")
def prune() -> dict[str, int]:
    """Delete all of it; return how many of each kind."""
    return {words: part() for words, part in PARTS.items()}
