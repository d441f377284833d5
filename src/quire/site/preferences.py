"""A reader's preferences, theme, text size and language: chosen without a script, stored in a cookie."""

from urllib.parse import parse_qsl, urlencode

from flask import Response, current_app, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.site.paths import local_path, referring_path
from quire.translations.languages import LANGUAGES
from quire.translations.messages import Message

COOKIE = "user_prefs"
"""The name of the cookie, whose value is for example `theme=dark&text=large`."""
CHOICES = {
    "theme": ("auto", "light", "dark"),
    "text": ("normal", "small", "large", "larger"),
    "language": ("auto", *LANGUAGES),
}
"""The choices by name, the default first."""
LABELS = {
    "auto": Message("Auto"),
    "light": Message("Light"),
    "dark": Message("Dark"),
    "normal": Message("Normal"),
    "small": Message("Small"),
    "large": Message("Large"),
    "larger": Message("Larger"),
}
"""The labels of themes and text sizes."""
YEAR = 31_536_000


def preferences() -> dict[str, str]:
    """The preferences of this reader, with defaults for missing or invalid ones."""
    stored = dict(parse_qsl(request.cookies.get(COOKIE, "")[:500]))
    return {name: _valid(name, stored.get(name)) for name in CHOICES}


def chosen_language() -> str:
    """The language that this reader has chosen, or `auto` for the browser's."""
    return preferences()["language"]


def _valid(name: str, value: str | None) -> str:
    return value if value in CHOICES[name] else CHOICES[name][0]


def requested_preferences() -> dict[str, str]:
    """The preferences in the URL of this request."""
    choices = {name: request.args.get(name, "") for name in CHOICES}
    return {name: value for name, value in choices.items() if value in CHOICES[name]}


def theme(theme: str) -> AnyResponse:
    """Save the theme and go back."""
    return remember({"theme": theme})


def remember(choices: dict[str, str]) -> AnyResponse:
    """Save these choices in the cookie with the other ones, and go back."""
    back = local_path(request.args.get("next")) or referring_path() or url_for("site.home")
    response: Response = redirect(back)  # type: ignore[assignment]
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    all_of_it = preferences() | choices
    stored = {name: all_of_it[name] for name in CHOICES if all_of_it[name] != CHOICES[name][0]}
    value = urlencode(stored | {"theme": all_of_it["theme"]})
    response.set_cookie(COOKIE, value, max_age=YEAR, secure=secure, httponly=True, samesite="Lax")
    response.headers["Cache-Control"] = "no-store"
    return response
