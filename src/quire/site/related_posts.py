"""Posts related to a post: those that share the most tags with it, newest first."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select, union_all

from quire.actor import ANONYMOUS
from quire.declare.publication import live_condition
from quire.declare.record import REGISTRY
from quire.declare.rules import rule_params
from quire.store.db import read_connection
from quire.store.projection import Projection
from quire.store.read import visible

FIELDS = ("id", "title", "slug", "published_at")
LOOKED_AT = 500
"""The maximum number of uses of its tags that are counted: those in the newest posts of each tag."""
MAX_PLANS = 50
"""One plan for each number of tags that a post can have."""


def find_related(post: int, tags: Sequence[int], limit: int) -> list[dict[str, Any]]:
    """At most `limit` public posts with one of `tags`, without `post` itself."""
    if not tags:
        return []
    projection, statement = _plan(len(tags))
    values = {**rule_params(ANONYMOUS), "post": post, "limit": limit}
    values.update({_tag(number): tag for number, tag in enumerate(tags)})
    with read_connection() as connection:
        return [projection.shape(row) for row in connection.execute(statement, values)]


@lru_cache(MAX_PLANS)
def _plan(tags: int) -> tuple[Projection, Select[Any]]:
    record = REGISTRY["posts"]
    table = record.table
    near = union_all(
        *(_newest_uses(number, LOOKED_AT // tags) for number in range(tags))
    ).subquery()
    shared = (
        select(near.c.source_id, func.count().label("number")).group_by(near.c.source_id).subquery()
    )
    projection = Projection(record, ANONYMOUS, FIELDS)
    pairs = table.join(shared, shared.c.source_id == table.c.id)
    return projection, (
        projection.select_from(pairs)
        .where(visible(record, ANONYMOUS))
        .order_by(shared.c.number.desc(), table.c.sorted_at.desc(), table.c.id.desc())
        .limit(bindparam("limit"))
    )


def _newest_uses(number: int, limit: int) -> Select[Any]:
    """Return the newest posts with the tag of this number.

    Each tag is read in the order of its own index: reading them together would mean sorting all their posts.
    """
    link = REGISTRY["posts"].field("tags").many.table  # type: ignore[union-attr]
    uses = (
        select(link.c.source_id)
        .where(link.c.target_id == bindparam(_tag(number)), live_condition(link.c))
        .where(link.c.source_id != bindparam("post"))
        .order_by(link.c.sorted_at.desc(), link.c.source_id.desc())
        .limit(limit)
        .subquery()
    )
    return select(uses.c.source_id)


def _tag(number: int) -> str:
    return f"tag_{number}"
