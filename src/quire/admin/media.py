"""Media in the panel: upload, images with their focal points, and where files are used."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from flask import current_app, flash, g, jsonify, redirect, request, url_for
from flask_admin import expose

from quire.actor import Actor
from quire.admin.actions import BulkResult, delete_question
from quire.admin.form.fields import RecordForm
from quire.admin.format import quote, record_title, size
from quire.admin.list.listing import ListPage
from quire.admin.panel_view import panel_actor, wants_json
from quire.admin.queries import find, find_many, parse_id
from quire.admin.record_view import Answer, RecordView
from quire.admin.thumbnails import preview
from quire.admin.urls import endpoint, list_url, local_url, record_url
from quire.declare.record import REGISTRY
from quire.declare.results import DESTROY
from quire.declare.rules import require_possible
from quire.declare.value_kinds_files import Upload
from quire.errors import Conflict, Problem, ValidationFailed, detail
from quire.jobs.images.process import process_media
from quire.records import MEDIA
from quire.records.media import ALT_HELP, upload
from quire.records.media_replacement import replace_file
from quire.store import write
from quire.store.file_usage import find_usage
from quire.store.files.detect import ACCEPTED
from quire.store.files.receive import receive
from quire.web.language import gettext, ngettext, translate
from quire.web.threads import blocking

State = dict[str, Any]


class MediaView(RecordView):
    """The pages of media: files have a form of their own, everything else is as for other types."""

    form_template = "quire_admin/media_form.html"
    list_template = "quire_admin/media_list.html"

    def list_page(
        self,
        listing: ListPage,
        columns: list[str] | None = None,
        form: dict[str, str] | None = None,
    ) -> tuple[str, int]:
        """The list, which also shows files that are about to be uploaded."""
        g.admin_shows_pictures = True
        return super().list_page(listing, columns, form)

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Answer:
        """The upload form; a script that shows progress asks for JSON."""
        actor = panel_actor()
        require_possible(self.record.access.create, actor)
        if request.method != "POST":
            return self._ask_file()
        try:
            saved = self._upload_sent_file(actor)
        except Problem as problem:
            if wants_json():
                raise
            return self._ask_file(problem), problem.status, problem.headers
        edit_url = record_url(self.record, "edit_view", saved.id)
        message = (
            gettext("File uploaded. Add an alternative text.")
            if saved.created
            else gettext("You have already uploaded this file.")
        )
        return _go_on(edit_url, message)

    @expose("/replace/", methods=("POST",))
    def replace_view(self) -> Answer:
        """Replace the file of a record; a script that shows progress asks for JSON."""
        actor, id = panel_actor(), parse_id(request.form.get("id"))
        edit_url = record_url(self.record, "edit_view", id)
        try:
            with self._sent_file() as received:
                saved = replace_file(actor, id, received)
        except Problem as problem:
            if wants_json():
                raise
            flash(translate(problem.message), "error")
            return redirect(edit_url)
        with blocking():  # so that the new image can be seen immediately
            process_media(id)
        words = (
            gettext("File replaced. Whatever uses it shows the new one.")
            if saved.changed
            else gettext("This is the same file.")
        )
        return _go_on(edit_url, words)

    @contextmanager
    def _sent_file(self) -> Iterator[Upload]:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise ValidationFailed([detail("file", "required", "File is required.")])
        with receive(file.stream, file.filename) as received:
            yield received

    def _upload_sent_file(self, actor: Actor) -> write.Saved:
        raw = {"alt": request.form["alt"]} if request.form.get("alt") else {}
        with self._sent_file() as received:
            return upload(actor, received, raw)

    def _ask_file(self, problem: Problem | None = None) -> str:
        return self.render(
            "quire_admin/media_upload.html",
            heading=gettext("Upload a file"),
            crumbs=self._crumbs(),
            problem=problem,
            alt=request.form.get("alt", ""),
            alt_hint=gettext(ALT_HELP),
            accepted=translate(ACCEPTED),
            limit=size(current_app.config["MAX_UPLOAD_BYTES"]),
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
                "file_size": size(state["bytes"]),
                "replace_url": url_for(endpoint(MEDIA, "replace_view")),
                "uses": _usage_list(uses),
                "hidden_uses": count - len(uses),
            }
        return super()._form(form, state, *arguments, **more)

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> Answer:
        """Ask for confirmation and list where the file is used, then delete it."""
        actor, record = panel_actor(), self.record
        state = find(record, actor, parse_id(request.values.get("id")))
        back = local_url(request.values.get("url")) or list_url(record)
        if request.method != "POST":
            return self._ask_delete(state, back)
        try:
            write.delete(record, actor, state["id"], permanent=bool(request.form.get("force")))
        except Conflict as problem:
            return self._ask_delete(state, back), problem.status
        flash(gettext("%(type)s deleted.", type=gettext(record.singular)), "success")
        return redirect(back)

    def _report_refusals(self, actor: Actor, result: BulkResult, back: str) -> Any:
        """Ask about files in use, which can be deleted nevertheless; report the others."""
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
            "question": ngettext(
                "This file is in use and was not deleted:",
                "These %(num)s files are in use and were not deleted:",
                len(states),
            ),
            "names": [_usage_line(actor, state) for state in states],
            "consequence": gettext(
                "If you delete them anyway, cover images are removed and texts show a gap."
            ),
            "url": url_for(endpoint(self.record, "action_view")),
            "fields": [("action", DESTROY), ("confirmed", "1"), ("url", back)]
            + [("rowid", state["id"]) for state in states],
            "label": gettext("Delete anyway"),
            "back": back,
        }
        heading = gettext("File in use") if one else gettext("Files in use")
        return self.render(
            "quire_admin/confirm.html", heading=heading, crumbs=self._crumbs(), confirm=confirm
        )

    def _ask_delete(self, state: State, back: str) -> str:
        uses, count = find_usage(MEDIA, panel_actor(), state)
        confirm = {
            "question": delete_question(self.record, state),
            "names": [f"{gettext(REGISTRY[one['type']].singular)}: {one['title']}" for one in uses],
            "consequence": _consequence(count, len(uses)),
            "url": url_for(endpoint(self.record, "delete_view")),
            "fields": [("id", state["id"]), ("url", back), *([("force", "1")] if count else [])],
            "label": gettext("Delete anyway") if count else gettext("Delete"),
            "back": back,
        }
        title = gettext("Delete “%(title)s”?", title=record_title(self.record, state))
        return self.render(
            "quire_admin/confirm.html", heading=title, crumbs=self._crumbs(), confirm=confirm
        )


def _usage_line(actor: Actor, state: State) -> str:
    """A file and where it is used, on one line."""
    uses, count = find_usage(MEDIA, actor, state)
    places = [f"{gettext(REGISTRY[one['type']].noun)} {quote(one['title'])}" for one in uses]
    if count > len(uses):
        places.append(gettext("%(count)s you do not have access to", count=count - len(uses)))
    return f"{record_title(MEDIA, state)}: {', '.join(places)}"


def _consequence(count: int, use_count: int) -> str:
    if not count:
        return gettext("It is not used anywhere.")
    sentences = [
        ngettext("It is used in %(num)s place.", "It is used in %(num)s places.", count),
        gettext("Cover images are removed and texts show a gap."),
    ]
    if hidden := count - use_count:
        unseen = ngettext(
            "%(num)s of them is not visible to you.",
            "%(num)s of them are not visible to you.",
            hidden,
        )
        sentences.insert(1, unseen)
    return " ".join(sentences)


def _usage_list(uses: list[dict[str, Any]]) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            title=one["title"], what=_usage_place(one),
            url=f"/admin/{one['type']}/details/?id={one['id']}",
        )
        for one in uses
    ]  # fmt: skip


def _usage_place(use: dict[str, Any]) -> str:
    """`Post, Cover`; `Post, Draft`."""
    record = REGISTRY[use["type"]]
    field = record.fields_by_name.get(use["field"])
    return f"{gettext(record.singular)}, {gettext(field.label if field else 'Draft')}"


def _go_on(url: str, words: str) -> Answer:
    """Redirect to the page of a received file, with a message."""
    flash(words, "success")
    return jsonify(url=url) if wants_json() else redirect(url)
