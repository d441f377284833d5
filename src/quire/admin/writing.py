"""What the editor asks while somebody types: the text as readers will see it, and keeping it."""

from hashlib import sha256
from typing import Any

from flask import g, jsonify, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.addresses import endpoint, record_url
from quire.admin.conflict import conflict
from quire.admin.forms import RecordForm
from quire.admin.gate import Gate, actor_here
from quire.declare.markup import fits, rendered
from quire.declare.prose import prose
from quire.declare.record import REGISTRY, Record
from quire.errors import Invalid, Missing, detail
from quire.store import origins, write
from quire.store.db import transaction
from quire.store.drafting import keep
from quire.store.rows import hold
from quire.store.site import site_settings

State = dict[str, Any]
SCRIPTS = (
    "vendor/codemirror.js", "surface.js", "toolbar.js", "pictures.js", "prospect.js", "slugs.js",
    "keeping.js", "autosave.js", "result.js",
)  # fmt: skip
"""Scripts of pages on which somebody writes; other pages do without them."""


def writing_page(record: Record, actor: Actor, form: RecordForm, state: State | None) -> State:
    """What the form of a long text tells its scripts; nothing for other forms."""
    if not any(one.kind.widget == "markdown" for one in form.declared.values()):
        return {}
    g.admin_shows_pictures = True
    asked = {
        "rendered": url_for(endpoint(record, "rendered_view")),
        "user": actor.user_id,
        "kind": record.path,
        "id": "" if state is None else state["id"],
        "status": "draft" if state is None else state.get("status", ""),
    }
    if "slug" in record.by_name:
        asked["slug"] = url_for(endpoint(record, "slug_view"))
    if REGISTRY["media"].allows(actor, "create") is not False:
        asked["media"] = "/api/v1/media"
    if record.drafts:
        asked["autosave"] = "1"
    if record.page:
        asked["page"], asked["site"] = record.page, site_settings()["site_name"]
    return {"writing": asked, "scripts": SCRIPTS}


def make(record: Record, actor: Actor, raw: State, page: str) -> write.Saved:
    """Make a record of `raw`; or change the one that was made for this page, if the answer was lost.

    `page` is a name that the page has made up when it first asked by itself, else empty.
    """
    if not page:
        return write.create(record, actor, raw)
    place = f"{actor.user_id} {sha256(page.encode()).hexdigest()}"
    with transaction() as connection:
        hold(connection, REGISTRY["users"], actor.user_id)  # the first try may be still on its way
        made = origins.known_items(origins.PAGES, place).get(record.path)
        if made is None:
            saved = write.create(record, actor, raw)
        else:
            saved = write.update(record, actor, made.record_id, raw, version=made.version)
        known = origins.Known(record.path, saved.id, "", saved.version)
        origins.remember(connection, origins.PAGES, place, {record.path: known})
    return saved


def begin(record: Record, actor: Actor, raw: State, page: str) -> AnyResponse:
    """Make a new record of what was typed so far, which nobody but its editors sees."""
    later = {name: raw.pop(name) for name in ("published_at",) if raw.get(name)}
    with transaction():
        saved = make(record, actor, raw, page)
        draft = keep(record, actor, saved.id, later)[0] if later else None
    return jsonify(
        id=saved.id,
        edit_url=record_url(record, "edit_view", saved.id),
        version=saved.version,
        draft_version=draft["version"] if draft else None,
    )


def kept(record: Record, actor: Actor, form: RecordForm, state: State, draft: State) -> AnyResponse:
    """What a script learns of the draft it has kept; what has gone live meanwhile, if anything."""
    answer = {
        "id": state["id"],
        "version": draft["base_version"],
        "draft_version": draft["version"],
        "edit_url": record_url(record, "edit_view", state["id"]),
    }
    if draft["base_version"] != draft["live_version"]:
        answer["conflict"] = in_json(record, actor, form, state)
    return jsonify(answer)


def in_json(record: Record, actor: Actor, form: RecordForm, theirs: State) -> State:
    """Both versions for a script, and the numbers by which mine replaces theirs knowingly."""
    found = conflict(record, actor, form, theirs)
    return {
        "words": found.words.striptags(),
        "rows": [row for row in found.rows if row["changed"]],
        "version": theirs.get("live_version", theirs["version"]),
        "draft_version": theirs["version"] if "base_version" in theirs else None,
    }


class Writing(Gate):
    """The part of a record's view that shows a text as it will be."""

    record: Record

    @expose("/rendered/", methods=("POST",))
    def rendered_view(self) -> AnyResponse:
        """The HTML of `text`, as the site will show it."""
        actor_here()
        if not any(one.kind.widget == "markdown" for one in self.record.fields):
            raise Missing
        text = request.form.get("text", "").replace("\r\n", "\n")
        if not fits(text):
            raise Invalid([detail("text", "too_long", "The text is too long to be shown.")])
        return jsonify(html=prose(rendered(text)))
