"""Where a file is used: by records that refer to it, and in texts that name its address."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, or_, select

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import Answer, row_conditions
from quire.declare.sql_functions import position
from quire.store.db import read_connection
from quire.store.drafts import Draft
from quire.store.files.usage_in_texts import PREFIX, rows_naming, texts_of
from quire.store.read import rule_params

MOST = 100
"""Uses that are listed; all are counted."""

Use = dict[str, Any]

_drafts = Draft.__table__


def find_usage(file_record: Record, actor: Actor, state: dict[str, Any]) -> tuple[list[Use], int]:
    """Uses of a file that `actor` may see, and how many there are in all.

    `state` is that of a row of `file_record`.     Each is `{type, id, field, title, url}`; `url` is its page on the site, null where it has none.
    """
    found: list[Use] = []
    count = 0
    with read_connection() as connection:
        for record, name, verb, condition in _places(file_record, state):
            rows = select(func.count()).select_from(record.table).where(condition)
            count += int(connection.execute(rows).scalar_one())
            wanted = _visible(record, record.allows(actor, verb), condition)
            seen = connection.execute(wanted, rule_params(actor)).mappings()
            found += [_use(record, name, row) for row in seen]
    return found[:MOST], count


def _places(
    file_record: Record, state: dict[str, Any]
) -> Iterator[tuple[Record, str, str, ColumnElement[bool]]]:
    """Types, the field that may name the file, the verb of those who see that, and where it does."""
    stem = state["url"].rpartition(".")[0]
    for record in REGISTRY.values():
        pictures = [f for f in record.fields if f.target == file_record.table.name and f.is_stored]
        for field in pictures:
            yield record, field.name, "read", field.column == state["id"]
        for field in texts_of(record):
            named = and_(
                rows_naming(record, stem.removeprefix(PREFIX)), position(field.column, stem) > 0
            )
            yield record, field.name, "read", named
        if record.drafts:
            yield record, "draft", "update", _in_drafts(record, pictures, state["id"], stem)


def _in_drafts(record: Record, pictures: list[Field], id: int, stem: str) -> ColumnElement[bool]:
    """The rows whose draft names the file."""
    values = _drafts.c["values"]
    named = [values[field.name].as_string() == str(id) for field in pictures]
    named.append(position(cast(values, Text), stem) > 0)
    mine = (_drafts.c.type == record.path, _drafts.c.record_id == record.table.c.id)
    return exists(select(1).select_from(_drafts).where(*mine, or_(*named)))


def _visible(record: Record, answer: Answer, condition: ColumnElement[bool]) -> Select[Any]:
    rows = select(record.table).where(condition).order_by(record.table.c.id).limit(MOST)
    return rows.where(*row_conditions(answer))


def _use(record: Record, name: str, row: Any) -> Use:
    shown = str(row[record.title_field])
    return {
        "type": record.path,
        "id": row["id"],
        "field": name,
        "title": shown if len(shown) <= 100 else f"{shown[:99]}…",
        "url": record.public_path.format_map(row) if record.public_path else None,
    }
