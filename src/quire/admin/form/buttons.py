"""The buttons that save a form: one that names its effect, and the others in a menu."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from flask import request, url_for

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.record import Record
from quire.errors import ValidationFailed, detail
from quire.translations.messages import Message
from quire.web.language import gettext

State = dict[str, Any]
DATE = "published_at"
PUBLISH, SCHEDULE = "publish", "schedule"
"""What the first button does; sent as `_publish`."""


@dataclass(frozen=True)
class Button:
    """A button that submits the form with `name` and `value`."""

    label: str
    name: str = ""
    value: str = "1"


Labels = dict[str, Button]
"""The first button for each kind of publication date: `empty`, `past` or `future`."""


def can_publish(record: Record, actor: Actor, state: State | None, rights: Set[str]) -> bool:
    """Whether this actor may publish this record, or a new one."""
    action = record.action("publish")
    if action is None or DATE not in record.fields_by_name:
        return False
    return action.allow(actor) is not False if state is None else "publish" in rights


def first_buttons(record: Record, actor: Actor, state: State | None, rights: Set[str]) -> Labels:
    """The first button for each kind of publication date that the form may contain."""
    save = Button(
        gettext("Create %(noun)s", noun=gettext(record.noun)) if state is None else gettext("Save")
    )
    status = (state or {}).get("status", "draft")
    if status == "archived" or record.action("publish") is None:
        return dict.fromkeys(("empty", "past", "future"), save)
    if not can_publish(record, actor, state, rights):
        keep = Button(gettext("Save draft"), "_save_draft") if record.drafts else save
        return dict.fromkeys(("empty", "past", "future"), keep)
    schedule = Button(gettext("Schedule"), "_publish", SCHEDULE)
    if status == "published":
        return {
            "empty": Button(gettext("Unpublish")),
            "past": Button(gettext("Publish changes")),
            "future": schedule,
        }
    publish = Button(gettext("Publish"), "_publish", PUBLISH)
    return {"empty": publish, "past": publish, "future": schedule}


def timing(moment: str | None) -> str:
    """Whether a publication date (RFC 3339) is `empty`, `past` or `future`."""
    if not moment:
        return "empty"
    try:
        return "future" if datetime.fromisoformat(moment) > now() else "past"
    except (TypeError, ValueError):
        return "past"


def more_buttons(record: Record, first: Button) -> list[Button]:
    """The other ways to save, for the menu beside the first button."""
    buttons = []
    if record.drafts and first.name != "_save_draft":
        buttons.append(Button(gettext("Save draft"), "_save_draft"))
    if not (first.name or record.singleton):
        buttons.append(
            Button(gettext("%(save)s and continue editing", save=first.label), "_continue_editing")
        )
    return buttons


def publishing_values(raw: State, date: Any, status: str) -> State:
    """The values to save when the form is submitted with its first button, which means to publish.

    Raises ValidationFailed if the button means to schedule, and there is no date.
    """
    intent = request.form.get("_publish")
    if intent is None or date or status == "published":
        return raw
    if intent == SCHEDULE:
        message = Message("Enter the date on which it will be published.")
        raise ValidationFailed([detail(DATE, "required", message)])
    return {**{name: value for name, value in raw.items() if name != DATE}, "published": True}


def saved_message(record: Record, before: str, state: State) -> str:
    """What happened to a record that was `before`: published, scheduled, or just saved."""
    after, kind = state.get("status", ""), gettext(record.singular)
    if after != before and after == "published":
        return gettext("%(type)s published.", type=kind)
    if after != before and after == "scheduled":
        return gettext("%(type)s scheduled.", type=kind)
    if before:
        return gettext("%(type)s saved.", type=kind)
    return gettext("%(type)s created.", type=kind)


def view_as_button(record: Record, actor: Actor, state: dict[str, Any]) -> list[Any]:
    """The button on a user's page for viewing as that user."""
    is_person = record.path == "users" and actor.role == "admin"
    if not is_person or state["role"] == "admin" or not state["is_active"]:
        return []
    return [
        SimpleNamespace(
            name="view_as", label=gettext("View as"), url=url_for("access.view_as"), confirm=""
        )
    ]
