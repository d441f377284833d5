"""Pictures that records show: what may stand there, and in which sizes it can be had."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from quire.declare.change import Change
from quire.declare.record import REGISTRY
from quire.store.db import reading


def check_picture(change: Change, name: str, *, own: bool = False) -> None:
    """Refuse as the field `name` what is no picture; with `own`, what is not that user's."""
    id = change.reference(name)
    if id is None or not change.gives(name) or change.bad:
        return
    media = REGISTRY["media"].table.c
    with reading() as connection:
        wanted = select(media.width, media.owner_id).where(media.id == id)
        row: Any = connection.execute(wanted).one()
    label = change.record.field(name).label
    if row.width is None:
        change.refuse(name, "not_allowed", f"{label} must be a picture.")
    elif own and row.owner_id != change.id and not change.actor.at_least("moderator"):
        change.refuse(name, "not_allowed", f"{label} must be a picture of one's own.")


def pictures_of(small: Iterable[dict[str, Any] | None]) -> dict[int, dict[str, Any]]:
    """What pages need to show pictures well, by id: sizes, variants, the point that matters."""
    ids = {one["id"] for one in small if one}
    if not ids:
        return {}
    table = REGISTRY["media"].table
    names = ("id", "url", "alt", "width", "height", "variants", "focal_point")
    with reading() as connection:
        found = connection.execute(select(*(table.c[n] for n in names)).where(table.c.id.in_(ids)))
        return {row["id"]: dict(row) for row in found.mappings()}


def picture_of(small: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same of one; None where there is none."""
    return next(iter(pictures_of([small]).values()), None)
