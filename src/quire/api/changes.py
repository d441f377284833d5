"""The change feed: `GET /api/v1/changes?since=`, for apps and sites that keep copies."""

from functools import partial
from typing import Any

from flask import Response
from flask_restful import Resource

from quire.actor import Actor
from quire.api import feed_cursor, long_polling, responses
from quire.api.query_parameters import allow_params, single_param, types_param
from quire.auth.current_actor import current_actor
from quire.declare.query import parse_number
from quire.declare.query_mistakes import read_all
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import require_possible
from quire.store.events.change_feed import Part, Place, catch_up, read_changes, readable_types
from quire.store.events.feed_position import current_position

MAX_LIMIT, DEFAULT_LIMIT = 500, 100
MAX_WAIT_SECONDS = 25


class Changes(Resource):
    """GET the changes since a cursor."""

    def get(self) -> Response:
        """Changes in commit order, each record once, as the current actor sees it now.

        Without `since`, only a cursor for future changes; with `wait`, the response is held until
        there are changes. Raises BadRequest, CursorExpired.
        """
        actor = current_actor()
        _, records, limit, wait, since = read_all(
            (
                partial(allow_params, "since", "types", "limit", "wait"),
                partial(_records, actor),
                partial(_number, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT),
                partial(_number, "wait", 0, 0, MAX_WAIT_SECONDS),
                partial(single_param, "since"),
            )
        )
        catch_up()
        feed = current_position()
        place = feed_cursor.decode(actor, feed, since)
        if place is None:
            part = Part([], Place(feed.last), False)
        else:
            part = _read_or_wait(actor, records, place, limit, wait)
        cursor = feed_cursor.encode(actor, feed.epoch, part.next)
        body: dict[str, Any] = {"changes": part.changes, "next": cursor, "more": part.more}
        return responses.json_response(body, headers={"Cache-Control": "private, no-store"})


def _read_or_wait(actor: Actor, records: list[Record], place: Place, limit: int, wait: int) -> Part:
    part = _read_now(actor, records, place, limit)
    # rules depend on nothing else about the actor
    reader = actor.cache_key_actor, actor.user_id, actor.session_id
    paths = tuple(record.path for record in records)
    with long_polling.waiting(wait) as waits:
        while waits and not (part.changes or part.more):
            question = reader, paths, part.next, limit
            read = partial(_read_now, actor, records, part.next, limit)
            later = waits.next_part(part.next.position, question, read)
            if later is None:
                break
            part = later
    return part


def _read_now(actor: Actor, records: list[Record], place: Place, limit: int) -> Part:
    return read_changes(actor, records, place, limit, responses.size_limit())


def _records(actor: Actor) -> list[Record]:
    """The requested types; by default, all that the actor may read."""
    names = types_param([one.path for one in REGISTRY.values() if one.is_versioned])
    if names is None:
        return readable_types(actor)
    for name in names:
        require_possible(REGISTRY[name].access.read, actor)
    return [REGISTRY[name] for name in names]


def _number(name: str, default: int, minimum: int, maximum: int) -> int:
    text = single_param(name)
    return default if text is None else parse_number(name, text, minimum, maximum)
