"""Names of events: what happened to a record, in the past tense, such as `posts.published`."""

from collections.abc import Iterable
from typing import Any

from quire.declare.record import Record

VERBS = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "restore_revision": "updated",
}
PUBLISHED, UNPUBLISHED = "published", "unpublished"
EVERYTHING = "*"
State = dict[str, Any]


def past_verb(record: Record, verb: str) -> str:
    """Return what `verb` has done to a record; publishing and unpublishing have events of their own."""
    action = record.action(verb)
    if action is None:
        return VERBS.get(verb, verb)
    return "updated" if action.event in (PUBLISHED, UNPUBLISHED) else action.event


def publication_event(
    record: Record, before: State | None, after: State, moment: str
) -> str | None:
    """Return whether a change has published or unpublished a record; None if neither.

    `moment` is the time of the change, as in JSON. The trash does not count: a record that is moved there is
    `deleted`, and later `restored`.
    """
    if not record.schedule_columns or _is_trashed(before) or _is_trashed(after):
        return None
    was_live, is_live = _is_live(before, moment), _is_live(after, moment)
    if was_live == is_live:
        return None
    return PUBLISHED if is_live else UNPUBLISHED


def _is_trashed(state: State | None) -> bool:
    return state is not None and state.get("deleted_at") is not None


def _is_live(state: State | None, moment: str) -> bool:
    """The counterpart of live_condition in publication.py, which is SQL."""
    if state is None or not state["published_at"] or state["published_at"] > moment:
        return False
    ends = state.get("unpublish_at")
    return not ends or ends > moment


def event_names(record: Record) -> list[str]:
    """Return the names of all events that a record of this type can have."""
    verbs = ["updated"] if record.singleton else ["created", "updated", "deleted"]
    verbs += [action.event for action in record.actions if not action.creates]
    return [f"{record.path}.{verb}" for verb in verbs]


def subscription_names(records: Iterable[Record]) -> list[str]:
    """Return what can be subscribed to: each event, all events of a type (`posts.*`), everything (`*`)."""
    names = [EVERYTHING]
    for record in records:
        names += [f"{record.path}.{EVERYTHING}", *event_names(record)]
    return names


def is_subscribed(names: Iterable[str], event: str) -> bool:
    """Whether one of the subscribed `names` includes `event`."""
    every = f"{event.partition('.')[0]}.{EVERYTHING}"
    return any(name in (EVERYTHING, every, event) for name in names)
