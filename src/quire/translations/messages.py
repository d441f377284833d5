"""Sentences for people, built so that each reader can get them in their own language."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any


class Message(str):
    """An English sentence that knows how it was built, from `text` and `values`.

    Programs and logs get it as it is; pages translate `text`, and those values that are Messages themselves.
    `plural` is the form for a `count` other than 1, which is written as `12,345`.
    """

    text: str
    plural: str | None
    values: dict[str, Any]

    def __new__(cls, text: str, plural: str | None = None, **values: Any) -> "Message":
        """Create the sentence: `text % values`, or `plural % values` if `count` is not 1."""
        form = plural if plural is not None and values["count"] != 1 else text
        count = values.get("count")
        shown = {**values, "count": f"{count:,}"} if isinstance(count, int) else values
        self = super().__new__(cls, form % shown if values else form)
        self.text, self.plural, self.values = text, plural, values
        return self

    @classmethod
    def join(cls, sentences: Iterable[str]) -> "Message":
        """Join several sentences into one text."""
        parts = {
            f"part_{number}": Message(one) if type(one) is str else one
            for number, one in enumerate(sentences)
        }
        return cls(" ".join(f"%({name})s" for name in parts), **parts)

    def with_values(self, **values: Any) -> "Message":
        """Return the same sentence with some other values."""
        return Message(self.text, self.plural, **(self.values | values))


def read_message(text: str, forms: Sequence[Message]) -> str:
    """Return a sentence that was stored in English as a Message of one of the `forms`; `text` itself if none matches.

    Forms are Messages without values; a value may be such a sentence again.
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
    """Return `1 hour`, `90 minutes`, `3 days`: in the largest unit of which there are two, or a whole number."""
    size, words = next(
        (unit for unit in _UNITS if seconds >= 2 * unit[0] or seconds == unit[0]), _UNITS[-1]
    )
    return words.with_values(count=rounded(seconds / size))
