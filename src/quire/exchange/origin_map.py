"""Maps items of a source to the records they were imported as, cached while an import runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from quire.declare.record import Record
from quire.exchange.model import fingerprint
from quire.store.db import transaction
from quire.store.import_origins import KnownItem, known_item, known_items, store_items


class OriginMap:
    """The records of one source by item, in the database and in memory.

    Changes by the current item are visible immediately, and undone if its transaction is rolled back.
    """

    def __init__(self, source: str, place: str):
        self.source, self.place = source, place
        self._known = known_items(source, place)
        self._before: dict[str, KnownItem | None] = {}

    def get(self, item: str) -> KnownItem | None:
        """What an earlier import stored about `item`; None if it is new."""
        return self._known.get(item)

    def id_of(self, item: str, record: Record) -> int | None:
        """The id of the record that `item` became."""
        earlier = self._known.get(item)
        return earlier.record_id if earlier and earlier.type == record.path else None

    def names_of(self, record: Record, id: int) -> list[str]:
        """Every item that was imported as this record."""
        return [
            item
            for item, earlier in self._known.items()
            if earlier.record_id == id and earlier.type == record.path
        ]

    def remember(
        self, item: str, record: Record, id: int, mark: str = "", version: int | None = None
    ) -> None:
        """Note that `item` became the record `id`; belongs to the item's transaction."""
        self.remember_all({item: KnownItem(record.path, id, mark or fingerprint({}), version)})

    def remember_all(self, items: dict[str, KnownItem]) -> None:
        """Note several items in one transaction."""
        with transaction() as connection:
            store_items(connection, self.source, self.place, items)
        for item, earlier in items.items():
            self._before.setdefault(item, self._known.get(item))
            self._known[item] = earlier

    @contextmanager
    def one_item(self) -> Iterator[None]:
        """Context of one item's transaction: undoes its changes if it fails."""
        self._before = {}
        try:
            yield
            self._before = {}
        finally:
            for item, earlier in self._before.items():
                self._put_back(item, earlier)

    def _put_back(self, item: str, earlier: KnownItem | None) -> None:
        if earlier is None:
            self._known.pop(item, None)
        else:
            self._known[item] = earlier


class Lookup:
    """The same for any number of items, each read from the database when needed.

    If an item fails, its entry is rolled back with its transaction.
    """

    def __init__(self, source: str, place: str):
        self.source, self.place = source, place

    def get(self, item: str) -> KnownItem | None:
        """What an earlier import stored about `item`; None if it is new."""
        return known_item(self.source, self.place, item)

    def remember(self, item: str, origin: KnownItem) -> None:
        """Note what `item` became; belongs to the item's transaction."""
        with transaction() as connection:
            store_items(connection, self.source, self.place, {item: origin})
