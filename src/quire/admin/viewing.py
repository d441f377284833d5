"""The button that lets an administrator see site and panel as somebody else."""

from types import SimpleNamespace
from typing import Any

from flask import url_for

from quire.actor import Actor
from quire.declare.record import Record

NAME = "view_as"


def offered(record: Record, actor: Actor, state: dict[str, Any]) -> list[Any]:
    """The button, on the page of a user whom this actor may view as."""
    is_person = record.path == "users" and actor.role == "admin"
    if not is_person or state["role"] == "admin" or not state["is_active"]:
        return []
    return [SimpleNamespace(name=NAME, label="View as", url=url_for("access.view_as"), confirm="")]
