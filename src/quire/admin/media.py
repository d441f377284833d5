"""Media in the panel: upload, the picture with the point that matters, where it is used."""

from types import SimpleNamespace
from typing import Any

from flask import current_app, flash, jsonify, redirect, request, url_for
from flask_admin import expose

from quire.actor import Actor
from quire.admin.actions import delete_words
from quire.admin.addresses import endpoint, here_only, list_url, record_url
from quire.admin.cells import size, title_of
from quire.admin.forms import RecordForm
from quire.admin.gate import actor_here, wants_json
from quire.admin.pictures import preview
from quire.admin.rows import find, number_of
from quire.admin.views import Answer, RecordView
from quire.errors import Conflict, Invalid, Problem, detail
from quire.records.media import ALT_HELP, upload
from quire.store import write
from quire.store.contents import TAKEN
from quire.store.intake import received
from quire.store.uses import uses_of

State = dict[str, Any]


class MediaView(RecordView):
    """The pages of media: files come by a form of their own, the rest is as everywhere."""

    form_template = "quire_admin/media_form.html"

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Answer:
        """The form that takes a file in; a script asks for JSON, to show how far it is."""
        actor = actor_here()
        write.pass_door(self.record.access.create, actor)
        if request.method != "POST":
            return self._ask_file()
        try:
            saved = self._take(actor)
        except Problem as problem:
            if wants_json():
                raise
            return self._ask_file(problem), problem.status
        there = record_url(self.record, "edit_view", saved.id)
        said = (
            "Uploaded. Say what is to be seen." if saved.created else "You have this file already."
        )
        flash(said, "success")
        return jsonify(url=there) if wants_json() else redirect(there)

    def _take(self, actor: Actor) -> write.Saved:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise Invalid([detail("file", "required", "File is required.")])
        raw = {"alt": request.form["alt"]} if request.form.get("alt") else {}
        with received(file.stream, file.filename) as kept:
            return upload(actor, kept, raw)

    def _ask_file(self, problem: Problem | None = None) -> str:
        return self.render(
            "quire_admin/upload.html",
            heading="Upload a file",
            crumbs=self._crumbs(),
            problem=problem,
            alt=request.form.get("alt", ""),
            alt_hint=ALT_HELP,
            taken=TAKEN,
            most=size(current_app.config["MAX_UPLOAD_BYTES"]),
            action_url=url_for(endpoint(self.record, "create_view")),
            cancel_url=list_url(self.record),
        )

    def _form(self, form: RecordForm, state: State | None, **more: Any) -> str:
        actor = actor_here()
        if state is not None:
            seen, count = uses_of(actor, state)
            more |= {
                "preview": preview(state),
                "media": state,
                "uses": _listed(seen),
                "hidden_uses": count - len(seen),
            }
        return super()._form(form, state, **more)

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> Answer:
        """Asks, with the places where it is used; then deletes."""
        actor, record = actor_here(), self.record
        state = find(record, actor, number_of(request.values.get("id")))
        back = here_only(request.values.get("url")) or list_url(record)
        if request.method != "POST":
            return self._ask_delete(state, back)
        try:
            write.delete(record, actor, state["id"], permanent=bool(request.form.get("force")))
        except Conflict as problem:
            return self._ask_delete(state, back), problem.status
        flash(f"{record.one} deleted.", "success")
        return redirect(back)

    def _ask_delete(self, state: State, back: str) -> str:
        seen, count = uses_of(actor_here(), state)
        confirm = {
            "question": delete_words(self.record, state),
            "names": [f"{one['type'].capitalize()}: {one['title']}" for one in seen],
            "consequence": _consequence(count, len(seen)),
            "url": url_for(endpoint(self.record, "delete_view")),
            "fields": [("id", state["id"]), ("url", back), *([("force", "1")] if count else [])],
            "label": "Delete it all the same" if count else "Delete",
            "back": back,
        }
        title = f"Delete “{title_of(self.record, state)}”?"
        return self.render(
            "quire_admin/confirm.html", heading=title, crumbs=self._crumbs(), confirm=confirm
        )


def _consequence(count: int, seen: int) -> str:
    if not count:
        return "It is used nowhere."
    places = "1 place" if count == 1 else f"{count} places"
    hidden = f", {count - seen} of them hidden from you" if count > seen else ""
    return f"It is used in {places}{hidden}. Covers become empty; texts will show a gap."


def _listed(uses: list[dict[str, Any]]) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            title=one["title"], what=f"{one['type']}, {one['field']}".replace("_", " "),
            url=f"/admin/{one['type']}/details/?id={one['id']}",
        )
        for one in uses
    ]  # fmt: skip
