"""What the moderation queue shows: the records in one state, and one of them in full."""

import secrets
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from markupsafe import Markup

from quire.actor import Actor
from quire.admin.actions import bulk_choices
from quire.admin.dashboard.counts import statuses_by
from quire.admin.format import badge, record_title, small_name, truncate
from quire.admin.list.cells import filter_path
from quire.admin.local_time import format_relative
from quire.admin.queries import find_many, rights_on
from quire.admin.urls import address_for, endpoint, list_url, record_url
from quire.declare.action import Moderation
from quire.declare.markdown import plain_words
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.declare.query_fields import filter_paths
from quire.declare.record import Record, record_of
from quire.declare.results import DELETE
from quire.store import read
from quire.web.html import fit_into_page
from quire.web.language import format_number, gettext, noun, word_label

KEYS = {"accept": "a", "reject": "s", "undecide": "u"}
"""The keys of the actions, which the script of the page uses too."""
DELETE_KEY = "d"
LIMIT = 20
"""The number of records beside the current one, which can be decided together."""
State = dict[str, Any]


class Queue:
    """One page of the queue as `actor` sees it: the records in one state, and the current one."""

    def __init__(self, record: Record, actor: Actor, status: str, page: int, id: int | None):
        self.record, self.actor, self.status = record, actor, status
        assert record.moderation is not None
        self.moderation: Moderation = record.moderation
        self.page = self._read_page(page)
        rows = self.page.rows
        places = [place for place, state in enumerate(rows) if state["id"] == id]
        self.place = places[0] if places else 0
        self.current = rows[self.place] if rows else None

    def _read_page(self, page: int) -> read.Page:
        query = Query(
            conditions=(Condition("status", "eq", (self.status,)),),
            sort=("-id",),
            fields=self.record.field_names,
            page=page,
            per_page=LIMIT,
            panel=True,
        )
        return read.list_records(self.record, self.actor, query)

    def url(self, **values: Any) -> str:
        """The URL of the queue with other values: a `page`, an `id`, a `status`."""
        base = {"status": self.status, "page": self.page.page}
        default = {"status": self.moderation.waiting, "page": 1}
        query = {name: one for name, one in (base | values).items() if one != default.get(name)}
        address = url_for(endpoint(self.record, "moderation_view"))
        return f"{address}?{urlencode(query)}" if query else address

    def next_url(self) -> str:
        """The URL after a decision: the next record, or the previous one if there is none."""
        rest = [state["id"] for state in self.page.rows]
        following = rest[self.place + 1 :] or rest[: self.place][-1:]
        return self.url(**({"id": following[0]} if following else {}))

    def step_url(self, step: int) -> str | None:
        """The URL of the record `step` places further down; None if there is none."""
        place = self.place + step
        there = 0 <= place < len(self.page.rows)
        return self.url(id=self.page.rows[place]["id"]) if there else None

    def view(self, typed: str, problem: str) -> Any:
        """The variables of the template."""
        record, total = self.record, self.page.total or 0
        pages = self.page.pages or 1
        number = self.page.page or 1
        return SimpleNamespace(
            noun=gettext(record.noun),
            plural=gettext(record.plural_noun),
            label=gettext(record.label),
            status=noun(self.status),
            is_waiting=self.status == self.moderation.waiting,
            tabs=self._tabs(),
            total=total,
            rows=[self._row(state) for state in self.page.rows],
            choices=self._bulk_choices(),
            action_url=url_for(endpoint(record, "action_view")),
            here=self.url(),
            list_url=list_url(record, [("status", self.status)]),
            all_url=list_url(record),
            current=self.current and self._current(self.current, typed, problem),
            newer_url=self.url(page=number - 1) if number > 1 else None,
            older_url=self.url(page=number + 1) if number < pages else None,
        )

    def _tabs(self) -> list[Any]:
        return [
            SimpleNamespace(
                label=word_label(one),
                url=self.url(status=one, page=1),
                current=one == self.status,
            )
            for one in self.record.field("status").choices
        ]

    def _bulk_choices(self) -> list[Any]:
        useful = {*self.moderation.actions, DELETE}
        status_action = self._action_without_effect()
        return [
            one
            for one in bulk_choices(self.record, self.actor, trashed=False)
            if one.name in useful and one.name != status_action
        ]

    def _action_without_effect(self) -> str | None:
        """The action that leads to the state that all of these are already in."""
        if not self.page.rows:
            return None
        actions = filter(None, map(self.record.action, self.moderation.actions))
        state = self.page.rows[0]
        return next((one.name for one in actions if not one.available(state)), None)

    def _row(self, state: State) -> Any:
        return SimpleNamespace(
            id=state["id"],
            title=truncate(plain_words(str(state[self.moderation.text]))),
            author=self._author_name(state),
            when=format_relative(state["created_at"]),
            url=self.url(id=state["id"]),
            current=state is self.current,
        )

    def _author_name(self, state: State) -> str:
        author = state.get(self.moderation.author)
        if author:
            return small_name(author, record_of("users"))
        return str(state.get(f"{self.moderation.author}_name") or gettext("Unknown author"))

    def _current(self, state: State, typed: str, problem: str) -> Any:
        record, moderation, id = self.record, self.moderation, state["id"]
        about = record.field(moderation.about)
        target = record_of(about.target or "")
        rights = rights_on(record, self.actor, id)
        choices = self._choices(state, rights)
        can_reply = record.allows(self.actor, "create") is not False and (
            state["status"] != self._rejected_status()
        )
        return SimpleNamespace(
            id=id,
            author=self._author_name(state),
            history=self._history(state),
            when=format_relative(state["created_at"]),
            status=badge(state["status"]),
            html=Markup(fit_into_page(state[moderation.html])),  # noqa: S704 - cleaned when it was written
            about=small_name(state[moderation.about], target),
            about_noun=target.noun,
            about_url=address_for(self.actor)(target, state[moderation.about]["id"]),
            parent=self._parent(state),
            choices=choices,
            edit_url=record_url(record, "edit_view", id) if "update" in rights else None,
            details_url=record_url(record, "details_view", id),
            next_url=self.next_url(),
            above_url=self.step_url(-1),
            below_url=self.step_url(1),
            reply_url=url_for(endpoint(record, "reply_view")) if can_reply else None,
            reply_label=self._reply_label(choices),
            page=secrets.token_urlsafe(12),
            typed=typed,
            problem=problem,
        )

    def _rejected_status(self) -> str:
        """The state of rejected records, which cannot be rejected again."""
        action = self.record.action(self.moderation.reject)
        words = self.record.field("status").choices
        return next((one for one in words if action and not action.available({"status": one})), "")

    def _choices(self, state: State, rights: set[str]) -> list[Any]:
        """The decisions that are possible about this record."""
        choices = [
            SimpleNamespace(name=one.name, label=gettext(one.label), key=key)
            for role, key in KEYS.items()
            if (one := self.record.action(getattr(self.moderation, role)))
            and one.name in rights
            and one.available(state)
        ]
        if "delete" in rights:
            label = gettext("Move to trash") if self.record.has_trash else gettext("Delete")
            choices.append(SimpleNamespace(name=DELETE, label=label, key=DELETE_KEY))
        return choices

    def _reply_label(self, choices: list[Any]) -> str:
        accept = [gettext(one.label) for one in choices if one.name == self.moderation.accept]
        return gettext("%(accept)s and reply", accept=accept[0]) if accept else gettext("Reply")

    def _history(self, state: State) -> list[Any]:
        """The fate of earlier records by the same author: a label, a number, a link to them."""
        author = state.get(self.moderation.author)
        if not author:
            return []
        field = self.record.field(self.moderation.author)
        path = filter_path(field, filter_paths(self.record, self.actor))
        value = str(author.get(path.partition(".")[2] or "id", author["id"]))
        counts = statuses_by(self.record, self.actor, field, author["id"])
        return [
            SimpleNamespace(
                word=noun(word),
                count=format_number(count),
                url=list_url(self.record, [(path, value), ("status", word)]),
            )
            for word in self.record.field("status").choices
            if (count := counts.get(word, 0)) or word != self.moderation.waiting
        ]

    def _parent(self, state: State) -> Any:
        """The record that this one replies to, if the actor sees it."""
        reference = state.get(self.moderation.reply_to)
        if not reference:
            return None
        parent = find_many(self.record, self.actor, [reference["id"]]).get(reference["id"])
        if parent is None:
            return None
        return SimpleNamespace(
            author=self._author_name(parent),
            text=record_title(self.record, parent),
            url=record_url(self.record, "details_view", parent["id"]),
        )
