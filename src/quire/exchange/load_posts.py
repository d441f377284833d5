"""Imports posts and pages into the store, each in one transaction, and reports the outcome."""

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import select

from quire.actor import SYSTEM
from quire.declare.record import Record
from quire.exchange import batching
from quire.exchange.batching import one_item, process_items
from quire.exchange.load_comments import CommentLoader
from quire.exchange.model import ImportedPost, ImportReport, Progress, SkippedItems, fingerprint
from quire.exchange.origin_map import OriginMap
from quire.exchange.people import PersonResolver
from quire.exchange.post_values import PostValues, with_free_slug
from quire.exchange.terms import TermResolver
from quire.records import CATEGORIES, PAGES, POSTS, REDIRECTS, TAGS
from quire.store import write
from quire.store.db import read_connection
from quire.store.import_origins import KnownItem

IMPORTER = SYSTEM.with_context(proof="import", door="import")
_RECORDS = {"post": POSTS, "page": PAGES}
_NO_VALUE = ("source", "warnings", "comments")
_ADDED = ("seo_title", "seo_description")
"""Fields that earlier versions did not import: while empty, they stay out of the fingerprint."""


def load(
    source: str,
    place: str,
    items: Iterable[ImportedPost | SkippedItems],
    total: int,
    *,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import `items` from the source `place`, and report on each.

    Items that were imported before are left alone unless they have changed at the source; those
    that were edited here since are left alone too, and reported. Raises NotFound for an unknown
    `author`, and Unavailable if the database cannot be reached; nothing else aborts an import.
    """
    report = ImportReport(dry_run=dry_run)
    with batching.dry_run(dry_run):
        loader = _PostLoader(OriginMap(source, place), author, report)
        process_items(loader.take, items, total, progress)
    return report


def fingerprint_of(entry: ImportedPost) -> str:
    """The fingerprint of an entry, without its comments, which have their own."""
    values = {k: v for k, v in asdict(entry).items() if k not in _NO_VALUE}
    return fingerprint({k: v for k, v in values.items() if v or k not in _ADDED})


class _PostLoader:
    def __init__(self, memory: OriginMap, author: str | None, report: ImportReport):
        self._memory = memory
        self._report = report
        self._categories, self._tags = (
            TermResolver(IMPORTER, CATEGORIES),
            TermResolver(IMPORTER, TAGS),
        )
        people = PersonResolver(IMPORTER, memory, author)
        self._values = PostValues(people, self._categories, self._tags)
        self._discussion = CommentLoader(IMPORTER, memory, people)

    def take(self, item: ImportedPost | SkippedItems) -> None:
        """Import one item; errors go to the report."""
        if isinstance(item, SkippedItems):
            outcome = "skipped" if item.count else "noted"
            self._report.add(outcome, item.what, words=item.reason, count=item.count)
            return
        with one_item(self._memory, lambda reason: self._fail(item, reason)):
            outcome, target, words = self._load(item)
            self._report.add(outcome, item.source, target, "; ".join(words))

    def _fail(self, item: ImportedPost, reason: str) -> None:
        self._categories.forget()
        self._tags.forget()
        self._report.add("skipped", item.source, words=reason)

    def _load(self, entry: ImportedPost) -> tuple[str, str, list[str]]:
        record = _RECORDS[entry.kind]
        earlier = self._memory.get(entry.key)
        mark = fingerprint_of(entry)
        if earlier is None:
            outcome, id, slug = self._create(record, entry, mark)
        else:
            outcome, id, slug = self._reimport(record, entry, earlier, mark)
        words = list(entry.warnings) if outcome in ("created", "updated") else []
        if outcome == "kept":
            words.append("changed in the source, but also edited here, so it was not changed")
        if record is POSTS and slug:
            added, complaints = self._discussion.load_comments(entry, id)
            words += [f"{added} comment{'s' if added > 1 else ''}"] * bool(added) + complaints
            outcome = "updated" if added and outcome == "unchanged" else outcome
        return (
            (outcome, f"{record.path}/{slug}", words)
            if slug
            else (outcome, "", ["has been deleted here"])
        )

    def _create(self, record: Record, entry: ImportedPost, mark: str) -> tuple[str, int, str]:
        raw = self._values.new_values(record, entry)
        saved = with_free_slug(record, raw, lambda raw: write.create(record, IMPORTER, raw))
        self._memory.remember(entry.key, record, saved.id, mark, saved.version)
        self._lead(record, entry, saved.state["slug"])
        return "created", saved.id, saved.state["slug"]

    def _reimport(
        self, record: Record, entry: ImportedPost, earlier: KnownItem, mark: str
    ) -> tuple[str, int, str]:
        """Import an item that was imported before; returns an empty slug if its record was deleted."""
        id, table = earlier.record_id, record.table.c
        with read_connection() as connection:
            row = connection.execute(
                select(table.slug, table.version).where(table.id == id)
            ).first()
        if row is None or earlier.type != record.path:
            return "skipped", id, ""
        if earlier.fingerprint == mark:
            return "unchanged", id, row.slug
        if row.version != earlier.version:
            return "kept", id, row.slug
        raw = self._values.changed_values(record, entry, row.slug)
        saved = with_free_slug(record, raw, lambda raw: write.update(record, IMPORTER, id, raw))
        self._memory.remember(entry.key, record, id, mark, saved.version)
        self._lead(record, entry, saved.state["slug"])
        return "updated", id, saved.state["slug"]

    def _lead(self, record: Record, entry: ImportedPost, slug: str) -> None:
        """Redirect old addresses to the new one, unless readers may not see it."""
        own = f"/{record.path}/{slug}"
        for path in entry.old_paths:
            if path.rstrip("/") != own:
                self._redirect(entry, path, own)

    def _redirect(self, entry: ImportedPost, path: str, target: str) -> None:
        table = REDIRECTS.table.c
        with read_connection() as connection:
            there = connection.execute(select(table.target).where(table.path == path)).scalar()
        if there is None:
            write.create(REDIRECTS, IMPORTER, {"path": path, "target": target})
        elif there != target:
            entry.warn(f"{path} already redirects to {there}")
