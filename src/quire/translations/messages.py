"""Sentences for people, put together so that each reader can have them in their own language."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any


class Message(str):
    """A sentence in English that knows how it was made, from `text` and `values`.

    It is what programs and logs get as it is; pages translate `text`, and the values that are
    Messages themselves. `plural` is the form for a `count` other than 1, which is written as `12,345`.
    """

    text: str
    plural: str | None
    values: dict[str, Any]

    def __new__(cls, text: str, plural: str | None = None, **values: Any) -> "Message":
        """The sentence: `text % values`, or `plural % values` where `count` is not 1."""
        form = plural if plural is not None and values["count"] != 1 else text
        count = values.get("count")
        shown = {**values, "count": f"{count:,}"} if isinstance(count, int) else values
        self = super().__new__(cls, form % shown if values else form)
        self.text, self.plural, self.values = text, plural, values
        return self

    @classmethod
    def join(cls, sentences: Iterable[str]) -> "Message":
        """Several sentences as one text."""
        parts = {
            f"part_{number}": Message(one) if type(one) is str else one
            for number, one in enumerate(sentences)
        }
        return cls(" ".join(f"%({name})s" for name in parts), **parts)

    def with_values(self, **values: Any) -> "Message":
        """The same sentence with some other values."""
        return Message(self.text, self.plural, **(self.values | values))


def read_message(text: str, forms: Sequence[Message]) -> str:
    """A sentence that was stored in English, as the Message of one of the `forms` that it is; `text` if it is none.

    Forms are Messages without values; a value of one may be such a sentence again.
    """
    for form in forms:
        match = _pattern(form.text).fullmatch(text)
        if match is not None:
            values = {name: read_message(one, forms) for name, one in match.groupdict().items()}
            return form.with_values(**values)
    return text


@lru_cache(100)
def _pattern(form: str) -> re.Pattern[str]:
    words = re.split(r"%\((\w+)\)s", form)
    parts = [f"(?P<{one}>.+)" if place % 2 else re.escape(one) for place, one in enumerate(words)]
    return re.compile("".join(parts), re.DOTALL)


_UNITS = (
    (86_400, Message("%(count)s day", "%(count)s days", count=0)),
    (3600, Message("%(count)s hour", "%(count)s hours", count=0)),
    (60, Message("%(count)s minute", "%(count)s minutes", count=0)),
    (1, Message("%(count)s second", "%(count)s seconds", count=0)),
)


def duration_in_words(seconds: float, rounded: Callable[[float], int] = math.floor) -> Message:
    """`1 hour`, `90 minutes`, `3 days`: in the largest unit of which there are two, or a whole number."""
    size, words = next(
        (unit for unit in _UNITS if seconds >= 2 * unit[0] or seconds == unit[0]), _UNITS[-1]
    )
    return words.with_values(count=rounded(seconds / size))
