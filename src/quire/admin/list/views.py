"""The saved views of a list: which one a URL opens, and which parts of it still exist."""

from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from quire.actor import Actor
from quire.admin.list.chips import words_of
from quire.admin.list.columns import column_fields, without_parameters
from quire.admin.list.filters import clean
from quire.admin.list.groups import parse_list_query
from quire.admin.list.preferences import DEFAULT_VIEW, Preferences, preferences_of
from quire.admin.urls import Pairs
from quire.declare.query import Query
from quire.declare.query_conditions import Condition, Group
from quire.declare.record import Record
from quire.errors import BadRequest
from quire.records import SAVED_VIEWS
from quire.records.saved_views import EVERYTHING, VIEW
from quire.store import read
from quire.store.cache import cached_until_commit
from quire.web.language import gettext

COLUMNS = "columns"
PAGING = ("page", "per_page")
LEFT_OUT = (*PAGING, VIEW, "cursor", "count", "fields", "include")
"""Parameters that are not part of a view."""
MAX_VIEWS = 100
View = dict[str, Any]


class ListViews:
    """The views of a list that `actor` may open.

    `pairs` are the parameters of the list: those of the view that `sent` opens, unless `sent` has its own.
    `missing` is the slug of a view that cannot be opened, `dropped` describes what an opened view contains that no
    longer exists.
    """

    def __init__(self, record: Record, actor: Actor, sent: Pairs):
        self.record, self.actor = record, actor
        slug = dict(sent).get(VIEW, "")
        self.current = next((one for one in self.all if one["slug"] == slug), None)
        self.missing = "" if self.current or slug == EVERYTHING else slug
        self.dropped: list[str] = []
        saved = [] if self.current is None else self._parameters(self.current)
        rest = clean(record, actor, without_parameters(sent, VIEW))
        own = without_parameters(rest, *PAGING)
        self.modified = self.current is not None and bool(own) and sorted(own) != sorted(saved)
        if not self.modified:
            rest = [*saved, *rest] if not own else rest
        self.pairs = [*self.mark, *rest]

    @cached_property
    def all(self) -> list[View]:
        """The views of this list, by name: private and shared ones; administrators see all."""
        of_type = Condition("type", "eq", (self.record.path,))
        own = Condition("owner", "eq", (self.actor.user_id,))
        wanted = (of_type, Group("any", (own, Condition("shared_with", "ne", ("nobody",)))))
        fields = SAVED_VIEWS.field_names
        query = Query(wanted, ("name",), fields=fields, per_page=MAX_VIEWS, count=False)
        actor = self.actor
        return cached_until_commit(
            ("views of a list", self.record.path, actor.user_id, actor.role),
            lambda: read.list_records(SAVED_VIEWS, actor, query).rows,
        )

    @cached_property
    def preferences(self) -> Preferences:
        """The person's preferences for this list."""
        return preferences_of(self.actor)

    @cached_property
    def default(self) -> str:
        """The slug of the default view, empty if there is none."""
        slug = self.preferences.of_list(self.record, DEFAULT_VIEW)
        return slug if any(one["slug"] == slug for one in self.all) else ""

    @property
    def mark(self) -> Pairs:
        """What the links of the list say about the view: the whole list is named if another view is the default."""
        if self.current is not None:
            return [(VIEW, self.current["slug"])]
        return [(VIEW, EVERYTHING)] if self.default else []

    def _parameters(self, view: View) -> Pairs:
        """The parameters of a view, without those that no longer exist."""
        pairs: Pairs = []
        for pair in clean(self.record, self.actor, parse_qsl(view["parameters"])):
            if pair[0] not in LEFT_OUT:
                self._keep_if_known(pair, pairs)
        known = column_fields(self.record, self.actor)
        columns = [name for name in view["columns"] if name in known]
        self.dropped += [
            gettext("column “%(name)s”", name=name) for name in view["columns"] if name not in known
        ]
        return [*pairs, (COLUMNS, ",".join(columns))] if columns else pairs

    def _keep_if_known(self, pair: tuple[str, str], pairs: Pairs) -> None:
        try:
            parse_list_query(self.record, self.actor, [pair])
        except BadRequest:
            self.dropped.append(f"“{words_of(self.record, self.actor, *pair)}”")
        else:
            pairs.append(pair)
