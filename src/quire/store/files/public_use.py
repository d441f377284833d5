"""Which files are public: those shown by a record that everyone may read, in a field or in a text."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, func, literal, or_, select, union

from quire.actor import ANONYMOUS
from quire.declare.change import Change
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import row_conditions
from quire.store.files.detect import OTHERS, PICTURES
from quire.store.files.usage_in_texts import PREFIX, STEM, TextUse, stems_in, texts_of

_uses = TextUse.__table__
_SUFFIXES = (*(suffix for _, suffix in PICTURES.values()), *(suffix for _, _, suffix in OTHERS))


class PublicUse:
    """What a rule asks about the rows of a table of `files`; it is a ShownBy of declare/rules.py."""

    def __init__(self, files: Any):
        self._files = files

    def condition(self) -> ColumnElement[bool]:
        """The condition for rows that are used by something that everyone may read now."""
        # not EXISTS: PostgreSQL would collect all uses before looking at the first row
        uses = (one.correlate(self._files).limit(1).scalar_subquery() for one in self._uses())
        return or_(*(one.is_not(None) for one in uses))

    def _uses(self) -> Iterator[Select[Any]]:
        """Return a statement that selects the uses of files, for each way to use one."""
        for record in REGISTRY.values():
            pictures, texts = _pictures(record, self._files), texts_of(record)
            answer = record.declared_access.read(ANONYMOUS) if pictures or texts else False
            if answer is False:
                continue
            table, conditions = record.table, row_conditions(answer)
            if record.has_trash:
                conditions.append(table.c.deleted_at.is_(None))
            for field in pictures:
                is_use = field.column == self._files.c.id
                yield select(1).select_from(table).where(is_use, *conditions)
            if texts:
                source = _uses.join(table, _uses.c.record_id == table.c.id)
                is_use = and_(_uses.c.stem == _stem(self._files), _uses.c.type == record.path)
                yield select(1).select_from(source).where(is_use, *conditions)

    def shown_by(self, record: Record, where: ColumnElement[bool]) -> ColumnElement[bool] | None:
        """Return the files that the given rows of `record` use, whoever may see them; None if it uses none."""
        pictures = _pictures(record, self._files)
        ids = [select(one.column).where(where) for one in pictures]
        if texts_of(record):
            owners = select(record.table.c.id).where(where)
            used = self._files.alias()
            source = _uses.join(used, _is_named(used, _uses.c.stem))
            mine = (_uses.c.type == record.path, _uses.c.record_id.in_(owners))
            ids.append(select(used.c.id).select_from(source).where(*mine))
        return self._files.c.id.in_(union(*ids)) if ids else None

    def affected_by(self, change: Change) -> ColumnElement[bool] | None:
        """Return the files that a record starts or stops using with this change; None if there are none."""
        record = change.record
        ids: set[Any] = set()
        for field in _pictures(record, self._files):
            if field.name in change.values:
                ids |= {_id(change.before(field.name))} ^ {change.reference(field.name)}
        given = [one.name for one in texts_of(record) if one.name in change.values]
        before, after = map(change.before, given), map(change.values.__getitem__, given)
        stems = stems_in(before) ^ stems_in(after)
        conditions = [_is_named(self._files, stem) for stem in sorted(stems)]
        conditions += [self._files.c.id == id for id in sorted(ids - {None})]
        return or_(*conditions) if conditions else None


@cache
def _pictures(record: Record, files: Table) -> list[Field]:
    """Return the fields of a type that refer to that table."""
    return [one for one in record.fields if one.target == files.name and one.is_stored]


def _stem(files: Any) -> Any:
    return func.substr(files.c.url, len(PREFIX) + 1, STEM)


def _is_named(files: Any, stem: Any) -> ColumnElement[bool]:
    """Whether a file name has this stem; the index of addresses is used."""
    start = literal(PREFIX).concat(stem) if isinstance(stem, ColumnElement) else f"{PREFIX}{stem}"
    return files.c.url.in_([start + f".{suffix}" for suffix in _SUFFIXES])


def _id(value: Any) -> Any:
    return value["id"] if isinstance(value, dict) else value
