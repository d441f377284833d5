"""Maps the ids in an archive to the ids of the records imported from it, now or later."""

from dataclasses import dataclass, field
from typing import Any, TypeGuard

from quire.declare.fields import Field
from quire.declare.record import Record, record_of
from quire.declare.value_kinds import MAX_ID
from quire.exchange.archive.format import IMAGE_FIELDS, exported_fields, has_file
from quire.exchange.archive.revisions import rows_of
from quire.exchange.model import Unusable

KEPT_HERE = ("id", "version")

Raw = dict[str, Any]


def is_id(value: Any) -> TypeGuard[int]:
    """Whether `value` can be the id of a record."""
    return type(value) is int and 0 < value <= MAX_ID


@dataclass(slots=True)
class ArchiveRecord:
    """One line of an archive.

    `deferred` are references to records that are imported later, `waits` is whether its revisions
    have such references, `here` is the id of the record to complete.
    """

    record: Record
    number: int
    state: Raw | str
    past: list[Raw] = field(default_factory=list)
    deferred: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    waits: bool = False
    here: int | None = None

    def values(self) -> Raw:
        """The values in the line. Raises Unusable if it is not a record."""
        if isinstance(self.state, str):
            raise Unusable(self.state)
        if not is_id(self.state.get("id")):
            raise Unusable("has no id")
        return self.state

    @property
    def key(self) -> str:
        """Its key within the archive."""
        return f"{self.record.path} {self.values()['id']}"

    @property
    def name(self) -> str:
        """Its name for people."""
        title = self.state.get(self.record.title_field) if isinstance(self.state, dict) else None
        words = " ".join(title.split())[:60] if isinstance(title, str) and title else None
        return f"{self.record.path}, line {self.number}" + (f" ({words})" if words else "")

    @property
    def version(self) -> int:
        """Its version in the archive; 1 if it has none."""
        version = self.values().get("version")
        return version if is_id(version) else 1

    @property
    def is_deferred(self) -> bool:
        """Whether it has to be processed again after all others."""
        return self.waits or bool(self.deferred)


class IdMap:
    """The new ids of all imported records, by type and old id."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, int], int] = {}
        self._missing: set[tuple[str, int]] = set()
        self._awaited = False
        self.finished: set[str] = set()
        self.created: set[tuple[str, int]] = set()

    def note(self, item: ArchiveRecord, id: int | None) -> None:
        """Note that a record was imported as `id`, or with None that it will not be imported."""
        there = item.record.path, item.values()["id"]
        if id is None:
            self._missing.add(there)
        else:
            self._ids[there] = id

    def find(self, target: Record, value: Any) -> int | None:
        """The new id of the record that a reference in the archive names."""
        id = value.get("id") if isinstance(value, dict) else None
        if not is_id(id):
            return None
        id_here = self._ids.get((target.path, id))
        if id_here is None and self._may_come(target, id):
            self._awaited = True
        return id_here

    def new_record_id(self, record: Record, line: Any) -> int | None:
        """The new id of the record that a draft belongs to, if both are new."""
        id = line.get("record_id") if isinstance(line, dict) else None
        if not is_id(id) or (record.path, id) not in self.created:
            return None
        whole = is_id(line.get("base_version")) and isinstance(line.get("values"), dict)
        return self._ids.get((record.path, id)) if whole else None

    def draft(self, record: Record, values: Raw) -> Raw:
        """The values of a draft with new ids; names of records that do not exist here yet stay names."""
        fields = {one.name: one for one in exported_fields(record)}
        return {
            n: self._draft_value(fields[n], value) for n, value in values.items() if n in fields
        }

    def _draft_value(self, field: Field, value: Any) -> Any:
        if field.target is None or value is None:
            return value
        target = record_of(field.target)
        references = value if isinstance(value, list) else [value]
        ids = [self.find(target, {"id": one}) if is_id(one) else one for one in references]
        existing = [one for one in ids if one is not None]
        return existing if field.many is not None else next(iter(existing), None)

    def _may_come(self, target: Record, id: Any) -> bool:
        there = target.path, id
        return target.exported and target.path not in self.finished and there not in self._missing

    def revisions_of(self, item: ArchiveRecord, id: int) -> tuple[list[Raw], bool]:
        """The revisions of the record imported as `id`, and whether they refer to later records."""
        self._awaited = False
        return rows_of(item.record, id, item.version, item.past, self.find), self._awaited

    def raw(self, item: ArchiveRecord) -> Raw:
        """The values of a record with the ids used here; references to later records are deferred.

        Raises Unusable if a required reference does not exist here.
        """
        state = item.values()
        apart = KEPT_HERE + (IMAGE_FIELDS if has_file(item.record) else ())
        fields = [
            f for f in exported_fields(item.record) if f.name in state and f.name not in apart
        ]
        raw = {f.name: state[f.name] for f in fields if f.target is None}
        for one in fields:
            if one.target is not None:
                self._refer(item, one, state[one.name], raw)
        return raw

    def deferred_values(self, item: ArchiveRecord) -> Raw:
        """The values of the deferred references."""
        raw: Raw = {}
        for name, value in item.deferred.items():
            self._refer(item, item.record.field(name), value, raw)
        return raw

    def _refer(self, item: ArchiveRecord, field: Field, value: Any, raw: Raw) -> None:
        self._awaited = False
        target = record_of(field.target or "")
        references = value if isinstance(value, list) else [] if value is None else [value]
        matches = [self.find(target, one) for one in references]
        if self._awaited and (field.nullable or field.many is not None):
            item.deferred[field.name] = value
            return
        ids = [id for id in matches if id is not None]
        if len(ids) < len(matches):
            self._lacks(item, field)
        if field.many is not None and len(ids) > field.many.max_items:
            item.words.append(
                f"has {len(ids)} {field.name}; only the first {field.many.max_items} were imported"
            )
        raw[field.name] = (
            ids[: field.many.max_items] if field.many is not None else next(iter(ids), None)
        )

    def _lacks(self, item: ArchiveRecord, field: Field) -> None:
        verb = "are not all" if field.many is not None else "is not"
        words = f"its {field.label.lower()} {verb} here"
        if field.many is None and not field.nullable:
            raise Unusable(words)
        item.words.append(words)
