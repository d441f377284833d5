"""Whether an action is allowed, and why: `GET /api/v1/access/explain?action=update&type=posts&id=7`."""

import dataclasses

from flask import Response
from flask_restful import Resource
from pydantic import BaseModel

from quire.actor import ANONYMOUS, Actor
from quire.api import responses
from quire.api.query_parameters import allow_params, single_param
from quire.auth.accounts import by_username
from quire.auth.current_actor import current_actor
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import Rule, require_possible, role, scoped
from quire.declare.value_kinds import MAX_ID
from quire.errors import NotFound, invalid_parameter
from quire.records.site_settings import ONLY_ROW
from quire.store import access_decision
from quire.store.access_decision import AccessDecision

OTHERS = scoped("users:read", role("admin"))
"""Who may ask about other users."""


class Explanation(BaseModel):
    """Whether an action is allowed; `rule` and `missing` complete "This requires ..."."""

    allowed: bool
    rule: str
    missing: str | None


class Explain(Resource):
    """GET whether an action is allowed, and by which rule."""

    def get(self) -> Response:
        """The decision for the current actor, or for `user` if an administrator asks."""
        asker = current_actor()
        allow_params("action", "type", "id", "user")
        record = _requested_record()
        operation, rule = _requested_operation(record)
        actor = _requested_actor(asker)
        id = _requested_id(record, operation)
        if id is None:
            verdict = access_decision.decide_for_type(rule, actor)
        else:
            verdict = access_decision.decide_for_row(record, asker, actor, rule, id)
        return _explanation(verdict)


def _explanation(verdict: AccessDecision) -> Response:
    return responses.json_response(
        dataclasses.asdict(verdict), headers={"Cache-Control": "private, no-store"}
    )


def _requested_record() -> Record:
    record = REGISTRY.get(single_param("type") or "")
    if record is None:
        raise invalid_parameter("type", f"type must be one of: {', '.join(REGISTRY)}.")
    return record


def _requested_operation(record: Record) -> tuple[str, Rule]:
    operation = single_param("action") or ""
    rule = access_decision.rule_of(record, operation)
    if rule is None:
        operations = (*access_decision.OPERATIONS, *(one.name for one in record.actions))
        raise invalid_parameter("action", f"action must be one of: {', '.join(operations)}.")
    return operation, rule


def _requested_actor(asker: Actor) -> Actor:
    """The actor to check; an account that cannot sign in has the permissions of an anonymous actor."""
    name = single_param("user")
    if name is None:
        return asker
    require_possible(OTHERS, asker)
    account = None if "\x00" in name else by_username(name)
    if account is None:
        raise NotFound("There is no such user.")
    return account.actor("none") if account.is_active else ANONYMOUS


def _requested_id(record: Record, operation: str) -> int | None:
    text = single_param("id")
    if text is None:
        if record.singleton:
            return ONLY_ROW
        if operation in access_decision.WITHOUT_ROW:
            return None
        raise invalid_parameter("id", f"id is required for {operation}.")
    if operation == "create":
        raise invalid_parameter(
            "id", "Leave out id: a record that is created does not have one yet."
        )
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= MAX_ID):
        raise invalid_parameter("id", "id must be a whole number greater than 0.")
    return int(text)
