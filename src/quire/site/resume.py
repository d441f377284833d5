"""A form that was sent when its session was over: carried through the sign-in, then sent again.

What was typed stands in a hidden field of the forms one signs in with, signed, so that nobody can
put words into somebody's mouth. Nothing of it is kept here; passwords and files never go along.
"""

from dataclasses import dataclass, replace

from flask import Response, current_app, g, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.access import ceremonies
from quire.access.accounts import Account
from quire.access.own_form import is_own_form
from quire.site.forms import SignInForm
from quire.site.looks import Frame, frame, show
from quire.site.paths import came_from, here

FIELD = "carried"
SECONDS = 3600
LEFT_OUT = ("csrf_token", "confirm", "otp", "credential", FIELD)


@dataclass(frozen=True)
class Carried:
    """Where a form was sent, the page that it stood on, and what was in it."""

    path: str
    back: str
    fields: list[tuple[str, str]]

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What is worth a look before it is sent: what is not empty, by names for people."""
        return [
            (name.strip("_").replace("_", " ").capitalize(), text)
            for name, text in self.fields
            if text.strip() and name not in ("version", "url") and not name.startswith("_")
        ]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=FIELD)


def _packed(back: str) -> str:
    """The fields of this request, signed; empty where that is too much."""
    sent = [
        (name, text)
        for name, text in request.form.items(multi=True)
        if "password" not in name and name not in LEFT_OUT
    ]
    packed = str(_signer().dumps([here(), back, sent]))
    # what is carried has to fit into the body of the sign-in, beside everything else
    return packed if len(packed) < current_app.config["MAX_CONTENT_LENGTH"] // 2 else ""


def carried() -> Carried | None:
    """What this sign-in carries along."""
    try:
        path, back, fields = _signer().loads(request.form.get(FIELD, ""), max_age=SECONDS)
    except BadData:
        return None
    return Carried(path, back, [(name, text) for name, text in fields])


def carried_text() -> str:
    """The same as it stands in the forms one signs in with, for their templates."""
    if FIELD not in g:
        g.carried = request.form[FIELD] if carried() else ""
    return str(g.carried)


def is_late(status: int) -> bool:
    """Whether a refusal is that of a form of ours, sent after the end of its session."""
    return status == 401 and request.method == "POST" and is_own_form()


def ask(around: Frame) -> Response:
    """The sign-in, in the place of what was sent and with all that was typed."""
    back = came_from() or url_for("site.home")
    g.carried = _packed(back)
    return sign_in_again(back, around)


def sign_in_again(back: str | None, around: Frame | None = None) -> Response:
    """The sign-in with what is carried; it leads on to `back` where that is nothing."""
    return show(
        "login.html", 401, frame=around or frame(), form=SignInForm(formdata=None), late=True,
        passkeys=ceremonies.place(), action=url_for("site.login", next=back),
    )  # fmt: skip


def offer(owner: Account, found: Carried) -> Response:
    """After the sign-in: the form once more, behind a button."""
    forget_token()
    around = replace(frame(), actor=owner.actor("session"))
    return show("resume.html", frame=around, found=found)


def forget_token() -> None:
    """Let the next form have a token of the session that has just begun."""
    g.pop("csrf_token", None)
