"""What came of an attempt to send to a webhook."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: the status of the answer if there was one, why it failed if it did.

    `retry_after`: for how many seconds the receiver wants no further attempt.
    """

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: int = 0
