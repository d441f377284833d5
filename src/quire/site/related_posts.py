"""Posts related to a post: those that share most tags with it, newest first."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from quire.actor import ANONYMOUS
from quire.declare.record import REGISTRY
from quire.store.db import read_connection
from quire.store.projection import Projection
from quire.store.read import rule_params, visible

FIELDS = ("id", "title", "slug", "published_at")
LOOKED_AT = 500
"""Most uses of its tags that are counted, newest posts first."""


def find_related(post: int, tags: Sequence[int], most: int) -> list[dict[str, Any]]:
    """At most `most` public posts with one of `tags`, without `post` itself."""
    if not tags:
        return []
    projection, statement = _plan()
    values = {**rule_params(ANONYMOUS), "post": post, "tags": tuple(tags), "most": most}
    with read_connection() as connection:
        return [projection.shape(row) for row in connection.execute(statement, values)]


@cache
def _plan() -> tuple[Projection, Select[Any]]:
    record = REGISTRY["posts"]
    table, link = record.table, record.field("tags").many.table  # type: ignore[union-attr]
    near = (
        select(link.c.source_id)
        .where(link.c.target_id.in_(bindparam("tags", expanding=True)))
        .where(link.c.source_id != bindparam("post"))
        .order_by(link.c.source_id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    shared = (
        select(near.c.source_id, func.count().label("number")).group_by(near.c.source_id).subquery()
    )
    projection = Projection(record, ANONYMOUS, FIELDS)
    pairs = table.join(shared, shared.c.source_id == table.c.id)
    return projection, (
        projection.select_from(pairs)
        .where(visible(record, ANONYMOUS))
        .order_by(shared.c.number.desc(), table.c.sorted_at.desc(), table.c.id.desc())
        .limit(bindparam("most"))
    )
