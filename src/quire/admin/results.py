"""The outcomes of actions, and of undoing them, in the language of the reader."""

from collections import Counter
from collections.abc import Iterable

from quire.declare import results
from quire.declare.record import REGISTRY, Record
from quire.declare.results import NOUNS, message_about
from quire.store.history.undoable_batches import RowChange
from quire.translations.messages import Message
from quire.web.language import translate

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
"""The outcome of undoing each action."""
OTHER_UNDONE = Message(
    "Undone: %(count)s %(noun)s: %(past)s.",
    "Undone: %(count)s %(nouns)s: %(past)s.",
    **NOUNS,
    past="",
)
"""The same for actions without a message of their own."""


def result_message(record: Record, action: str, count: int) -> str:
    """The outcome of an action on `count` records: `3 posts published.`"""
    return translate(results.result_message(record, action, count))


def undo_message(undone: Iterable[RowChange]) -> str:
    """What was undone, by type and action: `Undone: 3 posts published.`"""
    numbers = Counter((one.type, one.action) for one in reversed([*undone]))
    return " ".join(
        translate(message_about(UNDONE, OTHER_UNDONE, REGISTRY[type], action, count))
        for (type, action), count in numbers.items()
    )
