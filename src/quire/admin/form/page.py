"""Prepares the form page and the details page of a record for their templates."""

from collections.abc import Set
from types import SimpleNamespace
from typing import Any

import orjson
from flask import g, url_for

from quire.actor import Actor
from quire.admin.actions import available_actions, delete_question
from quire.admin.form.buttons import first_buttons, more_buttons, timing, view_as_button
from quire.admin.form.fields import RecordForm
from quire.admin.form.fieldsets import main_fields, sections
from quire.admin.form.references import show_references
from quire.admin.format import cell_html
from quire.admin.local_time import format_moment
from quire.admin.queries import rights_on
from quire.admin.record_history import events, revision_steps
from quire.admin.urls import address_for, endpoint, list_url, lookup_url, record_url
from quire.declare.fields import Field
from quire.declare.record import REGISTRY, Record
from quire.declare.text_values import BIG_WIDGETS
from quire.store.drafts import draft_service
from quire.web.language import gettext
from quire.web.time_zone import form_zone, zone_name

State = dict[str, Any]
SCRIPTS = ("vendor/codemirror.js", "bundles/editor.js")
"""Scripts of pages with an editor."""

MEDIA_SCRIPTS = ("media_picker.js", "media_fields.js", "local_backup.js")
"""Scripts of other pages with fields that refer to images."""


UNSET = (
    "id", "here", "details_url", "public_url", "delete_url", "problem", "conflict", "reload_url",
    "version", "live_version", "draft_version", "base", "draft", "preview_url", "history_url", "return_url", "trashed",
)  # fmt: skip
"""Template variables that only some form pages set."""


def form_for(record: Record, actor: Actor, *, creating: bool) -> RecordForm:
    """An empty form, with pickers that search."""
    return RecordForm(
        record, actor, creating=creating, lookup_url=lambda name: lookup_url(record, name)
    )


def action_buttons(
    record: Record, actor: Actor, state: State, rights: Set[str], draft_version: int | None
) -> list[Any]:
    """The actions that this actor may use on this record now."""
    trashed = bool(state.get("deleted_at"))
    url = url_for(endpoint(record, "action_view"))
    return [
        SimpleNamespace(
            name=one.name,
            label=gettext(one.label),
            url=url,
            confirm="",
            draft_version=(draft_version or 0) if one.takes_draft else None,
            takes_seconds=one.takes_seconds,
        )
        for one in available_actions(record, actor, trashed=trashed)
        if one.available(state) and one.name in rights
    ] + view_as_button(record, actor, state)


def delete_url(record: Record, state: State, rights: Set[str]) -> str | None:
    """The URL that deletes this record; None without permission."""
    verb = "permanent" if state.get("deleted_at") else "delete"
    return record_url(record, "delete_view", state["id"]) if verb in rights else None


def readonly_values(
    record: Record, actor: Actor, form: RecordForm, state: State
) -> list[tuple[str, Any]]:
    """Fields that can be read but not set here: state, dates, counters."""
    address = address_for(actor)
    return [
        (gettext(record.field(name).label), cell_html(record.field(name), value, address))
        for name, value in state.items()
        if name not in form.declared
        and name in record.fields_by_name
        and record.field(name).kind.widget not in ("html", "json", "checkbox")
        and not (record.singleton and name == "id")
        and value not in (None, "", [])
    ]


def _is_read(field: Field) -> bool:
    """HTML is made from text that is shown already, and some fields are still empty."""
    return field.kind.widget != "html" and field.kind.name != "nothing"


def public_url(record: Record, state: State) -> str | None:
    """Its URL on the site; None if it is not public."""
    if record.public_path is None or state.get("status", "published") != "published":
        return None
    return record.public_path.format_map(state)


def load_draft(record: Record, actor: Actor, state: State, rights: Set[str]) -> State | None:
    """The record with its draft applied; None without a draft, or without permission to see it."""
    if not record.drafts or "update" not in rights:
        return None
    return draft_service.state_with_draft(record, actor, state)


def draft_context(record: Record, state: State | None, draft: State | None) -> Any:
    """The template variables about the draft, and whether the type has drafts."""
    if state is None or not record.drafts:
        return {}
    id = state["id"]
    context = {
        "preview_url": url_for(endpoint(record, "preview_view")),
        "history_url": record_url(record, "history_view", id),
    }
    if draft is None:
        return context
    by = draft["updated_by"]
    return context | {
        "version": draft["base_version"],
        "live_version": draft["live_version"],
        "draft_version": draft["version"],
        "draft": {
            "version": draft["version"],
            "by": by["username"] if by else "",
            "when": format_moment(draft["updated_at"]),
            "is_late": draft["base_version"] != draft["live_version"],
            "discard_url": url_for(endpoint(record, "discard_view")),
        },
    }


def editor_context(record: Record, actor: Actor, form: RecordForm, state: State | None) -> State:
    """The template variables for scripts; empty for forms without an editor and images."""
    fields = form.declared.values()
    media = REGISTRY["media"].allows(actor, "create") is not False
    library = {"media": "/api/v1/media"} if media else {}
    if not any(one.kind.widget == "markdown" for one in fields):
        if not media or not any(one.target == "media" for one in fields):
            return {}
        g.admin_shows_pictures = True
        return {"editor": library, "scripts": MEDIA_SCRIPTS}
    g.admin_shows_pictures = True
    addresses: State = library | {
        "render-url": url_for(endpoint(record, "rendered_view")),
        "user": actor.user_id,
        "kind": record.path,
        "id": "" if state is None else state["id"],
        "status": "draft" if state is None else state.get("status", ""),
    }
    if "slug" in record.fields_by_name:
        addresses["slug-url"] = url_for(endpoint(record, "slug_view"))
    if record.drafts:
        addresses["autosave"] = "1"
    if record.public_path:
        addresses["public-path"] = record.public_path
    return {"editor": addresses, "scripts": SCRIPTS}


def snapshot(record: Record, form: RecordForm, draft: State | None) -> str:
    """The initial texts that a form carries along, without long texts that a revision contains."""
    drafted = draft["changed_fields"] if draft else []
    texts = form.texts()
    return orjson.dumps(
        {
            name: texts[name] if isinstance(texts[name], bool) else str(texts[name] or "")
            for name, one in form.declared.items()
            if one.readable
            and (one.kind.widget not in BIG_WIDGETS or record.singleton or name in drafted)
        }
    ).decode()


def _context(
    record: Record, actor: Actor, form: RecordForm, state: State | None, draft: State | None
) -> State:
    """The template variables about the draft, for scripts, and of the initial texts."""
    context = draft_context(record, state, draft) | editor_context(record, actor, form, state)
    if state is not None:
        context["base"] = snapshot(record, form, draft)
    return context


def form_page(
    record: Record,
    actor: Actor,
    form: RecordForm,
    state: State | None,
    draft: State | None,
    rights: Set[str],
    **more: Any,
) -> Any:
    """The page of a form; `more` are problem, errors, conflict, version, base, return_url."""
    more = _context(record, actor, form, state, draft) | more
    show_references(form, (draft, state))
    if state is None and not more.get("problem"):
        form.focus_on_title()
    page = SimpleNamespace(
        **dict.fromkeys(UNSET),
        is_new=state is None,
        noun=gettext(record.noun),
        actions=[],
        delete_text="",
        errors=[],
        adopted="",
        editor={},
        scripts=(),
        main=main_fields(form),
        main_sections=sections(form, "main"),
        sections=sections(form, "side"),
        facts=[],
        status="",
        time_zone=zone_name(form_zone()),
        **_buttons(record, actor, form, state, rights),
        cancel_url=list_url(record),
        action_url=url_for(endpoint(record, "create_view")),
    )
    if state is not None:
        _add_state(page, record, actor, form, state, rights)
        page.actions = action_buttons(record, actor, state, rights, more.get("draft_version"))
    page.__dict__.update(more)
    page.cancel_url = page.return_url or page.cancel_url
    return page


def _buttons(
    record: Record, actor: Actor, form: RecordForm, state: State | None, rights: Set[str]
) -> State:
    """The first button, its variants for other publication dates, and the menu beside it."""
    labels = first_buttons(record, actor, state, rights)
    first = labels[timing(form.value("published_at"))]
    return {"first": first, "labels": labels, "more": more_buttons(record, first)}


def _add_state(
    page: Any, record: Record, actor: Actor, form: RecordForm, state: State, rights: Set[str]
) -> None:
    id = state["id"]
    address = record_url(record, "edit_view", id)
    page.id, page.here, page.action_url, page.reload_url = id, address, address, address
    page.version, page.trashed = state.get("version"), bool(state.get("deleted_at"))
    page.public_url = public_url(record, state)
    page.details_url = record_url(record, "details_view", id)
    page.delete_url = delete_url(record, state, rights)
    page.delete_text = delete_question(record, state)
    if "status" in record.fields_by_name:
        page.status = cell_html(record.field("status"), state.get("status"), address_for(actor))
    page.facts = readonly_values(record, actor, form, state)
    if record.singleton:
        page.cancel_url = url_for("admin.index")


def details_page(record: Record, actor: Actor, state: State) -> Any:
    """The read-only page of a record."""
    address, id = address_for(actor), state["id"]
    trashed = bool(state.get("deleted_at"))
    rights = rights_on(record, actor, id)
    can_edit = not trashed and "update" in rights
    draft_version = draft_service.get_draft_version(record, id) if record.drafts else None
    return SimpleNamespace(
        id=id,
        public_url=public_url(record, state),
        here=record_url(record, "details_view", id),
        actions=action_buttons(record, actor, state, rights, draft_version),
        edit_url=record_url(record, "edit_view", id) if can_edit else None,
        delete_url=delete_url(record, state, rights),
        delete_text=delete_question(record, state),
        items=[
            SimpleNamespace(
                label=gettext(record.field(name).label),
                html=cell_html(record.field(name), value, address, full=True),
            )
            for name, value in state.items()
            if name in record.fields_by_name and _is_read(record.field(name))
        ],
        history=revision_steps(record, actor, id) if "update" in rights else [],
        history_url=record_url(record, "history_view", id),
        events=events(record, actor, id),
    )
