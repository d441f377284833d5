"""Checks the images that records refer to, and loads their sizes and variants."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from quire.declare.change import Change
from quire.declare.record import REGISTRY
from quire.store.db import read_connection
from quire.translations.messages import Message


def check_image(change: Change, name: str, *, own: bool = False) -> None:
    """Refuse anything but an image in the field `name`; with `own`, also images of other users."""
    id = change.reference(name)
    if id is None or not change.changes(name) or change.bad_fields:
        return
    media = REGISTRY["media"].table.c
    with read_connection() as connection:
        statement = select(media.width, media.owner_id).where(media.id == id)
        row: Any = connection.execute(statement).one()
    label = change.record.field(name).label
    if row.width is None:
        change.refuse(
            name, "not_allowed", Message("%(label)s must be an image.", label=Message(label))
        )
    elif own and row.owner_id != change.id and not change.actor.at_least("moderator"):
        change.refuse(
            name,
            "not_allowed",
            Message("%(label)s must be one of your own images.", label=Message(label)),
        )


def images_by_id(small: Iterable[dict[str, Any] | None]) -> dict[int, dict[str, Any]]:
    """Return what pages need to show images, by id: sizes, variants and the focal point."""
    ids = {one["id"] for one in small if one}
    if not ids:
        return {}
    table = REGISTRY["media"].table
    names = ("id", "url", "alt", "width", "height", "variants", "focal_point")
    with read_connection() as connection:
        rows = connection.execute(select(*(table.c[n] for n in names)).where(table.c.id.in_(ids)))
        return {row["id"]: dict(row) for row in rows.mappings()}


def image_of(small: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the same for one image, or None if there is none."""
    return next(iter(images_by_id([small]).values()), None)
