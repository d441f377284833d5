"""The results of the installation's checks for pages, in the language of the reader."""

from types import SimpleNamespace

from quire.checks.check import Check
from quire.declare.labels import capitalize_first
from quire.translations.languages import ENGLISH
from quire.translations.messages import Message
from quire.web.language import translate

TONES = {"ok": "success", "warning": "warning", "error": "error"}
WORDS = {"ok": Message("OK"), "warning": Message("Warning"), "error": Message("Error")}


def check_row(name: str, check: Check) -> SimpleNamespace:
    """The name and the status of a check, with the reason and the remedy as `_sentence` returns them."""
    return SimpleNamespace(
        name=capitalize_first(translate(name)),
        status=translate(WORDS[check.status]),
        tone=TONES[check.status],
        reason=_sentence(check.reason),
        action=_sentence(check.action),
    )


def _sentence(words: str | None) -> SimpleNamespace | None:
    """A sentence in the language of the page; those of commands stay English, and are marked as such."""
    if words is None:
        return None
    language = None if isinstance(words, Message) else ENGLISH
    return SimpleNamespace(words=translate(words), language=language)
