"""The page where readers choose theme, text size and language."""

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from quire.site.page import render_page
from quire.site.paths import local_path
from quire.site.preferences import CHOICES, LABELS, preferences, remember, requested_preferences


def display() -> AnyResponse:
    """The form, and its submission: a GET, since only a cookie changes."""
    choices = requested_preferences()
    if choices:
        return remember(choices)
    back = local_path(request.args.get("next")) or "/"
    return render_page(
        "display.html", choices=CHOICES, labels=LABELS, chosen=preferences(), back=back
    )
