"""May he, and why: `GET /api/v1/access/explain?action=update&type=posts&id=7`."""

import dataclasses

from flask import Response, request
from flask_restful import Resource
from pydantic import BaseModel

from quire.access.accounts import named
from quire.access.request import current_actor
from quire.actor import ANONYMOUS, Actor
from quire.api import respond
from quire.api.front_door import only
from quire.declare.query import bad_value
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import Rule, role, within
from quire.declare.values import MAX_ID
from quire.errors import Missing
from quire.store import explain
from quire.store.explain import Verdict
from quire.store.site import ONLY_ROW
from quire.store.write import pass_door

OTHERS = within("users:read", role("admin"))
"""Who may ask what somebody else may do."""


class Explanation(BaseModel):
    """Whether it is allowed: `rule` and `missing` complete "This needs ..."."""

    allowed: bool
    rule: str
    missing: str | None


class Explain(Resource):
    """GET whether somebody may do something, and by which rule."""

    def get(self) -> Response:
        """The verdict for whoever asks; for `user`, to administrators."""
        asker = current_actor()
        only("action", "type", "id", "user")
        record = _type()
        deed, rule = _deed(record)
        actor = _somebody(asker)
        id = _id(record, deed)
        if id is None:
            verdict = explain.on_type(rule, actor)
        else:
            verdict = explain.on_row(record, asker, actor, rule, id)
        return _answer(verdict)


def _answer(verdict: Verdict) -> Response:
    return respond.answer(
        dataclasses.asdict(verdict), headers={"Cache-Control": "private, no-store"}
    )


def _given(name: str) -> str | None:
    sent = request.args.getlist(name)
    if len(sent) > 1:
        raise bad_value(name, f"{name} is given twice.")
    return sent[0] if sent else None


def _type() -> Record:
    found = REGISTRY.get(_given("type") or "")
    if found is None:
        raise bad_value("type", f"type must be one of: {', '.join(REGISTRY)}.")
    return found


def _deed(record: Record) -> tuple[str, Rule]:
    deed = _given("action") or ""
    rule = explain.rule_of(record, deed)
    if rule is None:
        known = (*explain.DEEDS, *(one.name for one in record.actions))
        raise bad_value("action", f"action must be one of: {', '.join(known)}.")
    return deed, rule


def _somebody(asker: Actor) -> Actor:
    """Whom the question is about; an account that cannot sign in may do what strangers may."""
    name = _given("user")
    if name is None:
        return asker
    pass_door(OTHERS, asker)
    found = None if "\x00" in name else named(name)
    if found is None:
        raise Missing("There is no such user.")
    return found.actor("none") if found.is_active else ANONYMOUS


def _id(record: Record, deed: str) -> int | None:
    text = _given("id")
    if text is None:
        if record.single:
            return ONLY_ROW
        if deed in explain.WITHOUT_ROW:
            return None
        raise bad_value("id", f"Say which one: id is needed for {deed}.")
    if deed == "create":
        raise bad_value("id", "What is created has no id yet.")
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 0 < int(text) <= MAX_ID):
        raise bad_value("id", "id must be a whole number above 0.")
    return int(text)
