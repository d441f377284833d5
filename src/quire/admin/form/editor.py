"""Requests of the editor while someone types: rendering the text, and saving it."""

from hashlib import sha256
from typing import Any

from flask import flash, jsonify, redirect, request
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.form.fields import RecordForm
from quire.admin.panel_view import PanelView, panel_actor, wants_json
from quire.admin.urls import record_url
from quire.declare.markdown import is_within_limit, render_markdown
from quire.declare.record import REGISTRY, Record
from quire.errors import NotFound, ValidationFailed, detail
from quire.store import import_origins, write
from quire.store.changes.rows import lock
from quire.store.db import transaction
from quire.store.drafts.draft_service import save_draft
from quire.store.transactions.retries import retry_conflicts
from quire.web.html import fit_into_page
from quire.web.language import gettext

State = dict[str, Any]


@retry_conflicts
def create_once(record: Record, actor: Actor, raw: State, page: str) -> write.Saved:
    """Create a record from `raw`, or change the one created for this page if that response was lost.

    `page` is a name that the page has generated for its first automatic save, otherwise empty.
    """
    if not page:
        return write.create(record, actor, raw)
    place = f"{actor.user_id} {sha256(page.encode()).hexdigest()}"
    with transaction() as connection:
        lock(
            connection, REGISTRY["users"], actor.user_id
        )  # the first request may still be in progress
        origin = import_origins.known_items(import_origins.PAGES, place).get(record.path)
        if origin is None:
            saved = write.create(record, actor, raw)
        else:
            saved = write.update(record, actor, origin.record_id, raw, version=origin.version)
        new_origin = import_origins.KnownItem(record.path, saved.id, "", saved.version)
        import_origins.store_items(
            connection, import_origins.PAGES, place, {record.path: new_origin}
        )
    return saved


def create_draft(record: Record, actor: Actor, form: RecordForm, page: str) -> AnyResponse:
    """Create a record from what was typed so far, visible only to its editors.

    A script is told what the fields contain now, since the server has filled in some of them.
    """
    raw = form.values()
    later = {name: raw.pop(name) for name in ("published_at",) if raw.get(name)}
    with transaction():
        saved = create_once(record, actor, raw, page)
        draft = save_draft(record, actor, saved.id, later)[0] if later else None
    edit_url = record_url(record, "edit_view", saved.id)
    if not wants_json():
        flash(
            gettext(
                "%(type)s created. Readers will not see it until you publish it.",
                type=gettext(record.singular),
            ),
            "success",
        )
        return redirect(edit_url)
    return jsonify(
        id=saved.id,
        edit_url=edit_url,
        version=saved.version,
        draft_version=draft["version"] if draft else None,
        texts=form.texts_to_show(draft or saved.state),
    )


class EditorMixin(PanelView):
    """The part of a record's view that renders text for the preview."""

    record: Record

    @expose("/rendered/", methods=("POST",))
    def rendered_view(self) -> AnyResponse:
        """The HTML of `text` as on the site."""
        panel_actor()
        field = next((one for one in self.record.fields if one.kind.widget == "markdown"), None)
        if field is None:
            raise NotFound
        text = request.form.get("text", "").replace("\r\n", "\n")
        if not is_within_limit(text):
            raise ValidationFailed([detail("text", "too_long", "The text is too long to preview.")])
        rendering = field.rendering or render_markdown
        return jsonify(html=fit_into_page(rendering(text)))
