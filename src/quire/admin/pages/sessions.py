"""Everyone's sessions, for administrators: the list of the type, and a button that ends all others."""

from flask import flash, redirect
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.admin.panel_view import panel_actor
from quire.admin.record_view import RecordView
from quire.admin.urls import list_url
from quire.declare.rules import require_possible
from quire.records.accounts.revocation import end_all_sessions
from quire.store.audit import record_event
from quire.store.db import transaction
from quire.web.language import ngettext


class SessionsView(RecordView):
    """The pages of sessions; deleting one signs its device out immediately."""

    list_template = "quire_admin/sessions.html"

    @expose("/end-all/", methods=("POST",))
    def end_all_view(self) -> AnyResponse:
        """Sign everyone out, on all devices except this one."""
        actor = panel_actor()
        require_possible(self.record.access.panel, actor)
        with transaction():
            count = end_all_sessions(keep=actor.session_id)
            record_event(actor, "end_all_sessions", self.record.path)
        words = ngettext(
            "%(num)s session has been ended. Only this device is still signed in.",
            "%(num)s sessions have been ended. Only this device is still signed in.",
            count,
        )
        flash(words, "success")
        return redirect(list_url(self.record))
