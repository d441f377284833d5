"""A form submitted after its session had ended: kept through the sign-in, then offered again.

What was typed is in a hidden field of the sign-in forms, signed so that nobody can submit text in another person's
name. The server stores nothing; passwords and files are never included.
"""

from dataclasses import dataclass, replace

from flask import Response, current_app, g, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer

from quire.auth import webauthn
from quire.auth.accounts import Account
from quire.auth.csrf import has_signed_csrf_token
from quire.site.forms import LoginForm
from quire.site.page import PageContext, page_context, render_page
from quire.site.paths import here, referring_path

FIELD = "pending_form"
SECONDS = 3600
EXCLUDED = ("csrf_token", "confirm", "otp", "credential", FIELD)


@dataclass(frozen=True)
class PendingForm:
    """A form that was submitted too late: its path, the page it was on, and its fields."""

    path: str
    back: str
    fields: list[tuple[str, str]]

    @property
    def shown_fields(self) -> list[tuple[str, str]]:
        """The fields to show before it is submitted again: those that are not empty, with labels."""
        return [
            (name.strip("_").replace("_", " ").capitalize(), text)
            for name, text in self.fields
            if text.strip() and name not in ("version", "url") and not name.startswith("_")
        ]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt=FIELD)


def _pack(back: str) -> str:
    """Return the fields of this request, signed; empty if they are too large."""
    fields = [
        (name, text)
        for name, text in request.form.items(multi=True)
        if "password" not in name and name not in EXCLUDED
    ]
    packed = str(_signer().dumps([here(), back, fields]))
    # it has to fit into the body of the sign-in with everything else
    return packed if len(packed) < current_app.config["MAX_CONTENT_LENGTH"] // 2 else ""


def pending_form() -> PendingForm | None:
    """The form that waits for this sign-in; None if there is none, or after an hour."""
    try:
        path, back, fields = _signer().loads(request.form.get(FIELD, ""), max_age=SECONDS)
    except BadData:
        return None
    return PendingForm(path, back, [(name, text) for name, text in fields])


def pending_form_token() -> str:
    """The signed form for the hidden field of the sign-in forms; empty if there is none."""
    if FIELD not in g:
        g.pending_form = request.form[FIELD] if pending_form() else ""
    return str(g.pending_form)


def is_expired_form(status: int) -> bool:
    """Whether this error was caused by one of our forms, submitted after its session had ended."""
    return status == 401 and request.method == "POST" and has_signed_csrf_token()


def login_page(around: PageContext) -> Response:
    """The sign-in page instead of the submitted page, keeping everything that was typed."""
    back = referring_path() or url_for("site.home")
    g.pending_form = _pack(back)
    return redirect_to_login(back, around)


def redirect_to_login(back: str | None, around: PageContext | None = None) -> Response:
    """The sign-in page with the pending form, if any; otherwise signing in leads to `back`."""
    return render_page(
        "login.html", 401, frame=around or page_context(), form=LoginForm(formdata=None), session_expired=True,
        passkeys=webauthn.relying_party(), action=url_for("site.login", next=back),
    )  # fmt: skip


def offer_resubmission(owner: Account, form: PendingForm) -> Response:
    """After the sign-in, show the form again, to be submitted with a button."""
    renew_csrf_token()
    around = replace(page_context(), actor=owner.actor("session"))
    return render_page("resubmit.html", frame=around, pending=form)


def renew_csrf_token() -> None:
    """Issue a CSRF token for the new session."""
    g.pop("csrf_token", None)
