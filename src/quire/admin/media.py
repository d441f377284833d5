"""Media in the panel: upload, the image with its focal point, and where it is used."""

from types import SimpleNamespace
from typing import Any

from flask import current_app, flash, jsonify, redirect, request, url_for
from flask_admin import expose

from quire.actor import Actor
from quire.admin.actions import DESTROY, BulkResult, delete_question
from quire.admin.form.fields import RecordForm
from quire.admin.format import record_title, size
from quire.admin.panel_view import panel_actor, wants_json
from quire.admin.queries import find, find_many, parse_id
from quire.admin.record_view import Answer, RecordView
from quire.admin.thumbnails import preview
from quire.admin.urls import endpoint, list_url, local_url, record_url
from quire.declare.rules import require_possible
from quire.errors import Conflict, Problem, ValidationFailed, detail
from quire.records import MEDIA
from quire.records.media import ALT_HELP, upload
from quire.store import write
from quire.store.files.detect import ACCEPTED
from quire.store.files.receive import receive
from quire.store.files.usage import find_usage

State = dict[str, Any]


class MediaView(RecordView):
    """The pages of media: files come by a form of their own, the rest is as everywhere."""

    form_template = "quire_admin/media_form.html"

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Answer:
        """The upload form; a script that shows progress asks for JSON."""
        actor = panel_actor()
        require_possible(self.record.access.create, actor)
        if request.method != "POST":
            return self._ask_file()
        try:
            saved = self._take(actor)
        except Problem as problem:
            if wants_json():
                raise
            return self._ask_file(problem), problem.status, problem.headers
        edit_url = record_url(self.record, "edit_view", saved.id)
        message = (
            "File uploaded. Add an alternative text."
            if saved.created
            else "You have already uploaded this file."
        )
        flash(message, "success")
        return jsonify(url=edit_url) if wants_json() else redirect(edit_url)

    def _take(self, actor: Actor) -> write.Saved:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise ValidationFailed([detail("file", "required", "File is required.")])
        raw = {"alt": request.form["alt"]} if request.form.get("alt") else {}
        with receive(file.stream, file.filename) as received:
            return upload(actor, received, raw)

    def _ask_file(self, problem: Problem | None = None) -> str:
        return self.render(
            "quire_admin/upload.html",
            heading="Upload a file",
            crumbs=self._crumbs(),
            problem=problem,
            alt=request.form.get("alt", ""),
            alt_hint=ALT_HELP,
            taken=ACCEPTED,
            most=size(current_app.config["MAX_UPLOAD_BYTES"]),
            action_url=url_for(endpoint(self.record, "create_view")),
            cancel_url=list_url(self.record),
        )

    def _form(
        self, form: RecordForm, state: State | None = None, *arguments: Any, **more: Any
    ) -> str:
        actor = panel_actor()
        if state is not None:
            uses, count = find_usage(MEDIA, actor, state)
            more |= {
                "preview": preview(state),
                "media": state,
                "uses": _usage_list(uses),
                "hidden_uses": count - len(uses),
            }
        return super()._form(form, state, *arguments, **more)

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> Answer:
        """Asks for confirmation and lists where the file is used, then deletes it."""
        actor, record = panel_actor(), self.record
        state = find(record, actor, parse_id(request.values.get("id")))
        back = local_url(request.values.get("url")) or list_url(record)
        if request.method != "POST":
            return self._ask_delete(state, back)
        try:
            write.delete(record, actor, state["id"], permanent=bool(request.form.get("force")))
        except Conflict as problem:
            return self._ask_delete(state, back), problem.status
        flash(f"{record.singular} deleted.", "success")
        return redirect(back)

    def _report_refusals(self, actor: Actor, result: BulkResult, back: str) -> Any:
        """Ask about files in use, which can be deleted all the same; report the others."""
        ids = [id for id, why in result.refused.items() if isinstance(why, Conflict)]
        states = find_many(self.record, actor, ids).values() if ids else ()
        used_files = [state for state in states if find_usage(MEDIA, actor, state)[1]]
        for state in used_files:
            del result.refused[state["id"]]
        answer = super()._report_refusals(actor, result, back)
        return self._confirm_used_files(actor, used_files, back) if used_files else answer

    def _confirm_used_files(self, actor: Actor, states: list[State], back: str) -> str:
        one = len(states) == 1
        confirm = {
            "question": (
                f"{'This file is' if one else f'These {len(states)} files are'} in use and {'was' if one else 'were'} "
                "not deleted:"
            ),
            "names": [_usage_line(actor, state) for state in states],
            "consequence": "If you delete them anyway, cover images are removed and texts show a gap.",
            "url": url_for(endpoint(self.record, "action_view")),
            "fields": [("action", DESTROY), ("confirmed", "1"), ("url", back)]
            + [("rowid", state["id"]) for state in states],
            "label": "Delete anyway",
            "back": back,
        }
        heading = "File in use" if one else "Files in use"
        return self.render(
            "quire_admin/confirm.html", heading=heading, crumbs=self._crumbs(), confirm=confirm
        )

    def _ask_delete(self, state: State, back: str) -> str:
        uses, count = find_usage(MEDIA, panel_actor(), state)
        confirm = {
            "question": delete_question(self.record, state),
            "names": [f"{one['type'].capitalize()}: {one['title']}" for one in uses],
            "consequence": _consequence(count, len(uses)),
            "url": url_for(endpoint(self.record, "delete_view")),
            "fields": [("id", state["id"]), ("url", back), *([("force", "1")] if count else [])],
            "label": "Delete anyway" if count else "Delete",
            "back": back,
        }
        title = f"Delete “{record_title(self.record, state)}”?"
        return self.render(
            "quire_admin/confirm.html", heading=title, crumbs=self._crumbs(), confirm=confirm
        )


def _usage_line(actor: Actor, state: State) -> str:
    """A file and where it is used, on one line."""
    uses, count = find_usage(MEDIA, actor, state)
    places = [f"{one['type'].removesuffix('s')} “{one['title']}”" for one in uses]
    if count > len(uses):
        places.append(f"{count - len(uses)} you do not have access to")
    return f"{record_title(MEDIA, state)}: {', '.join(places)}"


def _consequence(count: int, use_count: int) -> str:
    if not count:
        return "It is not used anywhere."
    places = "1 place" if count == 1 else f"{count} places"
    hidden = f", {count - use_count} of them not visible to you" if count > use_count else ""
    return f"It is used in {places}{hidden}. Cover images are removed and texts show a gap."


def _usage_list(uses: list[dict[str, Any]]) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            title=one["title"], what=f"{one['type']}, {one['field']}".replace("_", " "),
            url=f"/admin/{one['type']}/details/?id={one['id']}",
        )
        for one in uses
    ]  # fmt: skip
