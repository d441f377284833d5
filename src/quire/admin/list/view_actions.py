"""Saves the current list as a view, updates views, and sets the default view."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import flash, redirect, request, url_for
from flask_admin import expose
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.admin.list.columns import without_parameters
from quire.admin.list.display import apply_display, display_menu, sent_columns
from quire.admin.list.listing import ListPage
from quire.admin.list.preferences import DEFAULT_VIEW
from quire.admin.list.views import COLUMNS, LEFT_OUT, View
from quire.admin.panel_view import PanelView, panel_actor
from quire.admin.past_tense import words_for
from quire.admin.urls import endpoint, list_url, local_url, record_url
from quire.declare.record import Record
from quire.errors import BadRequest, Problem
from quire.records import SAVED_VIEWS
from quire.records.saved_views import VIEW
from quire.store import write
from quire.web.language import gettext, translate

Answer = str | AnyResponse | tuple[str, int] | tuple[str, int, dict[str, str]]
SHARED_WITH = SAVED_VIEWS.field("shared_with")
TYPED = ("name", "shared_with", "opens_first")
"""What is typed into the form of a new view."""


class ViewsMixin(PanelView):
    """The part of a record's view that shows the list and saves views of it."""

    record: Record
    list_template: str

    def list_page(
        self,
        listing: ListPage,
        columns: list[str] | None = None,
        form: dict[str, str] | None = None,
    ) -> tuple[str, int]:
        """The list, with what was typed in the `form` of a view that could not be saved, or the `columns` being
        arranged.
        """
        status = 200
        if listing.problem:
            status = listing.problem.status
            flash(translate(listing.problem.message), "error")
        if listing.views.missing:
            status = 404
            flash(gettext("This view does not exist, or is not shared with you."), "error")
        if listing.views.dropped:
            flash(_dropped_words(listing.views.dropped), "warning")
        page = self.render(
            self.list_template,
            heading=gettext(self.record.label),
            listing=listing.view(),
            views=view_menu(listing, form or {}),
            display=display_menu(listing, columns),
        )
        return page, status

    @expose("/views/", methods=("POST",))
    def views_view(self) -> Answer:
        """Save a view of the list at `url`, update it, or make it the default."""
        listing = _sent_list(self.record)
        steps = {"save": _save, "update": _update, "default": _set_default}
        step = steps.get(request.form.get("do", ""))
        if step is None:
            raise BadRequest("There is no such action.", code="invalid_parameter")
        try:
            return redirect(step(listing))
        except Problem as problem:
            form = {name: request.form[name] for name in TYPED if name in request.form}
            form["problem"] = translate(problem.message)
            page, _ = self.list_page(listing, form=form)
            return page, problem.status

    @expose("/display/", methods=("POST",))
    def display_view(self) -> Answer:
        """Show the list at `url` with other columns, order or density."""
        listing = _sent_list(self.record)
        if "up" in request.form or "down" in request.form:
            return self.list_page(listing, [self.record.title_field, *sent_columns(listing)])
        return redirect(apply_display(listing))


def _sent_list(record: Record) -> ListPage:
    """The list that the person was looking at. Raises BadRequest."""
    parts = urlsplit(local_url(request.form.get("url")) or list_url(record))
    if parts.path != list_url(record):
        raise BadRequest("This is not the address of the list.", code="invalid_parameter")
    return ListPage(record, panel_actor(), parse_qsl(parts.query))


def _dropped_words(dropped: list[str]) -> str:
    words = ", ".join(dropped)
    return gettext("Left out, as it no longer exists or you cannot see it: %(words)s.", words=words)


def _content(listing: ListPage) -> dict[str, Any]:
    """What a view stores of a list."""
    kept = without_parameters(listing.pairs, *LEFT_OUT, COLUMNS)
    return {"parameters": urlencode(kept), "columns": listing.chosen_columns()}


def _save(listing: ListPage) -> str:
    record, actor = listing.record, listing.actor
    raw = {"name": request.form.get("name", ""), "type": record.path, **_content(listing)}
    if shared_with := request.form.get("shared_with"):
        raw["shared_with"] = shared_with
    saved = write.create(SAVED_VIEWS, actor, raw)
    slug = saved.state["slug"]
    if request.form.get("opens_first"):
        listing.views.preferences.save(record, actor, DEFAULT_VIEW, slug)
    flash(gettext("View “%(name)s” saved.", name=saved.state["name"]), "success")
    return list_url(record, [(VIEW, slug)])


def _current(listing: ListPage) -> View:
    if listing.views.current is None:
        raise BadRequest("Open a view first.", code="invalid_parameter")
    return listing.views.current


def _update(listing: ListPage) -> str:
    view = _current(listing)
    write.update(SAVED_VIEWS, listing.actor, view["id"], _content(listing), version=view["version"])
    flash(gettext("View “%(name)s” updated.", name=view["name"]), "success")
    return list_url(listing.record, [(VIEW, view["slug"])])


def _set_default(listing: ListPage) -> str:
    """Make the open view the default, or remove the default if it is that already."""
    view, views = _current(listing), listing.views
    slug = None if views.default == view["slug"] else view["slug"]
    views.preferences.save(listing.record, listing.actor, DEFAULT_VIEW, slug)
    label = gettext(listing.record.label)
    words = (
        gettext("%(label)s: the list now opens with “%(name)s”.", label=label, name=view["name"])
        if slug
        else gettext("%(label)s: the list no longer opens with a saved view.", label=label)
    )
    flash(words, "success")
    return listing.here()


def view_menu(listing: ListPage, form: dict[str, str]) -> Any:
    """The variables of the menu of views."""
    views, actor, here = listing.views, listing.actor, listing.here()
    view = views.current
    is_own = view is not None and _is_own(view, actor)
    return SimpleNamespace(
        url=url_for(endpoint(listing.record, "views_view")),
        here=here,
        name=form.get("name", ""),
        problem=form.get("problem", ""),
        current=view,
        is_modified=views.modified,
        is_default=view is not None and view["slug"] == views.default,
        can_update=is_own and views.modified,
        reset_url=None if view is None else list_url(listing.record, views.mark),
        manage_url=None if view is None else _manage_url(view, is_own, listing),
        delete_url=record_url(SAVED_VIEWS, "delete_view", view["id"], url=list_url(listing.record))
        if is_own and view
        else None,
        shared_by="" if view is None or is_own else view["owner"]["username"],
        shared_with=form.get("shared_with", ""),
        opens_first="opens_first" in form,
        choices=words_for(SHARED_WITH) if SHARED_WITH.write_rule(actor) is True else (),
    )


def _is_own(view: View, actor: Actor) -> bool:
    return bool(view["owner"]["id"] == actor.user_id)


def _manage_url(view: View, is_own: bool, listing: ListPage) -> str:
    page = "edit_view" if is_own else "details_view"
    return record_url(
        SAVED_VIEWS, page, view["id"], url=list_url(listing.record, listing.views.mark)
    )
