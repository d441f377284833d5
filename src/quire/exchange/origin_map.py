"""What an import remembers while it runs: ids by name, forgotten again when an item fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from quire.declare.record import Record
from quire.exchange.model import fingerprint
from quire.store.db import transaction
from quire.store.import_origins import KnownItem, known_item, known_items, store_items


class OriginMap:
    """The origins of one place, in the database and at hand.

    Changes of the item that is being worked on count at once; they are taken back when its
    transaction is.
    """

    def __init__(self, source: str, place: str):
        self.source, self.place = source, place
        self._known = known_items(source, place)
        self._before: dict[str, KnownItem | None] = {}

    def get(self, item: str) -> KnownItem | None:
        """What is known of `item`."""
        return self._known.get(item)

    def id_of(self, item: str, record: Record) -> int | None:
        """The id of the record that `item` became."""
        earlier = self._known.get(item)
        return earlier.record_id if earlier and earlier.type == record.path else None

    def names_of(self, record: Record, id: int) -> list[str]:
        """Every item that became this record."""
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
        """Note what several items became."""
        with transaction() as connection:
            store_items(connection, self.source, self.place, items)
        for item, earlier in items.items():
            self._before.setdefault(item, self._known.get(item))
            self._known[item] = earlier

    @contextmanager
    def one_item(self) -> Iterator[None]:
        """Around the transaction of one item: takes back what was noted when it fails."""
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
    """The same for any number of items: each is looked up in the database when it is asked for.

    What is noted of an item that fails goes with its transaction.
    """

    def __init__(self, source: str, place: str):
        self.source, self.place = source, place

    def get(self, item: str) -> KnownItem | None:
        """What is known of `item`."""
        return known_item(self.source, self.place, item)

    def remember(self, item: str, origin: KnownItem) -> None:
        """Note what `item` became; belongs to the item's transaction."""
        with transaction() as connection:
            store_items(connection, self.source, self.place, {item: origin})
