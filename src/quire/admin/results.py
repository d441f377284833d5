"""What actions have come to, in sentences that are whole for each case: word order and endings differ by language."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from quire.admin.past_tense import KINDS, past_tense
from quire.declare.record import REGISTRY, Record
from quire.store.history.undoable_batches import RowChange
from quire.translations.messages import Message
from quire.web.language import gettext, translate

DELETE, DESTROY, TRASH = "delete", "destroy", "trash"
"""Names of the two deletions that every type has: into the trash, or at once; and permanent. The last is
the name of the first where it moves records to the trash."""

NOUNS = {"count": 0, "noun": "", "nouns": ""}
RESULTS = {
    "approve": Message("%(count)s %(noun)s approved.", "%(count)s %(nouns)s approved.", **NOUNS),
    "create": Message("%(count)s %(noun)s created.", "%(count)s %(nouns)s created.", **NOUNS),
    "delete": Message("%(count)s %(noun)s deleted.", "%(count)s %(nouns)s deleted.", **NOUNS),
    "destroy": Message(
        "%(count)s %(noun)s permanently deleted.",
        "%(count)s %(nouns)s permanently deleted.",
        **NOUNS,
    ),
    "pending": Message(
        "%(count)s %(noun)s marked as pending.", "%(count)s %(nouns)s marked as pending.", **NOUNS
    ),
    "publish": Message("%(count)s %(noun)s published.", "%(count)s %(nouns)s published.", **NOUNS),
    "regenerate_variants": Message(
        "%(count)s %(noun)s queued for processing.",
        "%(count)s %(nouns)s queued for processing.",
        **NOUNS,
    ),
    "replay": Message("%(count)s %(noun)s sent again.", "%(count)s %(nouns)s sent again.", **NOUNS),
    "restore": Message("%(count)s %(noun)s restored.", "%(count)s %(nouns)s restored.", **NOUNS),
    "rotate_secret": Message(
        "The secret of %(count)s %(noun)s was renewed.",
        "The secrets of %(count)s %(nouns)s were renewed.",
        **NOUNS,
    ),
    "spam": Message(
        "%(count)s %(noun)s marked as spam.", "%(count)s %(nouns)s marked as spam.", **NOUNS
    ),
    "test": Message("%(count)s %(noun)s tested.", "%(count)s %(nouns)s tested.", **NOUNS),
    "trash": Message(
        "%(count)s %(noun)s moved to the trash.", "%(count)s %(nouns)s moved to the trash.", **NOUNS
    ),
    "undo": Message("%(count)s %(noun)s undone.", "%(count)s %(nouns)s undone.", **NOUNS),
    "unpublish": Message(
        "%(count)s %(noun)s unpublished.", "%(count)s %(nouns)s unpublished.", **NOUNS
    ),
    "update": Message("%(count)s %(noun)s changed.", "%(count)s %(nouns)s changed.", **NOUNS),
}
"""What a bulk action has come to."""
OTHER_RESULT = Message(
    "%(count)s %(noun)s: %(past)s.", "%(count)s %(nouns)s: %(past)s.", **NOUNS, past=""
)
"""The sentence of an action that has none of its own."""
UNDONE = {
    "approve": Message(
        "Undone: %(count)s %(noun)s approved.", "Undone: %(count)s %(nouns)s approved.", **NOUNS
    ),
    "create": Message(
        "Undone: %(count)s %(noun)s created.", "Undone: %(count)s %(nouns)s created.", **NOUNS
    ),
    "delete": Message(
        "Undone: %(count)s %(noun)s deleted.", "Undone: %(count)s %(nouns)s deleted.", **NOUNS
    ),
    "destroy": Message(
        "Undone: %(count)s %(noun)s permanently deleted.",
        "Undone: %(count)s %(nouns)s permanently deleted.",
        **NOUNS,
    ),
    "pending": Message(
        "Undone: %(count)s %(noun)s marked as pending.",
        "Undone: %(count)s %(nouns)s marked as pending.",
        **NOUNS,
    ),
    "publish": Message(
        "Undone: %(count)s %(noun)s published.", "Undone: %(count)s %(nouns)s published.", **NOUNS
    ),
    "regenerate_variants": Message(
        "Undone: %(count)s %(noun)s queued for processing.",
        "Undone: %(count)s %(nouns)s queued for processing.",
        **NOUNS,
    ),
    "replay": Message(
        "Undone: %(count)s %(noun)s sent again.", "Undone: %(count)s %(nouns)s sent again.", **NOUNS
    ),
    "restore": Message(
        "Undone: %(count)s %(noun)s restored.", "Undone: %(count)s %(nouns)s restored.", **NOUNS
    ),
    "rotate_secret": Message(
        "Undone: the secret of %(count)s %(noun)s was renewed.",
        "Undone: the secrets of %(count)s %(nouns)s were renewed.",
        **NOUNS,
    ),
    "spam": Message(
        "Undone: %(count)s %(noun)s marked as spam.",
        "Undone: %(count)s %(nouns)s marked as spam.",
        **NOUNS,
    ),
    "test": Message(
        "Undone: %(count)s %(noun)s tested.", "Undone: %(count)s %(nouns)s tested.", **NOUNS
    ),
    "trash": Message(
        "Undone: %(count)s %(noun)s moved to the trash.",
        "Undone: %(count)s %(nouns)s moved to the trash.",
        **NOUNS,
    ),
    "undo": Message(
        "Undone: %(count)s %(noun)s undone.", "Undone: %(count)s %(nouns)s undone.", **NOUNS
    ),
    "unpublish": Message(
        "Undone: %(count)s %(noun)s unpublished.",
        "Undone: %(count)s %(nouns)s unpublished.",
        **NOUNS,
    ),
    "update": Message(
        "Undone: %(count)s %(noun)s changed.", "Undone: %(count)s %(nouns)s changed.", **NOUNS
    ),
}
"""What undoing it has come to."""
OTHER_UNDONE = Message(
    "Undone: %(count)s %(noun)s: %(past)s.",
    "Undone: %(count)s %(nouns)s: %(past)s.",
    **NOUNS,
    past="",
)
"""The same for an action that has none of its own."""


def result_message(record: Record, action: str, count: int) -> str:
    """What an action has come to that was run on `count` records: `3 posts published.`"""
    return _sentence(RESULTS, OTHER_RESULT, record, action, count)


def batch_title(state: dict[str, Any]) -> str:
    """What a batch has done: `3 posts published`, `Imported tags.csv`; its kind where that is not known."""
    if state.get("file_name"):
        return gettext("Imported %(name)s", name=state["file_name"])
    record, action = REGISTRY.get(state.get("type") or ""), state.get("action")
    if record is None or not action:
        kind = KINDS.get(state.get("kind", ""))
        return gettext(kind) if kind else ""
    return result_message(record, action, state.get("rows") or 0).removesuffix(".")


def undo_message(undone: Iterable[RowChange]) -> str:
    """What was undone, by type and action: `Undone: 3 posts published.`"""
    numbers = Counter((one.type, one.action) for one in reversed([*undone]))
    return " ".join(
        _sentence(UNDONE, OTHER_UNDONE, REGISTRY[type], action, count)
        for (type, action), count in numbers.items()
    )


def _sentence(
    messages: dict[str, Message], other: Message, record: Record, action: str, count: int
) -> str:
    is_moved = action == DELETE and record.has_trash
    words = messages.get(TRASH if is_moved else action) or other.with_values(
        past=past_tense(action)
    )
    return translate(words.with_values(count=count, **nouns_of(record)))


def nouns_of(record: Record) -> dict[str, Message]:
    """What its records are called in a sentence, for `%(noun)s` and `%(nouns)s`."""
    return {"noun": Message(record.noun), "nouns": Message(record.plural_noun)}
