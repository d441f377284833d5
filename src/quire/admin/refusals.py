"""Why records were not changed, or changes not undone: sentences that name the records."""

from quire.actor import Actor
from quire.admin.format import quote, record_title
from quire.admin.queries import find_many
from quire.declare.record import Record
from quire.errors import Problem
from quire.store.history.undoable_batches import RowChange
from quire.store.revisions import data_of_records
from quire.web.language import gettext, translate

LIMIT = 100
"""The maximum number of rows of a bulk action that are selected one by one: as many as a page can show."""

MAX_NAMED = 10
"""The maximum number of records named in one message."""


def refusal_messages(record: Record, actor: Actor, refused: dict[int, Problem]) -> list[str]:
    """Why some records were not changed: a sentence for each reason, with their names."""
    return _refusal_messages(record, refused, _names(record, actor, list(refused)[:LIMIT]))


def undo_refusals(
    record: Record, actor: Actor, refused: list[tuple[RowChange, Problem]]
) -> list[str]:
    """Why changes to records of one type were not undone; deleted records have their last title."""
    problems = {change.record_id: problem for change, problem in refused[:LIMIT]}
    names = _names(record, actor, list(problems))
    versions = {
        change.record_id: change.version for change, _ in refused if change.record_id in problems
    }
    gone = {id: version for id, version in versions.items() if id not in names}
    for id, data in data_of_records(record, gone).items():
        names[id] = quote(record_title(record, {**data, "id": id}))
    return _refusal_messages(record, problems, names)


def _names(record: Record, actor: Actor, ids: list[int]) -> dict[int, str]:
    states = find_many(record, actor, ids) if ids else {}
    return {id: quote(record_title(record, state)) for id, state in states.items()}


def _refusal_messages(
    record: Record, refused: dict[int, Problem], names: dict[int, str]
) -> list[str]:
    """A sentence for each reason; records without a name are identified by type and number."""
    names_by_reason: dict[str, list[str]] = {}
    for id, problem in refused.items():
        name = names.get(id) or f"{gettext(record.singular)} #{id}"
        names_by_reason.setdefault(translate(problem.message), []).append(name)
    return [
        gettext("%(names)s: %(reason)s", names=_join_names(some), reason=reason)
        for reason, some in names_by_reason.items()
    ]


def _join_names(names: list[str]) -> str:
    first, more = ", ".join(names[:MAX_NAMED]), len(names) - MAX_NAMED
    return gettext("%(names)s and %(more)s more", names=first, more=more) if more > 0 else first
