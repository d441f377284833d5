"""Imports the records of an archive: new ones with their revisions, known ones if they have changed."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from quire.declare.record import Record
from quire.exchange import batching
from quire.exchange.archive import files, matching
from quire.exchange.archive.format import (
    drafts_file,
    exported_fields,
    exported_types,
    has_file,
    has_revisions,
    installation_id,
    of_file,
    records_file,
    revisions_file,
    secret_columns,
)
from quire.exchange.archive.id_map import ArchiveRecord, IdMap, is_id
from quire.exchange.archive.revisions import RevisionReader
from quire.exchange.archive.validate import Line, ValidatedArchive, open_archive
from quire.exchange.batching import one_item, process_items
from quire.exchange.load_posts import IMPORTER
from quire.exchange.model import ImportReport, Progress, Unusable, fingerprint
from quire.exchange.origin_map import OriginMap
from quire.records import USERS
from quire.records.media_replacement import replace_file
from quire.security.passwords import is_hash
from quire.store import write
from quire.store.changes import rows
from quire.store.db import transaction
from quire.store.drafts.storage import StoredDraft, store_draft
from quire.store.import_origins import KnownItem
from quire.store.revisions import import_history

SOURCE = "quire"
EDITED = "changed in the source, but also edited here, so it was not changed"
DIFFERS = "already exists here with other values, so it was not changed"
DELETED_HERE = "has been deleted here"

Raw = dict[str, Any]


def load(file: Path, *, dry_run: bool = False, progress: Progress | None = None) -> ImportReport:
    """Import everything in the archive `file` that is not here yet; a second run changes nothing.

    Nothing is written before the whole file has been checked.
    """
    report = ImportReport(dry_run=dry_run)
    try:
        with open_archive(file) as archive, batching.dry_run(dry_run):
            _take_all(_ArchiveLoader(archive, report), archive, progress)
    except Unusable as error:
        report.add("skipped", file.name, words=error.reason)
    return report


def _take_all(
    loader: "_ArchiveLoader", archive: ValidatedArchive, progress: Progress | None
) -> None:
    types = exported_types()
    total = sum(archive.count(records_file(record)) for record in types)
    items = chain(_items(loader, archive, types), loader.deferred_records())
    process_items(loader.take, items, total, progress)
    process_items(loader.take_draft, _drafts(archive, types), total)
    loader.sum_up()


def _drafts(archive: ValidatedArchive, types: list[Record]) -> Iterator[tuple[Record, Line]]:
    for record in types:
        if record.drafts:
            yield from ((record, line) for line in archive.lines(drafts_file(record)))


def _items(
    loader: "_ArchiveLoader", archive: ValidatedArchive, types: list[Record]
) -> Iterator[ArchiveRecord]:
    for record in types:
        past = RevisionReader(
            archive.lines(revisions_file(record)) if has_revisions(record) else iter(())
        )
        for number, state in archive.lines(records_file(record)):
            item = ArchiveRecord(record, number, state)
            if isinstance(state, dict) and is_id(state.get("id")):
                item.past = past.revisions_of(state["id"])
            yield item
        loader.finish(record)


class _ArchiveLoader:
    def __init__(self, archive: ValidatedArchive, report: ImportReport):
        self._report = report
        self._archive = archive
        self._memory = OriginMap(SOURCE, archive.place)
        self._is_own = archive.place == installation_id()
        self._passwords = archive.manifest.get("passwords") is True
        self._arrivals = IdMap()
        self._deferred: list[ArchiveRecord] = []
        self._counts: Counter[tuple[str, Record]] = Counter()

    def finish(self, record: Record) -> None:
        """Note that all records of this type have been read."""
        self._arrivals.finished.add(record.path)

    def deferred_records(self) -> Iterator[ArchiveRecord]:
        """The records that have to be processed again after all others."""
        yield from self._deferred

    def sum_up(self) -> None:
        """Report records that need no message of their own in one line for each outcome and type."""
        for (outcome, record), count in self._counts.items():
            what = record.plural_noun if count > 1 else record.noun
            self._report.add(outcome, f"{count:,} {what}", count=count)

    def take(self, item: ArchiveRecord) -> None:
        """Import one record, or complete a deferred one; errors go to the report."""
        with (
            one_item(self._memory, lambda reason: self._fail(item, reason)),
            transaction() as connection,
        ):
            if item.here is not None:
                self._complete(connection, item, item.here)
                return
            outcome, id = self._import_item(connection, item)
            self._note(item, outcome, id)

    def take_draft(self, draft_line: tuple[Record, Line]) -> None:
        """Import the draft of a record that is new here; it has no author until it is changed."""
        record, (number, line) = draft_line
        id = self._arrivals.new_record_id(record, line)
        if id is None or not isinstance(line, dict):
            return
        what = f"{record.path}, draft {number}"
        with (
            one_item(self._memory, lambda reason: self._report.add("noted", what, words=reason)),
            transaction() as connection,
        ):
            values = self._arrivals.draft(record, line["values"])
            draft = StoredDraft(0, 1, line["base_version"], values, "", None)
            store_draft(connection, record, IMPORTER, id, None, draft)

    def _fail(self, item: ArchiveRecord, reason: str) -> None:
        self._report.add("skipped" if item.here is None else "noted", item.name, words=reason)

    def _note(self, item: ArchiveRecord, outcome: str, id: int | None) -> None:
        self._arrivals.note(item, id)
        if item.is_deferred and id is not None:
            item.here = id
            self._deferred.append(item)
        if item.words:
            self._report_outcome(item, outcome)
        else:
            self._counts[outcome, item.record] += 1

    def _report_outcome(self, item: ArchiveRecord, outcome: str) -> None:
        self._report.add(outcome, item.name, words="; ".join(item.words))
        item.words.clear()

    def _import_item(self, connection: Connection, item: ArchiveRecord) -> tuple[str, int | None]:
        record, state = item.record, item.values()
        earlier = self._memory.get(item.key)
        if earlier is not None and earlier.type == record.path:
            return self._reimport(connection, item, earlier)
        raw = self._arrivals.raw(item)
        id = matching.find_own(connection, record, raw, state["id"]) if self._is_own else None
        if id is None:
            id = matching.find(connection, record, raw)
        if id is None:
            return "created", self._create(connection, item, raw)
        return self._meet(connection, item, raw, id)

    def _reimport(
        self, connection: Connection, item: ArchiveRecord, earlier: KnownItem
    ) -> tuple[str, int | None]:
        """Import a record that was imported before; returns no id if it was deleted here."""
        record, id, mark = item.record, earlier.record_id, _mark(item)
        here = rows.load(connection, record, IMPORTER, id, record.access.read)
        if here is None:
            item.words.append(DELETED_HERE)
            return "skipped", None
        if earlier.fingerprint == mark:
            return "unchanged", id
        if here.state.get("version") != earlier.version:
            item.words.append(EDITED)
            return "kept", id
        raw = self._arrivals.raw(item)
        if earlier.fingerprint == _incomplete_fingerprint(mark):
            return "updated", self._adopt(connection, item, raw, id)
        fields = {n: record.field(n) for n in raw}
        changed = {
            n: raw[n]
            for n, field in fields.items()
            if (field.is_tracked and not of_file(record, field)) or n == "updated_at"
        }
        saved = write.update(record, IMPORTER, id, changed)
        is_new_file = has_file(record) and raw["sha256"] != here.state["sha256"]
        if is_new_file:
            saved = self._replace_file(item, raw, id)
        self._remember(item, id, saved.version)
        return "updated" if saved.changed else "unchanged", id

    def _replace_file(self, item: ArchiveRecord, raw: Raw, id: int) -> write.Saved:
        with files.with_file(self._archive, item.record, item.values(), raw) as completed:
            return replace_file(IMPORTER, id, completed["file"])

    def _meet(
        self, connection: Connection, item: ArchiveRecord, raw: Raw, id: int
    ) -> tuple[str, int]:
        """Import a record that exists here but was not imported from this archive."""
        record = item.record
        here = rows.load(connection, record, IMPORTER, id, record.access.read)
        state = {} if here is None else here.state
        alike = not matching.differs(record, state, raw)
        if (
            matching.is_created_with_owner(record)
            and state.get("version") == 1
            and not (alike and self._is_own)
        ):
            return "updated", self._adopt(connection, item, raw, id)
        item.deferred.clear()
        if not alike:
            item.words.append(DIFFERS)
        self._remember(item, id, state.get("version") if alike else None)
        return "unchanged" if alike else "kept", id

    def _create(self, connection: Connection, item: ArchiveRecord, raw: Raw) -> int:
        raw, words = matching.with_free_names(connection, item.record, raw)
        item.words += words
        with files.with_file(self._archive, item.record, item.values(), raw) as completed:
            id = write.create(item.record, IMPORTER, completed).id
        if item.record is USERS and raw.get("role") == "admin":
            item.words.append("is an administrator")
        self._set_history(connection, item, id)
        self._arrivals.created.add((item.record.path, item.values()["id"]))
        return id

    def _adopt(self, connection: Connection, item: ArchiveRecord, raw: Raw, id: int) -> int:
        """Update a record that nobody has edited here to its state in the archive."""
        write.update(item.record, IMPORTER, id, raw)
        self._set_history(connection, item, id)
        return id

    def _set_history(self, connection: Connection, item: ArchiveRecord, id: int) -> None:
        """Set its version and revisions to those in the archive."""
        record, version = item.record, item.version
        past, item.waits = self._arrivals.revisions_of(item, id)
        if record.is_versioned:
            history = [] if item.waits else past
            stamps = matching.changed_at(record, item.values())
            import_history(
                connection, record, id, version, history, **stamps, **self._password_hashes(item)
            )
        self._remember(item, id, version if record.is_versioned else None)

    def _password_hashes(self, item: ArchiveRecord) -> Raw:
        """Password hashes, if the archive has them."""
        hashes = {one.key: item.values().get(one.key) for one in secret_columns(item.record)}
        return {k: v for k, v in hashes.items() if self._passwords and is_hash(str(v))}

    def _complete(self, connection: Connection, item: ArchiveRecord, id: int) -> None:
        """Set the references that had to wait for other records."""
        raw = self._arrivals.deferred_values(item)
        if raw:
            write.update(item.record, IMPORTER, id, raw)
        item.deferred.clear()
        self._set_history(connection, item, id)
        if item.words:
            self._report_outcome(item, "noted")

    def _remember(self, item: ArchiveRecord, id: int, version: int | None) -> None:
        mark = _incomplete_fingerprint(_mark(item)) if item.is_deferred else _mark(item)
        self._memory.remember(item.key, item.record, id, mark, version)


def _mark(item: ArchiveRecord) -> str:
    """The fingerprint of a record's values, without counters and the names of other records.

    Missing fields are left out too, because an archive may be older than a field.
    """
    state = item.values()
    tracked = (one for one in exported_fields(item.record) if one.is_tracked and one.name in state)
    return fingerprint({one.name: matching.by_ids(one, state[one.name]) for one in tracked})


def _incomplete_fingerprint(mark: str) -> str:
    """The fingerprint of a record with missing references: the next import completes it."""
    return fingerprint({"unfinished": mark})
