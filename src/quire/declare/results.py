"""The outcomes of actions as sentences, complete for each case: word order and endings differ by language."""

from quire.declare.record import Record
from quire.translations.messages import Message

DELETE, DESTROY, TRASH = "delete", "destroy", "trash"
"""Names of the two deletions that every type has: one that moves to the trash, or deletes immediately, and one that
is permanent. The last is the name of the first if it moves to the trash.
"""

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
"""The outcomes of bulk actions."""
OTHER_RESULT = Message(
    "%(count)s %(noun)s: %(past)s.", "%(count)s %(nouns)s: %(past)s.", **NOUNS, past=""
)
"""The sentence for actions without one of their own."""


def result_message(record: Record, action: str, count: int) -> Message:
    """Return the outcome of an action on `count` records: `3 posts published.`"""
    return message_about(RESULTS, OTHER_RESULT, record, action, count)


def message_about(
    messages: dict[str, Message], other: Message, record: Record, action: str, count: int
) -> Message:
    """Return the one of `messages` about an action on `count` records; `other` for actions that have none."""
    is_moved = action == DELETE and record.has_trash
    words = messages.get(TRASH if is_moved else action)
    if words is None:
        declared = record.action(action)
        past = declared.past_tense if declared else action.replace("_", " ")
        words = other.with_values(past=Message(past))
    return words.with_values(count=count, **nouns_of(record))


def nouns_of(record: Record) -> dict[str, Message]:
    """Return the names of its records inside a sentence, for `%(noun)s` and `%(nouns)s`."""
    return {"noun": Message(record.noun), "nouns": Message(record.plural_noun)}
