"""The second step of signing in: a code after the password, or a passkey instead of both."""

from functools import partial

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.access import ceremonies, half_way, recovery, signing_in
from quire.errors import Unproven
from quire.records import USERS
from quire.site.entrance import enter
from quire.site.forms import OPEN_TOO_LONG, insist_on_own_page, tried
from quire.site.looks import show
from quire.site.paths import local_path
from quire.site.resume import carried, forget_token, sign_in_again
from quire.site.second_factor_forms import PasskeySignInForm, SecondStepForm


def second_step() -> AnyResponse:
    """Ask who has shown his password for a code."""
    wanted = local_path(request.args.get("next"))
    found = half_way.present()
    if found is None:
        return _again(wanted)
    form = SecondStepForm()
    if request.method != "POST":
        return _ask(form)
    proofs: list[str] = []
    shown = partial(signing_in.second_step, found.owner, form.otp.data or "")
    status = tried(form, USERS, lambda: proofs.append(shown()))
    if status is not None:
        return _ask(form, status)
    entered = enter(found.owner, found.remember, wanted)
    if proofs == ["recovery_code"]:
        _warn(recovery.left(found.owner.id))
    return entered


def go_on(wanted: str | None) -> AnyResponse:
    """From the password to the second step; at once where a form is carried along."""
    if carried() is None:
        return redirect(url_for("site.second_step", next=wanted))
    forget_token()
    return _ask(SecondStepForm(formdata=None))


def _again(wanted: str | None) -> AnyResponse:
    if request.method == "POST" and carried() is not None:
        return sign_in_again(wanted)
    if request.method == "POST":
        flash("That took too long. Sign in again.")
    return redirect(url_for("site.login", next=wanted))


def _ask(form: SecondStepForm, status: int = 200) -> Response:
    return show("second_step.html", status, form=form, passkeys=ceremonies.place())


def _warn(left: int) -> None:
    codes = f"{left} recovery code{'' if left == 1 else 's'}" if left else "no recovery codes"
    flash(
        f"That code is used up. You have {codes} left; the page about two factors makes new ones."
    )


def passkey_question() -> AnyResponse:
    """What a script passes on to the browser, which lets somebody choose a passkey."""
    insist_on_own_page(OPEN_TOO_LONG)
    return Response(ceremonies.sign_in_options(), mimetype="application/json")


def sign_in_by_passkey() -> AnyResponse:
    """Sign in by what the passkey has answered."""
    insist_on_own_page(OPEN_TOO_LONG)
    form = PasskeySignInForm()
    wanted = local_path(request.args.get("next"))
    try:
        found = signing_in.by_passkey(form.credential.data or "")
    except Unproven as problem:
        flash(problem.message)
        return redirect(url_for("site.login", next=wanted))
    return enter(found, form.remember.data, wanted)
