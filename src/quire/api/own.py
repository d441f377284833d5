"""Resources for the one who asks and for the one row of settings: an id is not in the address."""

from typing import Any

from flask import Response
from pydantic import BaseModel

from quire.access import joining
from quire.access.request import current_actor
from quire.access.sessions import end_others
from quire.actor import Actor
from quire.api import respond
from quire.api.front_door import only
from quire.api.resources import RecordItem, RecordList
from quire.errors import Unproven
from quire.store.site import ONLY_ROW
from quire.store.write import pass_door


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


class OnItsWay(BaseModel):
    """What a registration answers where the mail tells the rest."""

    message: str


class Accounts(RecordList):
    """GET and POST accounts; registering answers 202 where addresses are verified first."""

    methods = {"GET", "POST"}

    def created(self, actor: Actor, raw: dict[str, Any]) -> Response:
        """201, or 202 for every address."""
        if not actor.is_anonymous:
            return super().created(actor, raw)
        saved = joining.register(actor, raw)
        if saved is None:
            return respond.answer(OnItsWay(message=joining.ON_ITS_WAY).model_dump(), 202)
        return self.made(actor, saved)


class Single(RecordItem):
    """GET and PATCH a type of exactly one row."""

    methods = {"GET", "PATCH"}

    def get(self) -> Response:  # type: ignore[override]
        """The row."""
        return super().get(ONLY_ROW)

    def patch(self) -> Response:  # type: ignore[override]
        """Change it."""
        return super().patch(ONLY_ROW)


class OwnSessions(RecordList):
    """GET one's sessions; DELETE all but the one that asks."""

    methods = {"GET", "DELETE"}

    def delete(self) -> Response:
        """End them."""
        actor = current_actor()
        pass_door(self.record.access.delete, actor)
        only()
        end_others(actor)
        return respond.empty(204)
