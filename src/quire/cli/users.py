"""`manage.py users`: manages accounts, even if nobody can sign in."""

import json
import sys
from secrets import token_hex
from typing import Any

import click
from flask import current_app
from sqlalchemy import select

from quire.actor import ROLES, SYSTEM
from quire.auth import registration, totp
from quire.cli.context import with_database
from quire.config.validation import StartupError
from quire.declare.clock import rfc3339
from quire.declare.email_address import normalize_address
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.jobs.mail.account_mail import invitation
from quire.jobs.mail.smtp import deliver
from quire.records import COMMENTS, POSTS, SESSIONS, USERS
from quire.records.accounts.revocation import end_sessions
from quire.security.login_throttle import reset
from quire.store import read
from quire.store.audit import record_event
from quire.store.db import read_connection, transaction
from quire.store.write import create, delete, update
from quire.translations.languages import LANGUAGES

_users = USERS.table
LISTED_COLUMNS = ("id", "username", "email", "role", "is_active", "created_at", "last_login_at")
ROLE = click.Choice(ROLES)

password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group()
def users() -> None:
    """Manage user accounts."""


@users.command("create")
@click.argument("username")
@click.argument("email")
@click.option("--role", type=ROLE, default="member", show_default=True)
@password_option
@with_database
def create_user(username: str, email: str, role: str, password_stdin: bool) -> None:
    """Create a user and print their id."""
    raw = {"username": username, "email": email, "role": role}
    saved = create(USERS, SYSTEM, {**raw, "password": prompt_password(password_stdin)})
    click.echo(saved.id)


@users.command("invite")
@click.argument("email")
@click.option("--role", type=ROLE, default="member", show_default=True)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Language of the email, by default that of the site.",
)
@with_database
def invite(email: str, role: str, language: str | None) -> None:
    """Email an invitation to create an account, and print its link."""
    path = f"/auth/register?invite={registration.invite(email, role, SYSTEM)}"
    mail = invitation(email, role, path, language or "")
    try:
        deliver(mail, token_hex(8))
    except OSError as error:
        click.echo(f"The email could not be sent ({error}). Send them the link yourself.", err=True)
    click.echo(mail.words["url"])


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
@click.option("--keep-keys", is_flag=True, help="Keep the user's API keys.")
@click.option(
    "--remove-second-factors",
    is_flag=True,
    help="Also remove passkeys and two-factor authentication.",
)
@with_database
def set_password(
    username: str, password_stdin: bool, keep_keys: bool, remove_second_factors: bool
) -> None:
    """Set a user's password; end their sessions, tokens and API keys, and print which."""
    choices = {"keep_keys": keep_keys, "remove_second_factors": remove_second_factors}
    update_user(username, password=prompt_password(password_stdin), **choices)


@users.command("set-role")
@click.argument("username")
@click.argument("role", type=ROLE)
@with_database
def set_role(username: str, role: str) -> None:
    """Change a user's role."""
    update_user(username, role=role)


@users.command()
@click.argument("username")
@with_database
def activate(username: str) -> None:
    """Reactivate a user."""
    update_user(username, is_active=True)


@users.command()
@click.argument("username")
@with_database
def deactivate(username: str) -> None:
    """Deactivate a user, effective with the next request."""
    update_user(username, is_active=False)


@users.command()
@click.argument("username")
@with_database
def unlock(username: str) -> None:
    """Reset a user's failed sign-in attempts."""
    id = find_user(username)
    with read_connection() as connection:
        email = connection.execute(select(_users.c.email).where(_users.c.id == id)).scalar()
    reset(email or "", str(id))
    record_event(SYSTEM, "unlock", "users", id)
    if current_app.config["REDIS_URL"]:
        click.echo(f"Failed sign-in attempts of {username} have been reset.")
    else:
        click.echo(
            "Without REDIS_URL, failed attempts are counted in the server process: they "
            "delay the next attempt by a minute at most, and a restart resets them."
        )


@users.command("sessions")
@click.argument("username")
@click.option("--end", is_flag=True, help="End all sessions.")
@with_database
def list_sessions(username: str, end: bool) -> None:
    """List a user's sessions, or end them all."""
    id = find_user(username)
    if end:
        end_sessions(id)
        record_event(SYSTEM, "end_sessions", "users", id)
        return
    of = (Condition("user", "eq", (id,)),)
    for row in read.list_records(SESSIONS, SYSTEM, Query(conditions=of, sort=("-id",))).rows:
        where = f"{row['ip'] or '-':<39}  {row['agent'] or '-'}"
        click.echo(f"{row['id']:>5}  {row['kind']:<7}  {row['last_seen_at']}  {where}")


@users.command("reset-two-factor")
@click.argument("username")
@with_database
def reset_two_factor(username: str) -> None:
    """Remove a user's authenticator app, recovery codes and passkeys, and end all sessions."""
    id = find_user(username)
    with transaction():
        totp.reset(SYSTEM, id)
        end_sessions(id)


@users.command("delete")
@click.argument("username")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--reassign", metavar="USERNAME", help="User who takes over the posts and comments.")
@with_database
def delete_user(username: str, yes: bool, reassign: str | None) -> None:
    """Delete a user and reassign their content."""
    id = find_user(username)
    owned = _owned_content(id)
    if owned and not reassign:
        raise StartupError(
            f"{username} has {len(owned)} posts and comments. Name the user who takes them "
            "over with --reassign."
        )
    heir = find_user(reassign) if reassign else id
    if owned and heir == id:
        raise StartupError(f"{username} cannot take over their own content. Name another user.")
    if not yes:
        click.confirm(f"Delete {username}?", abort=True)
    with transaction():
        for record, one in owned:
            update(record, SYSTEM, one, {"author": heir})
        delete(USERS, SYSTEM, id)


def update_user(username: str, **values: Any) -> None:
    """Update one user. Raises StartupError if the user does not exist or the change is refused."""
    for notice in update(USERS, SYSTEM, find_user(username), values).notices:
        click.echo(notice)


def find_user(username: str) -> int:
    """Return the id of a user by username or email address, ignoring case. Raises StartupError."""
    ways = (
        _users.c.username_folded == username.strip(),
        _users.c.email == normalize_address(username),
    )
    with read_connection() as connection:
        for way in ways:
            id = connection.execute(select(_users.c.id).where(way)).scalar()
            if id is not None:
                return int(id)
    raise StartupError(f"There is no user {username}.")


def prompt_password(from_stdin: bool) -> str:
    """Read a password from the first line of standard input, or from a prompt that asks twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return click.prompt("Password", hide_input=True, confirmation_prompt=True)


def _rows() -> list[dict[str, Any]]:
    columns = [_users.c[name] for name in LISTED_COLUMNS]
    with read_connection() as connection:
        rows = connection.execute(select(*columns).order_by(_users.c.id)).mappings().all()
    return [
        {**row, **{name: _time(row[name]) for name in LISTED_COLUMNS if name.endswith("_at")}}
        for row in rows
    ]


def _time(value: Any) -> str | None:
    return None if value is None else rfc3339(value)


def _owned_content(id: int) -> list[tuple[Any, int]]:
    with read_connection() as connection:
        return [
            (record, one)
            for record in (POSTS, COMMENTS)
            for one in connection.execute(
                select(record.table.c.id).where(record.table.c.author_id == id)
            ).scalars()
        ]
