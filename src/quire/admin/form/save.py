"""Saves a form: writes this person's changes, and preserves the changes of others."""

from typing import Any

import orjson
from flask import flash, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.form.buttons import publishing_values, saved_message
from quire.admin.form.conflict import adopted_message, compare, conflict, conflict_json
from quire.admin.form.fields import RecordForm
from quire.admin.form.line_merge import contains_changes
from quire.admin.form.merge import (
    LONG_TEXTS,
    FormSnapshot,
    Merge,
    State,
    Texts,
    merge,
    same_value,
    sent_version,
    split_draft,
    with_retries,
)
from quire.admin.form.page import form_for, load_draft
from quire.admin.panel_view import PanelView, panel_actor, wants_json
from quire.admin.queries import find, rights_on
from quire.admin.urls import record_url
from quire.declare.record import Record
from quire.errors import Problem, VersionConflict
from quire.store import draft_merge
from quire.store.changes.preconditions import refuse_trashed
from quire.store.drafts import draft_service
from quire.store.history import revision_service
from quire.web.language import gettext, translate

Page = tuple[str, int, dict[str, str]]


def typed_texts(form: RecordForm) -> Texts:
    """The submitted texts, with those of others if the person has chosen them."""
    texts = form.readable_values()
    for name in texts:
        choice = request.form.get(f"_theirs-{name}")
        if choice is not None:
            is_flag = form.declared[name].kind.widget == "checkbox"
            texts[name] = choice == "true" if is_flag else choice
    return texts


class Submission:
    """A submitted form, with the record as it is stored now, and its draft if it has one.

    It is saved into the record, or with `into_draft` into the draft: `stored` is the current state there, `texts`
    the same as a form shows it, `base` the state when the form was loaded. `initial_texts` are those that the form
    showed then, `mine` those that were submitted; `merged` is the three-way merge. `live_base` is `base` in the
    record.
    """

    def __init__(
        self, record: Record, actor: Actor, form: RecordForm, id: int, *, into_draft: bool
    ):
        self.form = form
        self.live = find(record, actor, id)
        self.draft = load_draft(record, actor, self.live, rights_on(record, actor, id))
        self.stored = (self.draft or self.live) if into_draft else self.live
        form.take(request.form, self.stored)
        snapshot = FormSnapshot(record, form, self.live, self.draft)
        self.initial_texts = snapshot.initial_texts
        self.base = snapshot.initial_texts if into_draft else snapshot.live
        self.live_base = snapshot.live
        self.mine, self.texts = typed_texts(form), form.texts_of(self.stored)
        self.merged = merge(form.declared, self.base, self.mine, self.texts)

    @property
    def draft_fields(self) -> list[str]:
        """The fields that the draft changes."""
        return self.draft["changed_fields"] if self.draft else []

    def merged_fields(self) -> list[str]:
        """The long texts that now contain lines of others, besides those that this person has changed."""
        return [
            name
            for name in self.merged.adopted
            if not same_value(self.form.declared[name], self.mine[name], self.base[name])
        ]

    def conflicts(self) -> list[dict[str, Any]]:
        """A row for each field that both this person and others have changed."""
        return compare(self.form, self.merged.conflicts, self.base, self.mine, self.texts)


class SaveMixin(PanelView):
    """The part of a record's view that saves forms."""

    record: Record
    _form: Any
    _show_form_again: Any
    _redirect_after_save: Any

    def _save(self, actor: Actor, form: RecordForm, state: State) -> Any:
        """Save a form into a draft, or into the record, where it replaces the draft it showed."""
        drafts = self.record.drafts and "_save_draft" in request.form
        write = self._save_into_draft if drafts else self._publish
        form.take(request.form, state)
        try:
            refuse_trashed(self.record, state)
            return with_retries(lambda: write(actor, form, state["id"]))
        except Problem as problem:
            if "conflict" in problem.extra:
                raise
            form.show_values(typed_texts(form))
            return self._show_form_again(form, state, problem)

    def _publish(self, actor: Actor, form: RecordForm, id: int) -> Any:
        """Save into the record, or show a page if somebody else has changed the same fields."""
        record = self.record
        submission = Submission(record, actor, form, id, into_draft=False)
        live, draft, merged = submission.live, submission.draft, submission.merged
        remaining, disputed = (
            split_draft(form, submission.initial_texts, submission.mine, draft)
            if draft
            else ([], [])
        )
        if merged.conflicts or disputed:
            texts_before = submission.texts | _texts(form, draft, remaining)
            disputed = [name for name in disputed if name not in merged.conflicts]
            rows = submission.conflicts() + compare(
                form, disputed, submission.initial_texts, submission.mine, texts_before
            )
            theirs = draft if draft and disputed else live
            return self._conflict(form, live, theirs, rows, merged, texts_before, live["version"])
        form.show_values(merged.texts)
        saved = draft_merge.publish(
            record,
            actor,
            id,
            publishing_values(form.values(), form.value("published_at"), live.get("status", "")),
            version=live.get("version"),
            draft_version=draft["version"] if draft else None,
            remaining=remaining,
        )
        message = saved_message(record, live.get("status", "saved"), saved.state)
        _flash(" ".join([message, *map(translate, saved.notices)]), form, merged)
        return self._redirect_after_save(id)

    def _draft_conflict(self, actor: Actor, id: int) -> Page | None:
        """The form of a draft that cannot be published, with the fields changed in both."""
        record = self.record
        live = find(record, actor, id)
        draft = load_draft(record, actor, live, rights_on(record, actor, id))
        if draft is None or draft["base_version"] == draft["live_version"]:
            return None
        form = form_for(record, actor, creating=False)
        form.fill(draft)
        data = revision_service.data_at(record, id, draft["base_version"])
        base, mine, stored = form.texts_of(data or {}), form.readable_values(), form.texts_of(live)
        merged = merge(form.declared, base if data else {}, mine, stored)
        rows = compare(form, merged.conflicts, base, mine, stored)
        if not rows:
            return None
        texts_before = stored | _texts(form, draft, [])
        return self._conflict(form, live, live, rows, merged, texts_before, live["version"])

    def _save_into_draft(self, actor: Actor, form: RecordForm, id: int) -> Any:
        """Save into the draft, or show a page if somebody else has changed the same fields."""
        record = self.record
        submission = Submission(record, actor, form, id, into_draft=True)
        live, draft, stored, merged = (
            submission.live,
            submission.draft,
            submission.stored,
            submission.merged,
        )
        merged.conflicts = [name for name in merged.conflicts if name in submission.draft_fields]
        acknowledged = sent_version() or stored.get("base_version", live["version"])
        if merged.conflicts:
            rows = submission.conflicts()
            return self._conflict(form, live, stored, rows, merged, submission.texts, acknowledged)
        form.show_values(merged.texts)
        raw = form.values()
        after = submission.texts | {
            name: merged.texts[name] for name in raw if name in merged.texts
        }
        late = self._changed_in_both(
            form, id, live, after, {*submission.draft_fields, *raw}, acknowledged
        )
        raw["base_version"] = acknowledged if late else live["version"]
        draft_state, _ = draft_service.save_draft(
            record, actor, id, raw, version=stored["version"], begin=draft is None
        )
        if wants_json():
            rows = compare(form, late, submission.live_base, after, form.texts_of(live))
            return _saved_json(record, actor, submission, draft_state, rows)
        _flash(gettext("Draft saved. Readers will not see it until you publish it."), form, merged)
        return redirect(record_url(record, "edit_view", id))

    def _changed_in_both(
        self, form: RecordForm, id: int, live: State, after: Texts, names: set[str], version: int
    ) -> list[str]:
        """The fields of the draft that were also changed in the record since `version`."""
        if version == live["version"]:
            return []
        data = revision_service.data_at(self.record, id, version)
        base = {} if data is None else form.texts_of(data)
        stored = form.texts_of(live)
        return [
            name
            for name, field in form.declared.items()
            if name in names
            and not same_value(field, stored[name], after[name])
            and not (name in base and same_value(field, stored[name], base[name]))
            and not (
                name in base
                and field.kind.widget in LONG_TEXTS
                and contains_changes(base[name], after[name], stored[name])
            )
        ]

    def _conflict(
        self,
        form: RecordForm,
        live: State,
        theirs: State,
        rows: list[dict[str, Any]],
        merged: Merge,
        texts_before: Texts,
        version: int,
    ) -> Page:
        """The form with the submitted values, and both versions of the fields in conflict."""
        record, actor = self.record, panel_actor()
        answer = conflict(record, actor, theirs, rows)
        rights = rights_on(record, actor, live["id"])
        draft = theirs if "base_version" in theirs else load_draft(record, actor, live, rights)
        if wants_json():
            raise VersionConflict(
                gettext("Someone else has changed this %(noun)s.", noun=gettext(record.noun)),
                extra={
                    "current_version": theirs["version"],
                    "changed_fields": [row["name"] for row in rows],
                    "conflict": conflict_json(answer, version, draft),
                },
            )
        form.show_values(merged.texts)
        page = self._form(
            form,
            live,
            draft,
            rights,
            problem=gettext(
                "Someone else has changed this %(noun)s while you were editing it.",
                noun=gettext(record.noun),
            ),
            adopted=adopted_message(form, merged.adopted),
            conflict=answer,
            version=version,
            live_version=live["version"],
            draft_version=draft["version"] if draft else None,
            base=orjson.dumps({n: texts_before[n] for n in form.readable_values()}).decode(),
        )
        return page, 409, {}


def _texts(form: RecordForm, draft: State | None, but: list[str]) -> Texts:
    """The texts of a draft's own fields, except `but`."""
    if draft is None:
        return {}
    texts = form.texts_of(draft)
    return {n: texts[n] for n in draft["changed_fields"] if n in texts and n not in but}


def _flash(words: str, form: RecordForm, merged: Merge) -> None:
    """Show that it was saved, and what others have changed meanwhile."""
    sentences = (words, adopted_message(form, merged.adopted), *form.time_notes())
    flash(" ".join(filter(None, sentences)), "success")


def _saved_json(
    record: Record, actor: Actor, submission: Submission, saved: State, rows: list[dict[str, Any]]
) -> AnyResponse:
    """What a script is told about the saved draft, and what others have changed meanwhile, if anything."""
    live, before = submission.live, submission.draft["version"] if submission.draft else None
    answer = {
        "id": live["id"],
        "version": saved["base_version"],
        "draft_version": saved["version"],
        "edit_url": record_url(record, "edit_view", live["id"]),
    }
    live_version = sent_version("live_version") or sent_version() or live["version"]
    if (before, live["version"]) != (sent_version("draft_version"), live_version):
        answer["texts"] = submission.form.texts_to_show(saved)
        answer |= {"live_version": live["version"], "merged": submission.merged_fields()}
    if rows:
        merged = conflict(record, actor, live, rows)
        answer["conflict"] = conflict_json(merged, live["version"], None)
    return jsonify(answer)
