"""The audit log in the panel: a list of sentences, and the exact changes of one event."""

from functools import cached_property
from typing import Any

from flask_admin import expose
from markupsafe import Markup

from quire.actor import Actor
from quire.admin.audit.sentences import Sentence, sentences
from quire.admin.form.page import details_page
from quire.admin.list.listing import ListPage
from quire.admin.record_view import Answer, RecordView
from quire.admin.revisions import difference
from quire.declare.record import REGISTRY
from quire.store.history import revision_service
from quire.web.language import gettext

COLUMNS = ("type", "actor", "door", "created_at")
"""The columns beside the sentences, unless the person has chosen others."""
CHANGE = Markup("<span>{}: {} → {}</span>")
State = dict[str, Any]


class AuditList(ListPage):
    """A page of the audit log whose rows are sentences."""

    @cached_property
    def _sentences(self) -> dict[int, Sentence]:
        rows = self.page.rows
        ids = (one["id"] for one in rows)
        return dict(zip(ids, sentences(self.actor, rows), strict=True))

    def chosen_columns(self) -> list[str]:
        """The columns that the person has chosen, or else COLUMNS."""
        return super().chosen_columns() or list(COLUMNS)

    def _name(self, state: State) -> str:
        return str(self._sentences[state["id"]])

    def _snippet(self, state: State) -> str:
        changes = self._sentences[state["id"]].changes
        return Markup(", ").join(
            CHANGE.format(one.label, one.before or "–", one.after or "–") for one in changes
        )


class AuditView(RecordView):
    """The pages of the audit log."""

    list_type = AuditList

    @expose("/details/")
    def details_view(self) -> Answer:
        """An event, with each value before and after it."""
        actor, state = self._load_record()
        [sentence] = sentences(actor, [state])
        return self.render(
            "quire_admin/audit_event.html",
            heading=str(sentence),
            crumbs=self._crumbs(),
            page=details_page(self.record, actor, state),
            subject_url=sentence.url,
            subject_noun=gettext(REGISTRY[state["type"]].noun) if sentence.url else "",
            fields=_differences(actor, state),
        )


def _differences(actor: Actor, event: State) -> list[Any]:
    """What an event has changed; empty if it is not a change, or a version is no longer known."""
    record, version = REGISTRY.get(event["type"]), event["record_version"]
    if record is None or not record.history or not version:
        return []
    before, after = revision_service.data_around(record, event["record_id"], version)
    if before is None or after is None:
        return []
    fields = revision_service.compare_data(record, actor, before, after)
    return [difference(record, one) for one in fields]
