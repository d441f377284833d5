"""Drafts and preview links in the panel, and suggestions for slugs."""

from typing import Any

from flask import current_app, flash, jsonify, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.form.merge import sent_version
from quire.admin.format import record_title
from quire.admin.local_time import format_moment
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.queries import find, parse_id
from quire.admin.urls import endpoint, local_url, record_url
from quire.auth import preview_links
from quire.declare.clock import rfc3339
from quire.declare.record import Record
from quire.errors import NotFound
from quire.store.changes.slugs import is_free, suggest_slug
from quire.store.drafts import draft_service
from quire.store.permissions import may
from quire.web.language import gettext

State = dict[str, Any]


def sent_versions() -> State:
    """The versions that the form was loaded with, for a form that is shown again."""
    names = ("version", "live_version", "draft_version")
    return {name: request.form.get(name) for name in names} | {"base": request.form.get("_base")}


class DraftsMixin(PanelView):
    """The part of a record's view for drafts, preview links and slugs."""

    record: Record

    def _draft_target(self) -> tuple[Actor, State]:
        """The actor and the record. Raises NotFound for types without drafts."""
        actor = panel_actor()
        if not self.record.drafts:
            raise NotFound
        return actor, find(self.record, actor, parse_id(request.values.get("id")))

    @expose("/discard/", methods=("POST",))
    def discard_view(self) -> AnyResponse:
        """Discard the draft."""
        actor, state = self._draft_target()
        draft_service.discard_draft(
            self.record, actor, state["id"], version=sent_version("draft_version")
        )
        flash(gettext("Draft discarded."), "success")
        return redirect(record_url(self.record, "edit_view", state["id"]))

    @expose("/preview/", methods=("POST",))
    def preview_view(self) -> str | AnyResponse:
        """Create a preview link, or revoke all of them."""
        actor, state = self._draft_target()
        record, id = self.record, state["id"]
        if "end" in request.form:
            preview_links.revoke_links(record, actor, id)
            flash(gettext("All preview links have been revoked."), "success")
            return redirect(record_url(record, "edit_view", id))
        link = preview_links.create_link(record, actor, id)
        root = current_app.config["PUBLIC_URL"] or request.host_url.rstrip("/")
        return self.render(
            "quire_admin/preview.html",
            heading=gettext("Preview of “%(title)s”", title=record_title(record, state)),
            url=root + link.path,
            ends=format_moment(rfc3339(link.expires_at)),
            id=id,
            back=local_url(request.form.get("url")) or record_url(record, "edit_view", id),
            action=url_for(endpoint(record, "preview_view")),
        )

    @expose("/slug")
    def slug_view(self) -> AnyResponse:
        """Whether a slug is free while it is typed, and a free one for a title."""
        actor, record = panel_actor(), self.record
        if "slug" not in record.fields_by_name or record.allows(actor, "create") is False:
            raise NotFound
        id_text = request.args.get("id", "")
        id = parse_id(id_text) if id_text else None
        if id is not None and not may(record, actor, "update", id):
            raise NotFound
        slug = suggest_slug(record, request.args.get("text", ""))
        free = is_free(record, slug, id)
        return jsonify(
            slug=slug, free=free, suggestion=slug if free else suggest_slug(record, slug, True)
        )
