"""Resources for the one who asks and for the one row of settings: an id is not in the address."""

from flask import Response

from quire.access.request import current_actor
from quire.api.resources import RecordItem
from quire.errors import Unproven
from quire.store.site import ONLY_ROW


class Me(RecordItem):
    """GET and PATCH one's own account."""

    methods = {"GET", "PATCH"}

    def get(self) -> Response:  # type: ignore[override]
        """The account of whoever asks."""
        return super().get(_own_id())

    def patch(self) -> Response:  # type: ignore[override]
        """Change it."""
        return super().patch(_own_id())


def _own_id() -> int:
    actor = current_actor()
    if actor.user_id is None:
        raise Unproven("Sign in to see your account.")
    return actor.user_id


class Single(RecordItem):
    """GET and PATCH a type of exactly one row."""

    methods = {"GET", "PATCH"}

    def get(self) -> Response:  # type: ignore[override]
        """The row."""
        return super().get(ONLY_ROW)

    def patch(self) -> Response:  # type: ignore[override]
        """Change it."""
        return super().patch(ONLY_ROW)
