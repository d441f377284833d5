"""Categories and tags named in an import: the ones that are there, or new ones."""

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.record import Record
from quire.exchange.items import Term
from quire.exchange.names import shorten, slug_from
from quire.store import write
from quire.store.db import reading

_DESCRIPTION_LENGTH = 1000


class Terms:
    """Finds or makes the categories, or the tags, by name in whatever case."""

    def __init__(self, actor: Actor, record: Record):
        self._actor = actor
        self._record = record
        self._ids: dict[str, int] = {}
        self._slugs: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Read again what is there: after an item that failed, what it made is gone."""
        table = self._record.table.c
        with reading() as connection:
            rows = connection.execute(select(table.id, table.name, table.slug)).all()
        self._ids = {name.casefold(): id for id, name, _ in rows}
        self._slugs = {slug for _, _, slug in rows}

    def id_of(self, term: Term) -> int:
        """The id of `term`, made if need be."""
        name = shorten(term.name, 100)
        found = self._ids.get(name.casefold())
        if found is None:
            found = self._ids[name.casefold()] = self._make(term, name)
        return found

    def _make(self, term: Term, name: str) -> int:
        raw = {"name": name, "description": shorten(term.description, _DESCRIPTION_LENGTH)}
        slug = slug_from(term.slug or "")
        if slug and slug not in self._slugs:
            raw["slug"] = slug
        made = write.create(self._record, self._actor, raw)
        self._slugs.add(made.state["slug"])
        return made.id
