"""Takes an import back: what it made goes, what it changed is as before, unless it was edited since."""

from collections.abc import Iterator

from quire.actor import Actor
from quire.declare.record import Record
from quire.errors import Problem
from quire.exchange.items import Report, Unusable
from quire.exchange.memory import Memory
from quire.exchange.tables import SOURCE, Deed
from quire.exchange.turns import one_item, turns
from quire.store import origins, write
from quire.store.db import reading, transaction
from quire.store.revisions import data_at


class Undo:
    """The changes of one import, taken back one by one, the last one first."""

    def __init__(self, record: Record, actor: Actor, deeds: list[Deed]):
        self._record, self._actor, self._deeds = record, actor, deeds
        self._memory = Memory(SOURCE, record.path)
        self.report = Report()

    def run(self) -> Iterator[int]:
        """Do it; how many are done, after each turn."""
        yield from turns(self._take, self._deeds, len(self._deeds))

    def _take(self, deed: Deed) -> None:
        with one_item(self._memory, lambda reason: self._fail(deed, reason)):
            words = "deleted" if deed.outcome == "created" else "restored"
            self._back(deed)
            with transaction() as connection:
                origins.forget(connection, SOURCE, self._record.path, deed.id)
            self.report.add("updated", f"row {deed.row}", words=words)

    def _fail(self, deed: Deed, reason: str) -> None:
        self.report.add("kept", f"row {deed.row}", f"{self._record.path}/{deed.id}", reason)

    def _back(self, deed: Deed) -> None:
        try:
            if deed.outcome == "created":
                write.delete(self._record, self._actor, deed.id, version=deed.version)
            else:
                self._restore(deed)
        except Problem as error:
            raise Unusable(error.message.rstrip(".")) from None

    def _restore(self, deed: Deed) -> None:
        version = deed.version or 1
        with reading() as connection:
            before = data_at(connection, self._record, deed.id, version - 1)
        if before is None:
            raise Unusable("what it held before is not known")
        raw = {name: before[name] for name in deed.fields if name in before}
        write.update(self._record, self._actor, deed.id, raw, version=version)
