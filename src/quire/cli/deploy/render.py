"""Fills in the templates of deployment files, quoting each value as its format requires."""

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from quire.cli.deploy.installation import Installation

FURTHER = {"compose": ("docker",)}
"""Kinds whose files are included."""
TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".jinja"
KINDS = (
    "systemd",
    "nginx",
    "iis",
    "windows-service",
    "docker",
    "compose",
    "haproxy",
    "gunicorn",
)


def render(kind: str, installation: Installation) -> dict[str, str]:
    """Return the names and contents of the files of a kind."""
    kinds = (kind, *FURTHER.get(kind, ()))
    environment = Environment(  # noqa: S701 - its formats are quoted by the filters below
        loader=FileSystemLoader([TEMPLATES / one for one in kinds]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        systemd=_systemd,
        systemd_program=_systemd_program,
        nginx=_quote,
        xml=_xml,
        json=json.dumps,
        python=repr,
        powershell=_powershell,
    )
    return {
        name.removesuffix(SUFFIX): environment.get_template(name).render(i=installation)
        for name in environment.list_templates()
    }


def _quote(text: str) -> str:
    """Quote for nginx and HAProxy."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _systemd_program(text: str) -> str:
    """Quote for systemd's programs and variables, where % is special."""
    return _quote(text.replace("%", "%%"))


def _systemd(text: str) -> str:
    """Quote for systemd's arguments, where $ is special too."""
    return _systemd_program(text.replace("$", "$$"))


def _xml(text: object) -> str:
    return str(escape(str(text)))


def _powershell(text: str) -> str:
    """Quote for PowerShell with single quotes, in which only these quotes are special."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
