"""`manage.py users`: accounts, for when nobody can sign in to do it."""

import json
import sys
from secrets import token_hex
from typing import Any

import click
from flask import current_app
from sqlalchemy import func, select

from quire.access import joining, two_factor
from quire.actor import ROLES, SYSTEM
from quire.commands import with_database
from quire.declare.clock import rfc3339
from quire.declare.query import Condition, Query
from quire.jobs.delivery import deliver
from quire.jobs.writing import invitation
from quire.records import COMMENTS, POSTS, SESSIONS, USERS
from quire.safety import Unfit
from quire.store import read
from quire.store.attempts import forgive
from quire.store.audit import note
from quire.store.credentials import end_sessions
from quire.store.db import reading, transaction
from quire.store.write import create, delete, update

_users = USERS.table
SHOWN = ("id", "username", "email", "role", "is_active", "created_at", "last_login_at")
ROLE = click.Choice(ROLES)

password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group()
def users() -> None:
    """Look after the people who may sign in."""


@users.command("create")
@click.argument("username")
@click.argument("email")
@click.option("--role", type=ROLE, default="member", show_default=True)
@password_option
@with_database
def create_user(username: str, email: str, role: str, password_stdin: bool) -> None:
    """Create a user and print the id."""
    raw = {"username": username, "email": email, "role": role}
    saved = create(USERS, SYSTEM, {**raw, "password": asked(password_stdin)})
    click.echo(saved.id)


@users.command("invite")
@click.argument("email")
@click.option("--role", type=ROLE, default="member", show_default=True)
@with_database
def invite(email: str, role: str) -> None:
    """Mail somebody a link to make an account, and print it."""
    letter = invitation(email, role, f"/auth/register?invite={joining.invite(email, role, SYSTEM)}")
    try:
        deliver(letter, token_hex(8))
    except OSError as error:
        click.echo(f"The mail was not sent ({error}); hand on the link yourself.", err=True)
    click.echo(letter.words["url"])


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_database
def list_users(as_json: bool) -> None:
    """List all users."""
    people = [dict(row) for row in _rows()]
    if as_json:
        click.echo(json.dumps(people, indent=2))
        return
    for one in people:
        state = "" if one["is_active"] else " (inactive)"
        click.echo(
            f"{one['id']:>5}  {one['username']:<20}  {one['role']:<9}  {one['email'] or '-'}{state}"
        )


@users.command("set-password")
@click.argument("username")
@password_option
@with_database
def set_password(username: str, password_stdin: bool) -> None:
    """Give a user another password."""
    change(username, password=asked(password_stdin))


@users.command("set-role")
@click.argument("username")
@click.argument("role", type=ROLE)
@with_database
def set_role(username: str, role: str) -> None:
    """Give a user another role."""
    change(username, role=role)


@users.command()
@click.argument("username")
@with_database
def activate(username: str) -> None:
    """Let a user sign in again."""
    change(username, is_active=True)


@users.command()
@click.argument("username")
@with_database
def deactivate(username: str) -> None:
    """Keep a user out, from the next request on."""
    change(username, is_active=False)


@users.command()
@click.argument("username")
@with_database
def unlock(username: str) -> None:
    """Let a user try to sign in again at once, from everywhere."""
    id = found(username)
    with reading() as connection:
        email = connection.execute(select(_users.c.email).where(_users.c.id == id)).scalar()
    forgive(email or "", str(id))
    note(SYSTEM, "unlock", "users", id)
    if current_app.config["REDIS_URL"]:
        click.echo(f"Failed attempts of {username} are forgotten.")
    else:
        click.echo(
            "Failed attempts are counted in the server itself, where REDIS_URL is empty: the last "
            "of them delays the next attempt by a minute at most, a restart forgets all."
        )


@users.command("sessions")
@click.argument("username")
@click.option("--end", is_flag=True, help="End all of them.")
@with_database
def list_sessions(username: str, end: bool) -> None:
    """List where a user is signed in, or end all of it."""
    id = found(username)
    if end:
        end_sessions(id)
        note(SYSTEM, "end_sessions", "users", id)
        return
    of = (Condition("user", "eq", (id,)),)
    for row in read.page(SESSIONS, SYSTEM, Query(conditions=of, page=1)).rows:
        where = f"{row['ip'] or '-':<39}  {row['agent'] or '-'}"
        click.echo(f"{row['id']:>5}  {row['kind']:<7}  {row['last_seen_at']}  {where}")


@users.command("reset-two-factor")
@click.argument("username")
@with_database
def reset_two_factor(username: str) -> None:
    """Remove a user's app, recovery codes and passkeys, and end all sessions."""
    id = found(username)
    with transaction():
        two_factor.remove_all(SYSTEM, id)
        end_sessions(id)


@users.command("delete")
@click.argument("username")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--reassign", metavar="USERNAME", help="Who gets the posts and comments.")
@with_database
def delete_user(username: str, yes: bool, reassign: str | None) -> None:
    """Delete a user; content goes to another one."""
    id = found(username)
    owned = _owned(id)
    if owned and not reassign:
        raise Unfit(
            f"{username} has {len(owned)} posts and comments; say who gets them: --reassign."
        )
    heir = found(reassign) if reassign else id
    if not yes:
        click.confirm(f"Delete {username}?", abort=True)
    with transaction():
        for record, one in owned:
            update(record, SYSTEM, one, {"author": heir})
        delete(USERS, SYSTEM, id)


def change(username: str, **values: Any) -> None:
    """Update one user. Raises Unfit when there is none, or what the store refuses."""
    update(USERS, SYSTEM, found(username), values)


def found(username: str) -> int:
    """The id of a user, by name or e-mail address, whatever the case. Raises Unfit."""
    names = func.lower(_users.c.username), func.lower(_users.c.email)
    with reading() as connection:
        for name in names:
            id = connection.execute(select(_users.c.id).where(name == username.lower())).scalar()
            if id is not None:
                return int(id)
    raise Unfit(f"There is no user {username}.")


def asked(from_stdin: bool) -> str:
    """A password: the first line of standard input, or asked for twice on the console."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True)


def _rows() -> list[dict[str, Any]]:
    columns = [_users.c[name] for name in SHOWN]
    with reading() as connection:
        rows = connection.execute(select(*columns).order_by(_users.c.id)).mappings().all()
    return [
        {**row, **{name: _time(row[name]) for name in SHOWN if name.endswith("_at")}}
        for row in rows
    ]


def _time(value: Any) -> str | None:
    return None if value is None else rfc3339(value)


def _owned(id: int) -> list[tuple[Any, int]]:
    with reading() as connection:
        return [
            (record, one)
            for record in (POSTS, COMMENTS)
            for one in connection.execute(
                select(record.table.c.id).where(record.table.c.author_id == id)
            ).scalars()
        ]
