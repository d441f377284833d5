"""Deletion and actions, on one record or many; what cannot be undone is asked about first."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin import actions
from quire.admin.addresses import endpoint, here_only, list_url, record_url
from quire.admin.cells import title_of
from quire.admin.drafting import sent_version
from quire.admin.gate import Gate, actor_here
from quire.admin.rows import find, find_many, number_of
from quire.declare.record import Record
from quire.errors import Malformed


class Deeds(Gate):
    """The part of a record's view that acts on rows."""

    record: Record

    def _crumbs(self) -> list[tuple[str, str]]:
        return [] if self.record.single else [(self.record.label, list_url(self.record))]

    @expose("/delete/", methods=("GET", "POST"))
    def delete_view(self) -> str | AnyResponse:
        """Asks, then deletes: into the trash first, from there for good."""
        actor, record = actor_here(), self.record
        state = find(record, actor, number_of(request.values.get("id")))
        name = actions.DESTROY if state.get("deleted_at") else actions.DELETE
        back = here_only(request.values.get("url")) or list_url(record)
        if request.method != "POST":
            return self._ask_delete(state, back)
        actions.carry_out(record, actor, name, state["id"])
        moved = record.trashes and name == actions.DELETE
        flash(f"{record.one} {'moved to the trash' if moved else 'deleted'}.", "success")
        return redirect(back)

    def _ask_delete(self, state: dict[str, Any], back: str) -> str:
        confirm = {
            "question": actions.delete_words(self.record, state),
            "url": url_for(endpoint(self.record, "delete_view")),
            "fields": [("id", state["id"]), ("url", back)],
            "label": "Delete",
            "back": back,
        }
        title = f"Delete “{title_of(self.record, state)}”?"
        return self.render(
            "quire_admin/confirm.html", heading=title, crumbs=self._crumbs(), confirm=confirm
        )

    @expose("/action/", methods=("POST",))
    def action_view(self) -> str | AnyResponse:
        """One action on the chosen rows; what cannot be undone is asked about first."""
        actor, record = actor_here(), self.record
        name, ids = request.form.get("action", ""), _ids()
        back = here_only(request.form.get("url")) or list_url(record)
        if record.action(name) is None and name not in (actions.DELETE, actions.DESTROY):
            raise Malformed("There is no such action.", code="invalid_parameter")
        if not ids:
            flash("Nothing was selected.", "warning")
            return redirect(back)
        if name in (actions.DELETE, actions.DESTROY) and not request.form.get("confirmed"):
            return self._ask_many(name, ids, back)
        return self._act(actor, name, ids, back)

    def _act(self, actor: Actor, name: str, ids: list[int], back: str) -> AnyResponse:
        record = self.record
        action = record.action(name)
        if action is not None and action.creates and len(ids) == 1:
            made = actions.carry_out(record, actor, name, ids[0])
            flash(f"{record.one} created. This is the new one.", "success")
            return redirect(record_url(record, "edit_view", made.id))
        seen = sent_version("draft_version")  # from the page of one record only
        done, refused = actions.carry_out_all(record, actor, name, ids, seen)
        if done:
            flash(actions.done_words(record, name, done), "success")
        for why in refused:
            flash(why, "error")
        return redirect(back)

    def _ask_many(self, name: str, ids: list[int], back: str) -> str:
        record, actor = self.record, actor_here()
        states = list(find_many(record, actor, ids[: actions.MOST]).values())
        choice = actions.deletion(record, destroy=name == actions.DESTROY)
        confirm = {
            "question": f"{choice.label}: {len(states)} selected.",
            "names": [title_of(record, state) for state in states],
            "consequence": choice.confirm,
            "url": url_for(endpoint(record, "action_view")),
            "fields": [("action", name), ("confirmed", "1"), ("url", back)]
            + [("rowid", state["id"]) for state in states],
            "label": choice.label,
            "back": back,
        }
        return self.render(
            "quire_admin/confirm.html",
            heading="Are you sure?",
            crumbs=self._crumbs(),
            confirm=confirm,
        )


def _ids() -> list[int]:
    return list(dict.fromkeys(number_of(text) for text in request.form.getlist("rowid")))
