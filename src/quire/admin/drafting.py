"""Drafts and preview links in the panel: kept by the form's second button, thrown away, shown."""

from typing import Any

from flask import current_app, flash, jsonify, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.access import previews
from quire.actor import Actor
from quire.admin.addresses import endpoint, here_only, record_url
from quire.admin.cells import title_of, when
from quire.admin.forms import RecordForm
from quire.admin.gate import Gate, actor_here, wants_json
from quire.admin.rows import find, number_of
from quire.admin.writing import kept
from quire.declare.clock import rfc3339
from quire.declare.record import Record
from quire.declare.typed import version_from
from quire.errors import Missing, Problem
from quire.store import drafting
from quire.store.permits import may
from quire.store.slugs import is_free, suggested


def draft_of(record: Record, actor: Actor, id: int) -> dict[str, Any] | None:
    """The record as its draft will make it, None where there is none."""
    if not record.drafts:
        return None
    try:
        return drafting.read(record, actor, id)
    except Missing:
        return None


def unseen_draft(record: Record, actor: Actor, id: int) -> dict[str, Any] | None:
    """The draft, where it is another one than the form was filled with."""
    draft = draft_of(record, actor, id)
    return draft if draft and draft["version"] != sent_version("draft_version") else None


def draft_page(record: Record, state: dict[str, Any] | None, draft: dict[str, Any] | None) -> Any:
    """What the form says of the draft, and whether it can keep one."""
    if state is None or not record.drafts:
        return {}
    id = state["id"]
    shown = {
        "can_draft": draft is not None or state.get("status") == "published",
        "preview_url": url_for(endpoint(record, "preview_view")),
        "history_url": record_url(record, "history_view", id),
    }
    if draft is None:
        return shown
    by = draft["updated_by"]
    return shown | {
        "version": draft["base_version"],
        "draft_version": draft["version"],
        "draft": {
            "version": draft["version"],
            "by": by["username"] if by else "",
            "when": when(draft["updated_at"]),
            "is_late": draft["base_version"] != draft["live_version"],
            "discard_url": url_for(endpoint(record, "discard_view")),
        },
    }


def sent_version(name: str = "version") -> int | None:
    """The version the form or cell was read at; what is no number is older than all of them."""
    text = request.form.get(name, "")
    return version_from(text) if text else None


def sent_versions() -> dict[str, Any]:
    """What the form was filled with, for a form that is shown again."""
    return {name: request.form.get(name) for name in ("version", "draft_version")}


class Drafting(Gate):
    """The part of a record's view that looks after drafts, preview links and slugs."""

    record: Record
    _again: Any

    def _drafted(self) -> tuple[Actor, dict[str, Any]]:
        """Who asks, and the record. Raises Missing where there can be no draft."""
        actor = actor_here()
        if not self.record.drafts:
            raise Missing
        return actor, find(self.record, actor, number_of(request.values.get("id")))

    def _save_draft(self, actor: Actor, form: RecordForm, state: dict[str, Any]) -> Any:
        """Keep what was typed beside what is live."""
        record, id = self.record, state["id"]
        form.take(request.form, draft_of(record, actor, id) or state)
        version = sent_version("draft_version")
        raw = {**form.values(), "base_version": sent_version() or state["version"]}
        try:
            draft = drafting.keep(record, actor, id, raw, version=version, begin=version is None)[0]
        except Problem as problem:
            return self._again(form, state, problem, draft_of(record, actor, id))
        if wants_json():
            return kept(record, actor, form, state, draft)
        flash("Draft saved. Readers do not see it yet.", "success")
        return redirect(record_url(record, "edit_view", id))

    @expose("/discard/", methods=("POST",))
    def discard_view(self) -> AnyResponse:
        """Throw the draft away."""
        actor, state = self._drafted()
        drafting.discard(self.record, actor, state["id"], version=sent_version("draft_version"))
        flash("The draft is thrown away.", "success")
        return redirect(record_url(self.record, "edit_view", state["id"]))

    @expose("/preview/", methods=("POST",))
    def preview_view(self) -> str | AnyResponse:
        """A new preview link to hand on; or the end of all of them."""
        actor, state = self._drafted()
        record, id = self.record, state["id"]
        if "end" in request.form:
            previews.end(record, actor, id)
            flash("All preview links have ended.", "success")
            return redirect(record_url(record, "edit_view", id))
        made = previews.make(record, actor, id)
        root = current_app.config["PUBLIC_URL"] or request.host_url.rstrip("/")
        return self.render(
            "quire_admin/preview.html",
            heading=f"Preview of “{title_of(record, state)}”",
            url=root + made.path,
            ends=when(rfc3339(made.expires_at)),
            id=id,
            back=here_only(request.form.get("url")) or record_url(record, "edit_view", id),
            action=url_for(endpoint(record, "preview_view")),
        )

    @expose("/slug")
    def slug_view(self) -> AnyResponse:
        """Whether the slug that is being typed is free, and which one would be."""
        actor, record = actor_here(), self.record
        if "slug" not in record.by_name or record.allows(actor, "create") is False:
            raise Missing
        sent = request.args.get("id", "")
        id = number_of(sent) if sent else None
        if id is not None and not may(record, actor, "update", id):
            raise Missing
        slug = suggested(record, request.args.get("text", ""))
        free = is_free(record, slug, id)
        return jsonify(
            slug=slug, free=free, suggestion=slug if free else suggested(record, slug, True)
        )
