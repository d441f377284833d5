"""The error for an invalid value, with a translatable message."""

from typing import LiteralString

from pydantic_core import PydanticCustomError

from quire.translations.messages import Message


def refusal(code: LiteralString, words: Message) -> PydanticCustomError:
    """Return the error for a value, with a message that contains values of its own."""
    return PydanticCustomError(code, "{words}", {"words": words})
