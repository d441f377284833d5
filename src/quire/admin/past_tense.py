"""Texts for the audit log and revisions: actions in the past tense, interfaces, credentials."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from quire.declare.fields import Field
from quire.declare.labels import capitalize_first
from quire.declare.record import REGISTRY
from quire.records.batches import KINDS
from quire.web.device_names import device_name
from quire.web.language import gettext

WORDS = {
    "accept_invitation": "invitation accepted",
    "back_up": "backup requested",
    "create": "created",
    "delete": "deleted",
    "denied": "access denied",
    "destroy": "permanently deleted",
    "discard_draft": "draft discarded",
    "draft": "draft started",
    "drop": "failed jobs deleted",
    "download_backup": "backup downloaded",
    "end_all_sessions": "everyone else signed out",
    "end_other_sessions": "other devices signed out",
    "end_previews": "preview links revoked",
    "end_sessions": "signed out on all devices",
    "export": "all content exported",
    "import": "file imported",
    "invite": "invitation sent",
    "leave": "account deleted by its owner",
    "maintenance_off": "maintenance turned off",
    "maintenance_on": "maintenance turned on",
    "move": "uploaded files moved",
    "passkey_added": "passkey added",
    "passkey_removed": "passkey removed",
    "password_reset": "password reset",
    "preview": "preview link created",
    "recovery_codes_renewed": "recovery codes replaced",
    "restore_revision": "older revision restored",
    "retry": "failed jobs retried",
    "second_factor_failed": "wrong two-factor code entered",
    "sign_in": "signed in",
    "sign_in_failed": "sign-in failed",
    "sign_in_throttled": "sign-in blocked after too many attempts",
    "sign_out": "signed out",
    "stop_viewing": "stopped viewing as this user",
    "token_reused": "refresh token used twice",
    "two_factor_off": "two-factor authentication turned off",
    "two_factor_on": "two-factor authentication turned on",
    "two_factor_reset": "two-factor authentication reset",
    "undo_import": "import undone",
    "unlock": "sign-in unblocked",
    "update": "changed",
    "verify": "email address verified",
    "verify_backup": "backup verified",
    "view_as": "started viewing as this user",
}
SENTENCES = {
    "accept_invitation": "%(who)s accepted the invitation for %(record)s",
    "back_up": "%(who)s asked for a backup",
    "denied": "%(who)s was refused access to %(record)s",
    "discard_draft": "%(who)s discarded the draft of %(record)s",
    "download_backup": "%(who)s downloaded a backup",
    "draft": "%(who)s started a draft of %(record)s",
    "drop": "%(who)s deleted failed jobs",
    "end_all_sessions": "%(who)s signed everyone else out",
    "end_other_sessions": "%(who)s signed out the other devices of %(record)s",
    "end_previews": "%(who)s revoked the preview links to %(record)s",
    "end_sessions": "%(who)s signed out all devices of %(record)s",
    "export": "%(who)s exported all content",
    "import": "%(who)s imported a file into %(record)s",
    "invite": "%(who)s sent an invitation",
    "leave": "%(who)s deleted their account",
    "maintenance_off": "%(who)s turned maintenance off",
    "maintenance_on": "%(who)s turned maintenance on",
    "move": "%(who)s moved uploaded files",
    "passkey_added": "%(who)s added a passkey to %(record)s",
    "passkey_removed": "%(who)s removed a passkey from %(record)s",
    "password_reset": "%(who)s reset the password of %(record)s",
    "pending": "%(who)s marked %(record)s as pending",
    "preview": "%(who)s created a preview link to %(record)s",
    "recovery_codes_renewed": "%(who)s created new recovery codes for %(record)s",
    "regenerate_variants": "%(who)s queued %(record)s for processing",
    "restore_revision": "%(who)s restored an older revision of %(record)s",
    "retry": "%(who)s retried failed jobs",
    "rotate_secret": "%(who)s renewed the secret of %(record)s",
    "second_factor_failed": "%(who)s entered a wrong two-factor code for %(record)s",
    "sign_in": "%(who)s signed in",
    "sign_in_failed": "%(who)s failed to sign in as %(record)s",
    "sign_in_throttled": "%(who)s made too many sign-in attempts for %(record)s",
    "sign_out": "%(who)s signed out",
    "spam": "%(who)s marked %(record)s as spam",
    "stop_viewing": "%(who)s stopped viewing the site as %(record)s",
    "token_reused": "%(who)s used a refresh token twice for %(record)s",
    "two_factor_off": "%(who)s turned off two-factor authentication for %(record)s",
    "two_factor_on": "%(who)s turned on two-factor authentication for %(record)s",
    "two_factor_reset": "%(who)s reset two-factor authentication for %(record)s",
    "undo": "%(who)s undid %(record)s",
    "undo_import": "%(who)s undid an import into %(record)s",
    "unlock": "%(who)s unblocked sign-in for %(record)s",
    "verify": "%(who)s verified the email address of %(record)s",
    "verify_backup": "%(who)s asked for a backup to be verified",
    "view_as": "%(who)s started viewing the site as %(record)s",
}
"""What someone has done, if it differs from PLAIN_SENTENCE: whole sentences, since word order differs by language."""
PLAIN_SENTENCE = "%(who)s %(past)s %(record)s"
"""The usual sentence, with `past_tense`."""
INTERFACES = {
    "admin": "Admin panel",
    "api": "API",
    "cli": "Command line",
    "import": "Import",
    "jobs": "Background job",
    "site": "Site",
}
SHARED_WITH = {
    "nobody": "Nobody",
    "authors": "Authors and above",
    "moderators": "Moderators and above",
    "admins": "Administrators",
}
PROOFS = {
    "console": "Command line",
    "import": "Import",
    "job": "Background job",
    "key": "API key",
    "none": "None",
    "session": "Browser session",
    "token": "Access token",
}
LABELS: dict[tuple[str, str], Mapping[str, str]] = {
    ("word", "door"): INTERFACES,
    ("word", "kind"): KINDS,
    ("word", "proof"): PROOFS,
    ("choice", "shared_with"): SHARED_WITH,
}
"""The labels of the values of fields, by the kind and the name of the fields."""


def past_tense(action: str) -> str:
    """The action in the past tense, without an actor."""
    return gettext(_past_words().get(action, action.replace("_", " ")))


@cache
def _past_words() -> dict[str, str]:
    """All actions in the past tense; record types declare their own."""
    actions = (action for record in REGISTRY.values() for action in record.actions)
    return WORDS | {action.name: action.past_tense for action in actions}


def sentence(action: str) -> str:
    """The sentence about an action, with placeholders for `%(who)s` and, if there is one, `%(record)s`."""
    return gettext(SENTENCES.get(action, PLAIN_SENTENCE)).replace("%(past)s", past_tense(action))


def word_of(field: Field, value: Any) -> str | None:
    """The label of a code in the audit log or a revision, a list or a device; None for other fields."""
    kind = _kind_of(field)
    if kind == "agent":
        return device_name(str(value))
    if kind == "record_type" or (kind, field.name) == ("word", "type"):
        return gettext(REGISTRY[value].label) if value in REGISTRY else None
    if (kind, field.name) == ("word", "action"):
        return capitalize_first(past_tense(value))
    return _choice_labels(field).get(value) if isinstance(value, str) else None


def words_for(field: Field) -> tuple[tuple[str, str], ...]:
    """All choices of such a field with labels, for a filter or a form; empty for other fields."""
    kind = _kind_of(field)
    if kind == "record_type":
        return tuple(
            (path, gettext(one.label)) for path, one in REGISTRY.items() if not one.singleton
        )
    if (kind, field.name) == ("word", "action"):
        labels = ((one, capitalize_first(past_tense(one))) for one in _past_words())
        return tuple(sorted(labels, key=lambda pair: pair[1]))
    if (kind, field.name) == ("word", "type"):
        return tuple((path, gettext(record.label)) for path, record in REGISTRY.items())
    return tuple(_choice_labels(field).items())


def _kind_of(field: Field) -> str:
    return "" if field.kind is None else field.kind.name


def _choice_labels(field: Field) -> dict[str, Any]:
    words = LABELS.get((_kind_of(field), field.name), {})
    return {name: gettext(word) for name, word in words.items()}
