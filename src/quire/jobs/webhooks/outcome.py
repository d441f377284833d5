"""The outcome of an attempt to deliver to a webhook."""

from dataclasses import dataclass

from quire.security.network_addresses import LINK_LOCAL, PRIVATE, UNKNOWN
from quire.translations.messages import Message

NO_ANSWER = Message("There was no complete answer within %(seconds)s seconds.")
NO_CONNECTION = Message("No connection: %(reason)s")
NOT_HTTP = Message("The answer is not valid HTTP: %(reason)s")
REDIRECT = Message("The receiver answered %(status)s. Redirects are not followed.")
REFUSAL = Message("The receiver answered %(status)s.")
GONE = Message("The receiver answered 410 Gone.")
ALL_FAILED = Message("All attempts have failed for %(days)s days.")
FAILURES = (
    NO_ANSWER, NO_CONNECTION, NOT_HTTP, REDIRECT, GONE, REFUSAL, ALL_FAILED, LINK_LOCAL, PRIVATE, UNKNOWN,
)  # fmt: skip
"""Why an attempt has failed or a webhook was turned off: stored in English, shown in any language."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of an attempt: the status of the response, if any, and the reason for a failure.

    `retry_after` is the number of seconds for which the receiver wants no further attempt.
    """

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: int = 0
