"""The moderation queue of a type: its pages, its entry in the menu, and replies."""

from typing import Any

from flask import flash, redirect, request
from flask_admin import expose
from flask_admin.menu import MenuLink
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.actions import run_action
from quire.admin.form.editor import create_once
from quire.admin.format import record_title
from quire.admin.moderation.queue import Queue
from quire.admin.panel_view import PANEL_ROLE, panel_actor
from quire.admin.queries import find, parse_id
from quire.admin.record_view import RecordView
from quire.admin.urls import endpoint, list_url, local_url
from quire.declare.action import Moderation
from quire.declare.record import Record
from quire.errors import NotFound, Problem
from quire.store.db import transaction
from quire.store.history.undoable_batches import ACTION, change_of, store_batch
from quire.web.language import gettext

State = dict[str, Any]


class QueueLink(MenuLink):
    """The entry of a queue in the menu."""

    def __init__(self, record: Record) -> None:
        address = endpoint(record, "moderation_view")
        super().__init__(
            "Moderation", endpoint=address, icon_value="moderation", category=record.section
        )
        self._record = record

    def is_accessible(self) -> bool:
        """Whether the actor sees such records in the panel."""
        actor = panel_actor()
        in_panel = actor.at_least(PANEL_ROLE)
        return in_panel and self._record.allows(actor, "panel") is not False


class ModeratedView(RecordView):
    """The pages of a type whose records are moderated."""

    def _moderation(self) -> Moderation:
        assert self.record.moderation is not None
        return self.record.moderation

    @expose("/moderation/")
    def moderation_view(self) -> str:
        """The queue, with one record in full."""
        id = request.args.get("id")
        return self._queue_page(parse_id(id) if id else None, request.args.get("status", ""))

    def _queue_page(
        self, id: int | None, status: str = "", typed: str = "", problem: str = ""
    ) -> str:
        moderation = self._moderation()
        status = status or moderation.waiting
        if status not in self.record.field("status").choices:
            raise NotFound("There is no queue with that name.")
        page = parse_id(request.args.get("page", "1")) or 1
        queue = Queue(self.record, panel_actor(), status, page, id)
        return self.render(
            "quire_admin/moderation.html",
            heading=gettext("Moderate %(plural)s", plural=gettext(self.record.plural_noun)),
            queue=queue.view(typed, problem),
        )

    @expose("/moderation/reply/", methods=("POST",))
    def reply_view(self) -> str | AnyResponse | tuple[str, int]:
        """Reply to a record, and approve it if necessary; undone in one step."""
        moderation, actor = self._moderation(), panel_actor()
        state = find(self.record, actor, parse_id(request.form.get("id")))
        typed = request.form.get("body", "")
        try:
            batch = self._reply(actor, moderation, state, typed)
        except Problem as problem:
            reasons = [one["message"] for one in problem.details] or [problem.message]
            words = gettext("The reply was not saved.") + " " + " ".join(reasons)
            page = self._queue_page(state["id"], state["status"], typed, words)
            return page, problem.status
        flash(
            gettext("Your reply to %(name)s is published.", name=self._name_of(state)),
            f"undo {batch}" if batch else "success",
        )
        return redirect(local_url(request.form.get("url")) or list_url(self.record))

    def _name_of(self, state: State) -> str:
        return f"“{record_title(self.record, state)}”"

    def _reply(self, actor: Actor, moderation: Moderation, state: State, typed: str) -> int | None:
        """Make both changes in one transaction; return the batch by which they can be undone."""
        record, id = self.record, state["id"]
        accept = record.action(moderation.accept)
        raw = {
            moderation.about: state[moderation.about]["id"],
            moderation.reply_to: id,
            moderation.text: typed,
        }
        with transaction() as connection:
            accepted = None
            if accept is not None and accept.available(state):
                accepted = run_action(record, actor, accept.name, id)
            reply = create_once(record, actor, raw, request.form.get("_page", ""))
            changes = [
                accepted and change_of(0, moderation.accept, record, id, accepted),
                change_of(1, "create", record, reply.id, reply),
            ]
            # None if the form is sent again
            return store_batch(connection, actor, ACTION, [one for one in changes if one])
