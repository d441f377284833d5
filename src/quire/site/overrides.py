"""Templates and static files of an installation, which override ours."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, current_app, request, send_from_directory, url_for
from jinja2 import FileSystemLoader, PrefixLoader, TemplateError, TemplateSyntaxError
from jinja2.loaders import ChoiceLoader

from quire.web.response_cache import hold_while

TEMPLATES_FOLDER = Path(__file__).parent / "templates"
ORIGINAL = "original"
"""The prefix of template names that selects ours, even if the installation overrides them."""
SHEET = "custom.css"
"""The style sheet that every page loads if it exists."""
YEAR = 31_536_000


def init_app(app: Flask) -> None:
    """Search the instance folder for templates first."""
    own = FileSystemLoader(_folder(app, "templates"))
    app.jinja_loader = ChoiceLoader(
        [own, PrefixLoader({ORIGINAL: FileSystemLoader(TEMPLATES_FOLDER)})]
    )
    app.jinja_env.globals["own_file"] = custom_file_url


def _folder(app: Flask, name: str) -> Path:
    return Path(app.config["QUIRE_INSTANCE"]) / name


def custom_file(filename: str) -> Response:
    """A file of the folder `static` in the instance folder."""
    folder = _folder(current_app, "static")
    response = send_from_directory(folder, filename)
    if request.args.get("v") and request.args["v"] == _mark(folder / filename):
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def custom_file_url(filename: str = SHEET) -> str | None:
    """The URL of such a file, which changes with the file; None if the file does not exist."""
    path = _folder(current_app, "static") / filename
    mark = _mark(path)
    hold_while(request.environ, lambda: _mark(path) == mark)
    return url_for("site.custom_file", filename=filename, v=mark) if mark else None


def _mark(path: Path) -> str | None:
    try:
        status = path.stat()
    except OSError:
        return None
    state = f"{status.st_mtime_ns} {status.st_size}"
    return hashlib.sha256(state.encode()).hexdigest()[:12]


def newest_template(app: Flask) -> datetime:
    """The last change of the installation's templates; 1970 if it has none."""
    files = (one for one in _folder(app, "templates").rglob("*") if one.is_file())
    return datetime.fromtimestamp(max((one.stat().st_mtime for one in files), default=0), UTC)


def broken_templates(app: Flask) -> list[str]:
    """Return the syntax errors in the installation's templates, one sentence each."""
    folder, broken = _folder(app, "templates"), []
    for name in FileSystemLoader(folder).list_templates():
        try:
            app.jinja_env.get_template(name)
        except (TemplateError, UnicodeDecodeError) as error:
            place = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
            broken.append(f"{folder / name}{place}: {error}")
    return broken
