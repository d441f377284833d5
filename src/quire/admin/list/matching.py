"""All rows that a list finds, on all pages: what a bulk action can be run on."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from quire.actor import Actor
from quire.admin.actions import MAX_MATCHING, Choice, bulk_choices
from quire.admin.list.listing import ListPage
from quire.admin.urls import list_url
from quire.declare.record import Record
from quire.declare.results import nouns_of
from quire.errors import BadRequest
from quire.store.read import Page
from quire.store.record_stream import RecordStream
from quire.translations.messages import Message
from quire.web.language import format_number, gettext, translate

MATCHING = Message(
    "This applies to the %(noun)s that matches.",
    "This applies to all %(figure)s %(nouns)s that match.",
    count=0, figure="", noun="", nouns="",
)  # fmt: skip


class MatchingRows:
    """The rows of the list at `address` that `actor` may see.

    Raises BadRequest if it is not a list of this type, or its parameters are invalid.
    """

    def __init__(self, record: Record, actor: Actor, address: str):
        parts = urlsplit(address)
        if parts.path != list_url(record):
            raise BadRequest("This is not the address of the list.", code="invalid_parameter")
        self._listing = ListPage(record, actor, parse_qsl(parts.query))
        if self._listing.problem:
            raise self._listing.problem

    @property
    def page(self) -> Page:
        """The page of the list that was shown."""
        return self._listing.page

    @property
    def total(self) -> int:
        """How many rows match, at least."""
        return self.page.total or 0

    @property
    def question(self) -> str:
        """The question asked before an action is run on all of them."""
        figure, nouns = self._listing.total_figure(), nouns_of(self._listing.record)
        words = translate(MATCHING.with_values(count=self.total, figure=figure, **nouns))
        return f"{words} {self._first}" if self._rest else words

    @property
    def rest_message(self) -> str:
        """A note that one action does not change all rows; empty if it does."""
        left = gettext(
            "%(count)s more are left. Repeat the action for them.", count=format_number(self._rest)
        )
        return left if self._rest else ""

    @property
    def _first(self) -> str:
        return gettext("The first %(count)s are changed now.", count=format_number(MAX_MATCHING))

    @property
    def _rest(self) -> int:
        """How many rows exceed the limit of one action."""
        return max(self.total - MAX_MATCHING, 0)

    def choice(self, name: str) -> Choice:
        """The bulk action called `name`. Raises BadRequest if the list does not offer it."""
        listing = self._listing
        for choice in bulk_choices(listing.record, listing.actor, trashed=listing.trashed):
            if choice.name == name:
                return choice
        raise BadRequest("This action cannot be used on a whole list.", code="invalid_parameter")

    def ids(self) -> list[int]:
        """The ids of the rows, MAX_MATCHING at most, in the order of the list."""
        query = replace(self._listing.query(), fields=("id",), page=1, count=False)
        stream = RecordStream(self._listing.record, self._listing.actor, query, MAX_MATCHING)
        return [row["id"] for batch in stream for row in batch]
