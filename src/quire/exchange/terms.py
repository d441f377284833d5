"""Finds or creates the categories and tags named in an import."""

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.record import Record
from quire.declare.unicode_text import case_fold
from quire.errors import Conflict
from quire.exchange.model import ImportedTerm
from quire.exchange.names import shorten, slug_from
from quire.store import write
from quire.store.db import read_connection, savepoint, transaction

_DESCRIPTION_LENGTH = 1000


class TermResolver:
    """Finds or creates categories, or tags, by name, ignoring case."""

    def __init__(self, actor: Actor, record: Record):
        self._actor = actor
        self._record = record
        self._ids: dict[str, int] = {}
        self._slugs: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Read the terms again after an item that failed, since the terms it created were rolled back."""
        table = self._record.table.c
        with read_connection() as connection:
            rows = connection.execute(select(table.id, table.name, table.slug)).all()
        self._ids = {case_fold(name): id for id, name, _ in rows}
        self._slugs = {slug for _, _, slug in rows}

    def id_of(self, term: ImportedTerm) -> int:
        """The id of `term`, created if necessary."""
        name = shorten(term.name, 100)
        key = case_fold(name)
        if key not in self._ids:
            self._ids[key] = self._make_or_find(term, name)
        return self._ids[key]

    def _make_or_find(self, term: ImportedTerm, name: str) -> int:
        """Create the term, or find the one that a concurrent transaction has created."""
        with transaction() as connection:
            try:
                with savepoint(connection):
                    return self._make(term, name)
            except Conflict:
                self.forget()
                return self._ids.get(case_fold(name)) or self._make(term, name)

    def _make(self, term: ImportedTerm, name: str) -> int:
        raw = {"name": name, "description": shorten(term.description, _DESCRIPTION_LENGTH)}
        slug = slug_from(term.slug or "")
        if slug and slug not in self._slugs:
            raw["slug"] = slug
        saved = write.create(self._record, self._actor, raw)
        self._slugs.add(saved.state["slug"])
        return saved.id
