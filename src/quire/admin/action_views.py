"""Deletion and actions, on one record or many; irreversible ones ask for confirmation first."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin import actions
from quire.admin.actions import Choice
from quire.admin.form.merge import sent_version
from quire.admin.format import record_title
from quire.admin.list.matching import MatchingRows
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.queries import find, find_many, parse_id
from quire.admin.refusals import LIMIT, MAX_NAMED
from quire.admin.urls import endpoint, list_url, local_url, record_url
from quire.declare.record import Record
from quire.declare.results import DELETE, DESTROY, nouns_of
from quire.errors import BadRequest
from quire.records import BATCHES
from quire.store.history.undoable_batches import count, newest_batch
from quire.translations.messages import Message
from quire.web.language import gettext, translate
from quire.web.threads import blocking

ASK = "ask"
"""The value of `matching` in a form that confirms its other actions, but not one on all rows."""


SELECTED = Message(
    "This applies to the selected %(noun)s.",
    "This applies to the %(count)s selected %(nouns)s.",
    count=0, noun="", nouns="",
)  # fmt: skip


class ActionsMixin(PanelView):
    """The part of a record's view that deletes records and runs actions."""

    record: Record
    _crumbs: Any
    _draft_conflict: Any
    edit_many: Any

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> str | AnyResponse:
        """Ask for confirmation, then delete: move to the trash first, delete permanently from there."""
        actor, record = panel_actor(), self.record
        state = find(record, actor, parse_id(request.values.get("id")))
        name = DESTROY if state.get("deleted_at") else DELETE
        back = local_url(request.values.get("url")) or list_url(record)
        if request.method != "POST":
            return self._ask_delete(state, back)
        result = actions.run_action_on_all(record, actor, name, [state["id"]])
        for problem in result.refused.values():
            raise problem
        moved = record.has_trash and name == DELETE
        kind = gettext(record.singular)
        in_trash = gettext("%(type)s moved to the trash.", type=kind)
        words = in_trash if moved else gettext("%(type)s deleted.", type=kind)
        flash(words, f"undo {result.batch}" if result.can_be_undone else "success")
        return redirect(back)

    def _ask_delete(self, state: dict[str, Any], back: str) -> str:
        confirm = {
            "question": actions.delete_question(self.record, state),
            "url": url_for(endpoint(self.record, "delete_view")),
            "fields": [("id", state["id"]), ("url", back)],
            "label": gettext("Delete"),
            "back": back,
        }
        title = gettext("Delete “%(title)s”?", title=record_title(self.record, state))
        return self.render(
            "quire_admin/confirm.html", heading=title, crumbs=self._crumbs(), confirm=confirm
        )

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        """Run an action on the selected rows, after confirmation if it cannot be undone."""
        actor, record = panel_actor(), self.record
        name, ids = _sent_action()
        back = local_url(request.form.get("url")) or list_url(record)
        if name == actions.EDIT:
            return self.edit_many(actor, back)
        if record.action(name) is None and name not in (DELETE, DESTROY):
            raise BadRequest("There is no such action.", code="invalid_parameter")
        if request.form.get("matching"):
            return self._act_on_matching(actor, name, back)
        if not ids:
            flash(gettext("Select at least one record first."), "warning")
            return redirect(back)
        if name in (DELETE, DESTROY) and not request.form.get("confirmed"):
            return self._ask_many(name, ids, back)
        return self._act(actor, name, ids, back)

    @expose("/action/progress")
    def action_progress_view(self) -> AnyResponse:
        """Return how many rows the batch after the named one has changed, while its action is running.

        With `undoing`, return how many changes of that batch are left.
        """
        actor = panel_actor()
        if id := request.args.get("undoing"):
            return jsonify(left=count(find(BATCHES, actor, parse_id(id))["id"]))
        batch, done = newest_batch(actor, parse_id(request.args.get("after", "0")))
        return jsonify(batch=batch, done=done)

    def _act_on_matching(self, actor: Actor, name: str, back: str) -> Any:
        """Run an action on all rows of the list at `back`, whichever page they are on."""
        address = local_url(request.form.get("list")) or back
        matching = MatchingRows(self.record, actor, address)
        choice = matching.choice(name)
        if request.form["matching"] == ASK or not request.form.get("confirmed"):
            return self._ask(self._confirm_matching(actor, matching, choice, address, back))
        answer = self._act(actor, name, matching.ids(), back)
        if matching.rest_message:
            flash(matching.rest_message, "warning")
        return answer

    def _progress(self, actor: Actor, total: int) -> dict[str, Any]:
        """Return what a page needs to show the progress of an action on `total` rows."""
        url = url_for(endpoint(self.record, "action_progress_view"), after=newest_batch(actor)[0])
        return {"url": url, "total": total}

    def _confirm_matching(
        self, actor: Actor, matching: MatchingRows, choice: Choice, address: str, back: str
    ) -> Any:
        first_rows = matching.page.rows[:MAX_NAMED]
        return {
            "question": matching.question,
            "names": [record_title(self.record, state) for state in first_rows],
            "more": max(matching.total - len(first_rows), 0),
            "consequence": choice.confirm,
            "url": url_for(endpoint(self.record, "action_view")),
            "fields": [
                ("action", choice.name),
                ("confirmed", "1"),
                ("matching", "1"),
                ("list", address),
                ("url", back),
            ],
            "label": choice.label,
            "is_harmless": not choice.confirm,
            "back": back,
            "progress": self._progress(actor, min(matching.total, actions.MAX_MATCHING)),
        }

    def _ask(self, confirm: dict[str, Any]) -> str:
        return self.render(
            "quire_admin/confirm.html",
            heading=f"{confirm['label']}?",
            crumbs=self._crumbs(),
            confirm=confirm,
        )

    def _act(self, actor: Actor, name: str, ids: list[int], back: str) -> Any:
        record = self.record
        action = record.action(name)
        if action is not None and action.creates and len(ids) == 1:
            saved = actions.run_action(record, actor, name, ids[0])
            assert saved is not None
            flash(
                gettext(
                    "%(type)s created. You are now editing the copy.", type=gettext(record.singular)
                ),
                "success",
            )
            return redirect(record_url(record, "edit_view", saved.id))
        draft_version = sent_version("draft_version")  # from the page of one record only
        if action is not None and action.takes_draft and draft_version:
            page = self._draft_conflict(actor, ids[0])
            if page is not None:
                return page
        # meanwhile other threads answer other requests
        takes_seconds = len(ids) > 1 or (action is not None and action.takes_seconds)
        with blocking() if takes_seconds else nullcontext():
            result = actions.run_action_on_all(record, actor, name, ids, draft_version)
        if result.done:
            category = f"undo {result.batch}" if result.can_be_undone else "success"
            flash(result.message(record, name), category)
        for notice in result.notices:
            flash(translate(notice), "warning")
        for revealed in result.revealed:
            flash_shown_once(record, revealed)
        return self._report_refusals(actor, result, back)

    def _report_refusals(self, actor: Actor, result: actions.BulkResult, back: str) -> Any:
        """Show why some records were not changed."""
        for why in result.refusals(self.record, actor):
            flash(why, "error")
        return redirect(back)

    def _ask_many(self, name: str, ids: list[int], back: str) -> str:
        record, actor = self.record, panel_actor()
        states = list(find_many(record, actor, ids[:LIMIT]).values())
        choice = actions.delete_choice(record, destroy=name == DESTROY)
        confirm = {
            "question": translate(SELECTED.with_values(count=len(states), **nouns_of(record))),
            "names": [record_title(record, state) for state in states],
            "consequence": choice.confirm,
            "url": url_for(endpoint(record, "action_view")),
            "fields": [("action", name), ("confirmed", "1"), ("url", back)]
            + [("rowid", state["id"]) for state in states],
            "label": choice.label,
            "back": back,
            "progress": self._progress(actor, len(states)),
        }
        return self._ask(confirm)


def flash_shown_once(record: Record, revealed: Mapping[str, Any]) -> None:
    """Show values that a change reveals only once, such as a key."""
    for name, value in record.shown_once(revealed).items():
        words = gettext(
            "%(label)s (copy it now, it will not be shown again): %(value)s",
            label=gettext(record.field(name).label),
            value=value,
        )
        flash(words, "success")


def _sent_action() -> tuple[str, list[int]]:
    """The name of the action and the ids of the rows: the selected ones, or the one whose menu was used."""
    if one := request.form.get("one"):
        name, _, id = one.partition(" ")
        return name, [parse_id(id)]
    return request.form.get("action", ""), sent_ids()


def sent_ids() -> list[int]:
    """The ids of the selected rows, up to the limit of one action."""
    ids = dict.fromkeys(parse_id(text) for text in request.form.getlist("rowid"))
    return list(ids)[:LIMIT]
