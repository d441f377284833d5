"""Display names of users: from the profile, otherwise the username."""

from collections.abc import Iterable
from typing import Any

from quire.actor import ANONYMOUS
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.records import PROFILES
from quire.store import read


def display_names(people: Iterable[dict[str, Any] | None]) -> dict[int, str]:
    """Names by id of the users `people`: from their profiles if these are public, otherwise their usernames."""
    names = {one["id"]: str(one["username"]) for one in people if one}
    if not names:
        return {}
    ids = tuple(sorted(names))
    query = Query(
        conditions=(Condition("user", "in", ids),),
        fields=("id", "user", "display_name"),
        per_page=len(ids),
        count=False,
    )
    profiles = read.list_records(PROFILES, ANONYMOUS, query).rows
    chosen_names = {
        one["user"]["id"]: one["display_name"] for one in profiles if one["display_name"]
    }
    return names | chosen_names
