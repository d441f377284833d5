"""`GET /<type>/counts?by=`: the number of records in a list for each value of a field."""

from functools import partial

from flask import Response, request
from pydantic import BaseModel, ConfigDict

from quire.api import responses
from quire.api.resources import RecordResource
from quire.declare.grouping import Grouping, parse_grouping
from quire.declare.query import PARAMETERS
from quire.declare.query_mistakes import read_all
from quire.errors import invalid_parameter
from quire.store.group_counts import count_groups
from quire.web.caching import note_shown

UNUSED = frozenset(PARAMETERS) - {"trashed"}
"""List parameters that have no effect here."""


class GroupCount(BaseModel):
    """The number of records with one value; `key` is the value as records show it, null if they have none."""

    model_config = ConfigDict(extra="forbid")
    key: str | int | bool | None
    label: str
    count: int


class GroupCounts(BaseModel):
    """The number of records for each value, and in total."""

    model_config = ConfigDict(extra="forbid")
    counts: list[GroupCount]
    total: int


class RecordCounts(RecordResource):
    """GET the number of records for each value of a field."""

    def get(self) -> Response:
        """The groups, largest first; periods start with the latest."""
        query, grouping = read_all((partial(self.query, "by", without=UNUSED), self._grouping))
        groups, total = count_groups(self.record, self.actor, query, grouping)
        note_shown(self.record)
        return responses.object_response({"counts": groups, "total": total})

    def _grouping(self) -> Grouping:
        groupings = request.args.getlist("by")
        if len(groupings) != 1:
            raise invalid_parameter("by", "Send the field to count by in by, once.")
        return parse_grouping(self.record, self.actor, groupings[0])
