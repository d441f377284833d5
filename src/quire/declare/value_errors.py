"""The error for a value of the wrong form, in words that can be translated."""

from typing import LiteralString

from pydantic_core import PydanticCustomError

from quire.translations.messages import Message


def refusal(code: LiteralString, words: Message) -> PydanticCustomError:
    """The error for a value, in words that have values of their own."""
    return PydanticCustomError(code, "{words}", {"words": words})
