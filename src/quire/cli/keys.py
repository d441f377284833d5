"""`manage.py keys`: API keys of any user, for programs on the server."""

import json
from datetime import timedelta
from typing import Any

import click

from quire.actor import SYSTEM
from quire.cli.context import with_database
from quire.cli.users import find_user
from quire.config.validation import StartupError
from quire.declare.clock import now, rfc3339
from quire.declare.query import Query
from quire.declare.query_conditions import Condition
from quire.errors import NotFound
from quire.records import API_KEYS
from quire.records.api_keys import CONTENT_SCOPE
from quire.store import read
from quire.store.write import create, delete

LISTED_COLUMNS = (
    "id",
    "name",
    "prefix",
    "scopes",
    "networks",
    "expires_at",
    "last_used_at",
    "owner",
)
LIMIT = 10_000


@click.group()
def keys() -> None:
    """Create, list and revoke API keys."""


@keys.command("create")
@click.argument("username")
@click.argument("name", required=False)
@click.option(
    "--scope", "scopes", multiple=True, help="A scope such as posts:read. Repeat for more."
)
@click.option(
    "--content",
    is_flag=True,
    help="A key for the Ghost Content API, which opens public content and nothing else.",
)
@click.option(
    "--days", type=click.IntRange(1, 36500), help="Days until the key expires (default: never)."
)
@click.option(
    "--network",
    "networks",
    multiple=True,
    help="A network the key may be used from. Repeat for more.",
)
@with_database
def create_key(
    username: str,
    name: str | None,
    scopes: tuple[str, ...],
    content: bool,
    days: int | None,
    networks: tuple[str, ...],
) -> None:
    """Create an API key for USERNAME and print it once. NAME is optional with --content."""
    if content == bool(scopes):
        raise click.UsageError("Give either --scope or --content.")
    if name is None and not content:
        raise click.UsageError("Missing argument 'NAME'.")
    raw: dict[str, Any] = {
        "owner": find_user(username),
        "name": name or "Content API",
        "scopes": [CONTENT_SCOPE] if content else list(scopes),
    }
    raw["networks"] = list(networks)
    if days:
        moment = now()
        raw["created_at"] = rfc3339(moment)
        raw["expires_at"] = rfc3339(moment + timedelta(days=days))
    click.echo(create(API_KEYS, SYSTEM, raw).revealed["key"])


@keys.command("list")
@click.argument("username", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@with_database
def list_keys(username: str | None, as_json: bool) -> None:
    """List all keys, or those of USERNAME; their secrets are never stored."""
    of = (Condition("owner", "eq", (find_user(username),)),) if username else ()
    rows = read.list_records(API_KEYS, SYSTEM, Query(conditions=of, page=1, per_page=LIMIT)).rows
    if as_json:
        click.echo(
            json.dumps([{name: row[name] for name in LISTED_COLUMNS} for row in rows], indent=2)
        )
        return
    for row in rows:
        last_use = row["last_used_at"] or "never used"
        what = f"{row['name']} ({', '.join(row['scopes'])})"
        click.echo(
            f"{row['id']:>5}  {row['prefix']}…  {row['owner']['username']:<20}  {last_use:<20}  {what}"
        )


@keys.command("revoke")
@click.argument("id", type=click.IntRange(1))
@with_database
def revoke_key(id: int) -> None:
    """Delete the key with this ID, which becomes invalid immediately."""
    try:
        delete(API_KEYS, SYSTEM, id)
    except NotFound:
        raise StartupError(
            f"There is no API key {id}. `manage.py keys list` shows all keys."
        ) from None
