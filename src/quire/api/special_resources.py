"""Resources with special behaviour: the user's own account and sessions, singletons, webhook tests."""

from typing import Any

from flask import Response
from pydantic import BaseModel

from quire.actor import Actor
from quire.api import responses
from quire.api.query_parameters import allow_params
from quire.api.resources import RecordAction, RecordItem, RecordList
from quire.auth import registration
from quire.auth.current_actor import current_actor
from quire.auth.sessions import log_out_others
from quire.errors import Unauthenticated
from quire.records import DELIVERIES
from quire.records.site_settings import ONLY_ROW
from quire.store.read import get_record
from quire.store.write import Saved


class OwnAccount(RecordItem):
    """GET and PATCH the account of the current user."""

    methods = {"GET", "PATCH"}

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Any:
        """Take the id from the current actor."""
        return super().dispatch_request(*args, id=_own_id(), **kwargs)


def _own_id() -> int:
    actor = current_actor()
    if actor.user_id is None:
        raise Unauthenticated("Sign in to see your account.")
    return actor.user_id


class RegistrationPending(BaseModel):
    """The response to a registration that must be confirmed by email."""

    message: str


class AccountList(RecordList):
    """GET and POST accounts; registration returns 202 if email addresses must be verified."""

    methods = {"GET", "POST"}

    def created_response(self, raw: dict[str, Any]) -> Response:
        """201, or 202 whether or not the email address is known."""
        if not self.actor.is_anonymous:
            return super().created_response(raw)
        saved = registration.register(self.actor, raw)
        if saved is None:
            return responses.json_response(
                RegistrationPending(message=registration.VERIFICATION_SENT).model_dump(), 202
            )
        return self._registration_response(saved)

    def _registration_response(self, saved: Saved) -> Response:
        """201 with the account, as its new user sees it."""
        self.actor = Actor(saved.state["role"], saved.id, saved.state["username"])
        profile = get_record(self.record, self.actor, saved.id)
        return self.saved_response(saved._replace(visible=profile))


class Singleton(RecordItem):
    """GET and PATCH a singleton."""

    methods = {"GET", "PATCH"}

    def dispatch_request(self, *args: Any, **kwargs: Any) -> Any:
        """Take the id of the only row."""
        return super().dispatch_request(*args, id=ONLY_ROW, **kwargs)


class WebhookTest(RecordAction):
    """POST test: send a webhook a test event."""

    def saved_response(self, saved: Saved) -> Response:
        """The delivery, which is about to be sent."""
        delivery = get_record(DELIVERIES, self.actor, saved.revealed["delivery"])
        return responses.object_response(delivery)


class OwnSessions(RecordList):
    """GET the sessions of the current user; DELETE all except the current one."""

    methods = {"GET", "DELETE"}

    def delete(self) -> Response:
        """End all other sessions."""
        allow_params()
        log_out_others(self.actor)
        return responses.empty_response(204)
