"""Generates docs/settings.md and .env.example from the settings."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from quire.config.pool_settings import PoolSettings
from quire.config.settings import ROOT, Settings
from quire.config.types import Duration

HEAD = """# Settings

Every setting is read from the process environment or from a file `.env` beside `serve.py`, under
the name it has here; the environment wins. `.env.example` is a file to start from. This page is
written by `python manage.py settings`; do not edit it.

| name | type | default | what it is for |
|---|---|---|---|
"""

FOOT = """
`QUIRE_ENV=testing` reads nothing from outside: an in-memory database, a fixed secret, no rate
limits, no CSRF checks, cheap password hashes.

In production, Quire does not start with a `SECRET_KEY` that is short, simple or a published
example, nor with debugging on; and it listens on other addresses than this machine's own only when
`PUBLIC_URL` and `TRUSTED_HOSTS` are set.
"""

EXAMPLE_HEAD = """# Copy this file to `.env` and remove the # before the settings you change.
# What each setting means: docs/settings.md. This file is written by `python manage.py settings`.
"""

TYPES = {
    str: "text", int: "whole number", float: "number", bool: "true or false", Path: "folder", Duration: "duration",
}  # fmt: skip
HINTS = get_type_hints(Settings, include_extras=True)
COMPUTED = {"QUIRE_ENV": "production", "QUIRE_INSTANCE": "instance"}


def settings_page() -> str:
    """Return the text of docs/settings.md."""
    return HEAD + "".join(_row(name, Settings.model_fields[name]) for name in names()) + FOOT


def env_example() -> str:
    """Return the text of .env.example."""
    rows = (f"# {name}={_default(name)}\n" for name in names())
    return EXAMPLE_HEAD + "\n" + "".join(rows)


def names() -> list[str]:
    """Return all settings in the order of their declaration; those of the pool come after the database."""
    every = [name for name in Settings.model_fields if name not in PoolSettings.model_fields]
    place = every.index("DATABASE_URL") + 1
    return [*every[:place], *PoolSettings.model_fields, *every[place:]]


def write() -> list[Path]:
    """Write both files; return their paths."""
    texts = {ROOT / "docs" / "settings.md": settings_page(), ROOT / ".env.example": env_example()}
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _row(name: str, field: FieldInfo) -> str:
    default = _default(name)
    default_text = f"`{default}`" if default else ""
    return (
        f"| `{name}` | {_type(name, field.annotation)} | {default_text} | {field.description} |\n"
    )


def _type(name: str, annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(get_args(annotation))
    return TYPES.get(HINTS[name]) or TYPES.get(annotation, "list")


def _default(name: str) -> str:
    value = COMPUTED.get(name, Settings.model_fields[name].default)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in ("", []) else str(value)
