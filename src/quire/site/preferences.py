"""What a reader prefers, theme and size of text: chosen without a script, kept in a cookie."""

from urllib.parse import parse_qsl, urlencode

from flask import Response, current_app, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.site.paths import local_path, referring_path

COOKIE = "user_prefs"
"""The cookie, such as `theme=dark&text=large`."""
CHOICES = {"theme": ("auto", "light", "dark"), "text": ("normal", "small", "large", "larger")}
"""What can be chosen, by name, the default first."""
YEAR = 31_536_000


def preferences() -> dict[str, str]:
    """Each preference of this reader, as far as it is one that there is, else the default."""
    stored = dict(parse_qsl(request.cookies.get(COOKIE, "")[:500]))
    return {name: _valid(name, stored.get(name)) for name in CHOICES}


def _valid(name: str, value: str | None) -> str:
    return value if value in CHOICES[name] else CHOICES[name][0]


def requested_preferences() -> dict[str, str]:
    """What the address of this request asks for."""
    choices = {name: request.args.get(name, "") for name in CHOICES}
    return {name: value for name, value in choices.items() if value in CHOICES[name]}


def theme(theme: str) -> AnyResponse:
    """Remember the colours and go back."""
    return remember({"theme": theme})


def remember(choices: dict[str, str]) -> AnyResponse:
    """Keep what is chosen beside what was, and go back."""
    back = local_path(request.args.get("next")) or referring_path() or url_for("site.home")
    response: Response = redirect(back)  # type: ignore[assignment]
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    all_of_it = preferences() | choices
    stored = {name: all_of_it[name] for name in CHOICES if all_of_it[name] != CHOICES[name][0]}
    value = urlencode(stored | {"theme": all_of_it["theme"]})
    response.set_cookie(COOKIE, value, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")
    response.headers["Cache-Control"] = "no-store"
    return response
