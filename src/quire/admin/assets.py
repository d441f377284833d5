"""The styles and scripts of the panel; those used on all pages of a kind are bundled into one file."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request, url_for

STATIC = Path(__file__).parent / "static"
BUNDLES = {
    "panel.css": (
        "tokens.css", "layout.css", "panels.css", "list.css", "form.css", "details.css", "dashboard.css", "permissions.css",
        "small_screens.css", "print.css", "media.css", "editor.css",
    ),
    "panel.js": (
        "panel.js", "creation_dialog.js", "relation_picker.js", "inline_edit.js", "list.js", "palette.js",
        "keyboard_shortcuts.js", "unsent_forms.js", "media.js",
    ),
    "editor.js": (
        "editor.js", "toolbar.js", "media_picker.js", "image_upload.js", "media_fields.js", "preview.js", "slugs.js",
        "local_backup.js", "conflicts.js", "save_button.js", "autosave.js", "editor_actions.js", "seo_preview.js",
    ),
}  # fmt: skip
"""The content of each bundle, in this order: later scripts use what earlier ones define."""

TYPES = {".css": "text/css", ".js": "text/javascript"}


def _content(path: str) -> bytes:
    """The bytes of a file in `static`, or of a bundle in `static/bundles`."""
    folder, _, name = path.rpartition("/")
    if folder != "bundles":
        return (STATIC / path).read_bytes()
    return b"\n".join((STATIC / one).read_bytes() for one in BUNDLES[name])


@cache
def digest(name: str) -> str:
    """A short hash of an asset, part of its URL, so that it can be cached for a year."""
    return hashlib.sha256(_content(name)).hexdigest()[:12]


def asset(name: str) -> str:
    """The URL of a file of the panel, or of a bundle such as `bundles/panel.js`."""
    return url_for("admin.static", filename=name, v=digest(name))


def send_bundle(name: str) -> Response:
    """The bundle of this name."""
    path = f"bundles/{name}"
    response = Response(_content(path), mimetype=TYPES[Path(name).suffix])
    response.set_etag(digest(path))
    response.make_conditional(request)
    return response


def serve_bundles(blueprint: Blueprint) -> None:
    """Add the route of the bundles to `blueprint`, beside its static files."""
    names = ", ".join(f'"{name}"' for name in BUNDLES)
    blueprint.add_url_rule(f"/static/bundles/<any({names}):name>", "bundle", send_bundle)
