"""What the form and details pages of one record show, ready for their templates."""

from types import SimpleNamespace
from typing import Any

from flask import url_for

from quire.actor import Actor
from quire.admin import viewing
from quire.admin.actions import delete_words, offered
from quire.admin.addresses import endpoint, list_url, record_url
from quire.admin.cells import cell
from quire.admin.forms import RecordForm
from quire.admin.history import events, versions
from quire.admin.links import address_for, lookup_url
from quire.declare.fields import Field
from quire.declare.record import Record
from quire.store.drafting import version_of
from quire.store.permits import may, may_act

State = dict[str, Any]


def form_for(record: Record, actor: Actor, *, creating: bool) -> RecordForm:
    """An empty form whose pickers search remotely."""
    return RecordForm(
        record, actor, creating=creating, lookup_url=lambda name: lookup_url(record, name)
    )


def buttons(record: Record, actor: Actor, state: State) -> list[Any]:
    """The record's own actions that this actor may use on this one now."""
    trashed = bool(state.get("deleted_at"))
    url = url_for(endpoint(record, "action_view"))
    draft_version = version_of(record, state["id"]) or 0 if record.drafts else None
    return [
        SimpleNamespace(
            name=one.name,
            label=one.label,
            url=url,
            confirm="",
            draft_version=draft_version if one.takes_draft else None,
        )
        for one in offered(record, actor, trashed=trashed)
        if one.fits(state) and may_act(record, actor, one, state["id"])
    ] + viewing.offered(record, actor, state)


def delete_address(record: Record, actor: Actor, state: State) -> str | None:
    """Where this one is deleted, None for who may not."""
    verb = "permanent" if state.get("deleted_at") else "delete"
    if not may(record, actor, verb, state["id"]):
        return None
    return record_url(record, "delete_view", state["id"])


def facts(record: Record, actor: Actor, form: RecordForm, state: State) -> list[tuple[str, Any]]:
    """What can be read but not set here: state, dates, counters."""
    address = address_for(actor)
    return [
        (record.field(name).label, cell(record.field(name), value, address))
        for name, value in state.items()
        if name not in form.declared
        and name in record.by_name
        and record.field(name).kind.widget not in ("html", "json", "checkbox")
        and not (record.single and name == "id")
        and value not in (None, "", [])
    ]


def _is_read(field: Field) -> bool:
    """HTML is made from what is shown already; some fields have nothing yet."""
    return field.kind.widget != "html" and field.kind.name != "nothing"


def public_url(record: Record, state: State) -> str | None:
    """The address of its page on the site, None where readers find nothing."""
    if record.page is None or state.get("status", "published") != "published":
        return None
    return record.page.format_map(state)


def form_page(
    record: Record, actor: Actor, form: RecordForm, state: State | None, **more: Any
) -> Any:
    """The page of a form; `more` are problem, errors, conflict, version, return_url."""
    page = SimpleNamespace(
        is_new=state is None,
        noun=record.one.lower(),
        actions=[],
        id=None,
        here=None,
        details_url=None,
        public_url=None,
        delete_url=None,
        delete_text="",
        problem=None,
        errors=[],
        conflict=None,
        reload_url=None,
        version=None,
        draft=None,
        can_draft=False,
        preview_url=None,
        history_url=None,
        return_url=None,
        writing={},
        scripts=(),
        main=form.main(),
        side=form.side(),
        groups=form.groups(),
        facts=[],
        cancel_url=list_url(record),
        can_continue=not record.single,
        action_url=url_for(endpoint(record, "create_view")),
    )
    if state is not None:
        _add_state(page, record, actor, form, state)
    page.__dict__.update(more)
    page.cancel_url = page.return_url or page.cancel_url
    return page


def _add_state(page: Any, record: Record, actor: Actor, form: RecordForm, state: State) -> None:
    id = state["id"]
    here = record_url(record, "edit_view", id)
    page.id, page.here, page.action_url, page.reload_url = id, here, here, here
    page.version = state.get("version")
    page.actions = buttons(record, actor, state)
    page.public_url = public_url(record, state)
    page.details_url = record_url(record, "details_view", id)
    page.delete_url = delete_address(record, actor, state)
    page.delete_text = delete_words(record, state)
    page.facts = facts(record, actor, form, state)
    if record.single:
        page.cancel_url = url_for("admin.index")


def details_page(record: Record, actor: Actor, state: State) -> Any:
    """The page of one record to read."""
    address, id = address_for(actor), state["id"]
    trashed = bool(state.get("deleted_at"))
    can_edit = not trashed and may(record, actor, "update", id)
    return SimpleNamespace(
        id=id,
        public_url=public_url(record, state),
        here=record_url(record, "details_view", id),
        actions=buttons(record, actor, state),
        edit_url=record_url(record, "edit_view", id) if can_edit else None,
        delete_url=delete_address(record, actor, state),
        delete_text=delete_words(record, state),
        items=[
            SimpleNamespace(
                label=record.field(name).label,
                html=cell(record.field(name), value, address, full=True),
            )
            for name, value in state.items()
            if name in record.by_name and _is_read(record.field(name))
        ],
        history=versions(record, actor, id),
        history_url=record_url(record, "history_view", id),
        events=events(record, actor, id),
    )
