"""Two people saved: both versions side by side, so that nothing is overwritten unseen."""

from types import SimpleNamespace
from typing import Any

from markupsafe import Markup

from quire.actor import Actor
from quire.admin.cells import when
from quire.admin.forms import RecordForm
from quire.admin.history import name_of, revisions_of
from quire.declare.record import Record
from quire.declare.typed import same, text_of


def _shown(value: Any) -> str:
    return ("Yes" if value else "No") if isinstance(value, bool) else str(value or "")


def compare(form: RecordForm, theirs: dict[str, Any]) -> list[dict[str, Any]]:
    """Every field of the form that can be shown: what was typed, and what is stored now."""
    found = []
    for name, mine in form.texts().items():
        field = form.declared[name]
        if not field.readable:
            continue
        stored = text_of(field, theirs.get(name))
        found.append(
            {
                "label": field.label,
                "yours": _shown(mine),
                "theirs": _shown(stored),
                "changed": not same(field, mine, stored),
            }
        )
    return sorted(found, key=lambda row: not row["changed"])


def conflict(record: Record, actor: Actor, form: RecordForm, theirs: dict[str, Any]) -> Any:
    """What the page says about the other version."""
    latest = next(iter(revisions_of(record, actor, theirs["id"])), None)
    who = name_of(latest["actor"]) if latest else ""
    moment = latest["created_at"] if latest else theirs.get("updated_at")
    if "base_version" in theirs:  # not a version of the record, but its draft
        who, moment = name_of(theirs["updated_by"]), theirs["updated_at"]
    words = Markup("{} saved version {}{}{}.").format(
        who or "Somebody",
        theirs.get("version", ""),
        " on " if moment else "",
        when(moment) if moment else "",
    )
    return SimpleNamespace(words=words, rows=compare(form, theirs))
