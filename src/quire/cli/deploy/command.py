"""`manage.py deploy`: writes files that run this installation as a service or behind a proxy."""

from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from quire.cli.deploy.installation import Installation, this_installation
from quire.cli.deploy.render import KINDS, render
from quire.config.validation import StartupError

PROXIES = ("nginx", "iis", "haproxy")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to (default: deploy/ in the instance folder).",
)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--certificate", help="Certificate chain (PEM) for HTTPS, for nginx and haproxy.")
@click.option("--key", help="The certificate's private key, for nginx.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@with_appcontext
def deploy(kind: str, out: Path | None, force: bool, **options: Any) -> None:
    """Write the files for KIND with the paths and settings of this installation, without secrets."""
    if (options["certificate"] is None) != (options["key"] is None) and kind == "nginx":
        raise click.UsageError("Give --certificate and --key together.")
    folder = out or Path(current_app.config["QUIRE_INSTANCE"]) / "deploy"
    installation = this_installation(current_app.config, folder=str(folder.absolute()), **options)
    files = {folder / name: text for name, text in render(kind, installation).items()}
    if not force:
        _refuse_others(files)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8", newline="\n")
        click.echo(path)
    for hint in hints(kind, installation):
        click.echo(hint, err=True)


def _refuse_others(files: dict[Path, str]) -> None:
    """Raise StartupError if a file exists with different content."""
    existing = [
        str(path)
        for path, text in files.items()
        if path.exists() and path.read_text(encoding="utf-8") != text
    ]
    if existing:
        raise StartupError(f"{', '.join(existing)} exists. Use --force to replace it.")


def hints(kind: str, installation: Installation) -> list[str]:
    """Return what else has to be configured for the files to work."""
    config = current_app.config
    words = []
    if not config["PUBLIC_URL"] and kind != "systemd":
        words.append(f"PUBLIC_URL is not set; the files say {installation.public_url}.")
    if kind in PROXIES and not config["TRUSTED_PROXY"]:
        words.append(f"Set TRUSTED_PROXY=127.0.0.1 in .env, so that {kind} is believed who asks.")
    if kind == "gunicorn":
        words.append("Install gunicorn into the same environment: pip install gunicorn")
    return words
