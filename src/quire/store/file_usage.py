"""Finds where a file is used: by records that refer to it, and in texts that contain its URL."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, or_, select

from quire.actor import Actor
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import Answer, row_conditions, rule_params
from quire.declare.sql_functions import position
from quire.store.db import read_connection
from quire.store.drafts.storage import Draft
from quire.store.files.usage_in_texts import PREFIX, rows_naming, texts_of

LIMIT = 100
"""The maximum number of uses that are listed; all are counted."""

Use = dict[str, Any]

_drafts = Draft.__table__


def find_usage(file_record: Record, actor: Actor, state: dict[str, Any]) -> tuple[list[Use], int]:
    """The uses of a file that `actor` may see, and the total number of uses.

    `state` is the state of a record of type `file_record`. Each use is `{type, id, field, title, url}`; `url`
    is the page on the site, null if there is none.
    """
    uses: list[Use] = []
    count = 0
    with read_connection() as connection:
        for record, name, verb, condition in _places(file_record, state):
            rows = select(func.count()).select_from(record.table).where(condition)
            count += int(connection.execute(rows).scalar_one())
            statement = _select_visible(record, record.allows(actor, verb), condition)
            visible_rows = connection.execute(statement, rule_params(actor)).mappings()
            uses += [_use(record, name, row) for row in visible_rows]
    return uses[:LIMIT], count


def _places(
    file_record: Record, state: dict[str, Any]
) -> Iterator[tuple[Record, str, str, ColumnElement[bool]]]:
    """For each place: the type, the field that may name the file, the verb that lets an actor see it, the condition."""
    stem = state["url"].rpartition(".")[0]
    for record in REGISTRY.values():
        pictures = [f for f in record.fields if f.target == file_record.table.name and f.is_stored]
        for field in pictures:
            yield record, field.name, "read", field.column == state["id"]
        for field in texts_of(record):
            condition = and_(
                rows_naming(record, stem.removeprefix(PREFIX)), position(field.column, stem) > 0
            )
            yield record, field.name, "read", condition
        if record.drafts:
            yield record, "draft", "update", _in_drafts(record, pictures, state["id"], stem)


def _in_drafts(record: Record, pictures: list[Field], id: int, stem: str) -> ColumnElement[bool]:
    """The rows whose draft names the file."""
    values = _drafts.c["values"]
    conditions = [values[field.name].as_string() == str(id) for field in pictures]
    conditions.append(position(cast(values, Text), stem) > 0)
    is_draft = (_drafts.c.type == record.path, _drafts.c.record_id == record.table.c.id)
    return exists(select(1).select_from(_drafts).where(*is_draft, or_(*conditions)))


def _select_visible(record: Record, answer: Answer, condition: ColumnElement[bool]) -> Select[Any]:
    rows = select(record.table).where(condition).order_by(record.table.c.id).limit(LIMIT)
    return rows.where(*row_conditions(answer))


def _use(record: Record, name: str, row: Any) -> Use:
    title = str(row[record.title_field])
    return {
        "type": record.path,
        "id": row["id"],
        "field": name,
        "title": title if len(title) <= 100 else f"{title[:99]}…",
        "url": record.public_path.format_map(row) if record.public_path else None,
    }
