"""Messages built from parts, and durations in words."""

import math
import re
from pathlib import Path

import pytest

from quire.declare import parse_errors
from quire.translations.messages import Message, duration_in_words, read_message
from quire.web.language import catalogue


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (119, "119 seconds"), (301.5, "5 minutes"),
        (3600, "1 hour"), (5400, "90 minutes"), (90_061, "25 hours"), (86_400, "1 day"), (259_200, "3 days"),
    ],
)  # fmt: skip
def test_durations(seconds, words):
    assert duration_in_words(seconds) == words


def test_delays_are_rounded_up():
    assert duration_in_words(121, rounded=math.ceil) == "3 minutes"


NO_CONNECTION = Message("No connection: %(reason)s")
LEADS_TO = Message("%(host)s leads to a private network (%(address)s).")
FORMS = (NO_CONNECTION, LEADS_TO)


def test_stored_sentence_is_parsed_with_nested_sentences():
    inner = LEADS_TO.with_values(host="a.example", address="10.0.0.1")
    message = read_message(str(NO_CONNECTION.with_values(reason=inner)), FORMS)
    assert isinstance(message, Message) and message.text == NO_CONNECTION.text
    assert message.values["reason"].values == {"host": "a.example", "address": "10.0.0.1"}
    assert message == "No connection: a.example leads to a private network (10.0.0.1)."


@pytest.mark.parametrize("text", ["", "Gone.", "No connection: ", "no connection: refused"])
def test_unknown_sentence_is_unchanged(text):
    assert read_message(text, FORMS) is text


VERBS = r"(ist|sind|muss|müssen|hat|haben|wird|werden|braucht|brauchen|darf|dürfen|kann|enthält)\b"


def test_german_fits_labels_of_any_number_and_gender():
    """Labels such as Schlagwörter and E-Mail precede the text, so no verb can agree with all of them."""
    german = {text: text_in(text) for text in phrases()}
    assert len(german) > 20
    assert [text for text, words in german.items() if re.match(VERBS, words)] == []


def phrases():
    """Yield the phrases that follow the label of a field."""
    declare = Path(parse_errors.__file__).parent
    for path in declare.glob("*.py"):
        yield from re.findall(
            r'"((?:is|has|must|may|can|needs|contains) [^"{]+\.)"', path.read_text(encoding="utf-8")
        )


def text_in(text):
    words = str(catalogue("de").gettext(text))
    assert words != text, f"{text} is not translated"
    return words
