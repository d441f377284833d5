"""What the checks of the installation say, for pages: in the language of whoever reads."""

from types import SimpleNamespace

from quire.checks.check import Check
from quire.declare.labels import capitalize_first
from quire.translations.languages import ENGLISH
from quire.translations.messages import Message
from quire.web.language import translate

TONES = {"ok": "success", "warning": "warning", "error": "error"}
WORDS = {"ok": Message("OK"), "warning": Message("Warning"), "error": Message("Error")}


def check_row(name: str, check: Check) -> SimpleNamespace:
    """The name and the status of a check, and why and what to do as `_sentence` has them."""
    return SimpleNamespace(
        name=capitalize_first(translate(name)),
        status=translate(WORDS[check.status]),
        tone=TONES[check.status],
        reason=_sentence(check.reason),
        action=_sentence(check.action),
    )


def _sentence(words: str | None) -> SimpleNamespace | None:
    """A sentence in the language of the page; one of a command's stays English, and says so."""
    if words is None:
        return None
    language = None if isinstance(words, Message) else ENGLISH
    return SimpleNamespace(words=translate(words), language=language)
