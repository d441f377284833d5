"""The page on which readers choose how this site looks to them."""

from flask import request
from werkzeug.wrappers import Response as AnyResponse

from quire.site.looks import show
from quire.site.paths import local_path
from quire.site.preferences import CHOICES, chosen, preferences, remember


def display() -> AnyResponse:
    """The form, and what it asks for: a GET, since nothing changes here but a cookie there."""
    wanted = chosen()
    if wanted:
        return remember(wanted)
    back = local_path(request.args.get("next")) or "/"
    return show("display.html", choices=CHOICES, held=preferences(), back=back)
