"""Redirects the old path of a record when its slug changes, never through several redirects."""

from sqlalchemy import select

from quire.actor import Actor
from quire.declare.change import Change
from quire.declare.record import REGISTRY
from quire.store.db import transaction
from quire.store.transactions.advisory_locks import advisory_lock
from quire.store.write import create, delete, update


def redirect_old_slug(change: Change) -> None:
    """Redirect the old URL of a record's page to the new one when its slug changes."""
    old = change.before("slug")
    if old and change.changes("slug"):
        paths = [
            (change.record.public_path or "").format(slug=slug) for slug in (old, change["slug"])
        ]
        change.after_save(lambda state: add_redirect(change.actor.as_system(), *paths))


def add_redirect(actor: Actor, old: str, new: str) -> None:
    """Redirect `old`, and all paths that led to it, to `new`, and delete the redirect of `new`."""
    redirects = REGISTRY["redirects"]
    table = redirects.table.c
    with transaction() as connection:
        advisory_lock("redirects")
        statement = select(table.id, table.path).where(
            table.path.in_([old, new]) | (table.target == old)
        )
        rows = connection.execute(statement).all()
        for id, path in sorted(
            rows, key=lambda row: row.path != new
        ):  # otherwise one of the others would lead back
            if path == new:
                delete(redirects, actor, id)
            else:
                update(redirects, actor, id, {"target": new})
        if not any(path == old for _, path in rows):
            create(redirects, actor, {"path": old, "target": new})
