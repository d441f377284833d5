"""Saved views: named views of lists in the panel, private or shared with a role."""

from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from quire.actor import Actor
from quire.declare.change import Change, actor_id
from quire.declare.column_types import Label, Names, RecordType, Slug, choice, text
from quire.declare.fields import Editable, Fixed, Shown
from quire.declare.list_link import ListLink
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.references import Ref, reference, unique
from quire.declare.rules import Rule, all_of, any_of, owner, role, where
from quire.errors import Conflict, detail
from quire.store.changes.slugs import slug_from
from quire.store.db import Model, read_connection
from quire.translations.messages import Message

VIEW = "view"
"""The parameter in a list's URL that names the view by its slug."""
EVERYTHING = "all"
"""The value for the list without a view; no view has this slug."""
NOBODY_ELSE = "nobody"
MAX_PARAMETERS, MAX_COLUMNS, MAX_COLUMN_NAME = 100, 50, 64


class SavedView(HasId, Timestamped, Versioned, Model):
    """The filters, search, order and columns of a list, saved under a name."""

    __tablename__ = "saved_views"

    type: Mapped[RecordType] = mapped_column(index=True)
    name: Mapped[Label]
    slug: Mapped[Slug] = unique()
    parameters: Mapped[str] = text(
        4000,
        min_length=0,
        pattern="([0-9A-Za-z_.]+=[!-%'-~]*(&[0-9A-Za-z_.]+=[!-%'-~]*)*)?",
        example="status=draft&sort=-title",
        default="",
    )
    columns: Mapped[Names] = mapped_column(default=list)
    owner_id: Mapped[Ref] = reference("users", on_delete="CASCADE", index=True)
    shared_with: Mapped[str] = choice(NOBODY_ELSE, "authors", "moderators", "admins")


_views = SavedView.__table__.c


def _shared_with(name: str) -> Rule:
    return where(lambda: _views.shared_with == f"{name}s", f"that it is shared with {name}s")


OWN = owner(_views.owner_id)
SHARED = [all_of(_shared_with(name), role(name)) for name in ("author", "moderator")]
READ = any_of(OWN, *SHARED, role("admin"))
WRITE = any_of(OWN, role("admin"))


def listed_types() -> list[str]:
    """Return the paths of the record types that have a list."""
    return [path for path, record in REGISTRY.items() if not record.singleton]


def before_save(change: Change) -> None:
    """Refuse lists that do not exist and parameters that no list accepts."""
    if change.verb == "delete":
        return
    types = listed_types()
    if change["type"] not in types:
        change.refuse(
            "type",
            "not_allowed",
            Message("Type must be one of: %(types)s.", types=", ".join(types)),
        )
    if change["slug"] == EVERYTHING:
        change.refuse("slug", "not_allowed", "This name is reserved. Choose another one.")
    if len(parse_qsl(change["parameters"] or "")) > MAX_PARAMETERS:
        words = Message("A view can have at most %(limit)s parameters.", limit=MAX_PARAMETERS)
        change.refuse("parameters", "too_long", words)
    columns = change["columns"] or []
    if len(columns) > MAX_COLUMNS or any(len(name) > MAX_COLUMN_NAME for name in columns):
        change.refuse(
            "columns",
            "too_long",
            Message("A view can have at most %(limit)s columns.", limit=MAX_COLUMNS),
        )
    change.check()
    if change.changes("name") or change.changes("shared_with"):
        _refuse_taken_name(change)


def _refuse_taken_name(change: Change) -> None:
    """Refuse a name that another view has which the same people see: a private one of the user, or a shared one."""
    is_own = _views.owner_id == change.reference("owner")
    if change["shared_with"] not in (None, NOBODY_ELSE):
        is_own = or_(is_own, _views.shared_with != NOBODY_ELSE)
    same_name = func.lower(_views.name) == func.lower(change["name"])
    statement = select(_views.id).where(_views.type == change["type"], same_name, is_own)
    with read_connection() as connection:
        taken = connection.execute(statement.where(_views.id != (change.id or 0))).first()
    if taken is not None:
        words = Message(
            "This list already has a view called “%(name)s”. Choose another name.",
            name=change["name"],
        )
        raise Conflict(words, code="duplicate", details=[detail("name", "duplicate", words)])


def opened_list(actor: Actor, view: dict[str, Any]) -> tuple[str, list[tuple[str, str]]] | None:
    """Return the list of a view, with the view applied.

    Administrators see the private views of others only in the list of views.
    """
    is_own = view["owner"]["id"] == actor.user_id
    if view["type"] not in REGISTRY or not (is_own or view["shared_with"] != NOBODY_ELSE):
        return None
    return view["type"], [(VIEW, view["slug"])]


SAVED_VIEWS = Record(
    SavedView,
    path="saved_views",
    fields=[
        Shown("id", sort=True, filter=True),
        Editable("name", search=True, sort=True, filter=True, example="My drafts"),
        Fixed("type", sort=True, filter=True, label="List", example="posts", help="The list it belongs to, such as posts."),
        Editable(
            "slug", filter=True, default_from=slug_from("name"),
            help="Appears in the address: /admin/posts/?view=my-drafts.",
        ),
        Editable(
            "parameters",
            help="Filters, search and order, as they appear in the address of a list: status=draft&sort=-title.",
        ),
        Editable("columns", help="Field names, in order. Leave empty for the default columns."),
        Editable(
            "shared_with", sort=True, filter=True, write_rule=role("moderator"),
            help="Who else can use it: everyone with this role or a higher one.",
        ),
        Shown("owner", filter=("id", "username"), default_from=actor_id),
        Shown("created_at", sort=True, filter=True),
        Shown("updated_at", sort=True, filter=True),
        Shown("version"),
    ],
    access=Access(read=READ, create=role("author"), update=WRITE, delete=WRITE, panel=READ),
    before_save=before_save,
    key="slug",
    reference_fields=("id", "name", "slug"),
    title_field="name",
    list_link=ListLink(Message("Open this view"), opened_list),
    order=("name",),
    section="System",
    api_key_access="",
    exported=False,
)  # fmt: skip
