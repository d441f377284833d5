"""The second step of signing in: a code after the password, or a passkey instead of both."""

from functools import partial

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from quire.auth import login, pending_login, recovery_codes, sessions, webauthn
from quire.errors import Unauthenticated
from quire.records import USERS
from quire.site.account.after_login import finish_login
from quire.site.account.resubmit import pending_form, redirect_to_login, renew_csrf_token
from quire.site.account.second_factor_forms import PasskeyLoginForm, SecondStepForm
from quire.site.forms import OPEN_TOO_LONG, Refusal, require_own_page, submit
from quire.site.page import render_page
from quire.site.paths import local_path
from quire.web.language import gettext, ngettext, translate


def second_step() -> AnyResponse:
    """Ask for a code after the password."""
    target = local_path(request.args.get("next"))
    pending = pending_login.current()
    if pending is None:
        return _redirect_to_login(target)
    form = SecondStepForm()
    if request.method != "POST":
        return _second_step_page(form)
    begin = partial(sessions.log_in, remember=pending.remember)
    check = partial(login.check_second_factor, pending.owner, form.otp.data or "", begin)
    checked = submit(form, USERS, check)
    if isinstance(checked, Refusal):
        return _second_step_page(form, checked.status)
    entered = finish_login(pending.owner, target)
    if checked[0] == "recovery_code":
        _warn_about_codes(recovery_codes.count_unused(pending.owner.id))
    return entered


def continue_to_second_step(target: str | None) -> AnyResponse:
    """Continue to the second step; without a redirect if there is a pending form."""
    if pending_form() is None:
        return redirect(url_for("site.second_step", next=target))
    renew_csrf_token()
    return _second_step_page(SecondStepForm(formdata=None))


def _redirect_to_login(target: str | None) -> AnyResponse:
    if request.method == "POST" and pending_form() is not None:
        return redirect_to_login(target)
    if request.method == "POST":
        flash(gettext("You took too long to enter the code. Sign in again."))
    return redirect(url_for("site.login", next=target))


def _second_step_page(form: SecondStepForm, status: int = 200) -> Response:
    return render_page("second_step.html", status, form=form, passkeys=webauthn.relying_party())


def _warn_about_codes(remaining: int) -> None:
    if remaining:
        words = ngettext(
            "You used a recovery code and have %(num)s recovery code left.",
            "You used a recovery code and have %(num)s recovery codes left.",
            remaining,
        )
    else:
        words = gettext("You used a recovery code and have no recovery codes left.")
    flash(f"{words} {gettext('You can create new ones under Two-factor authentication.')}")


def passkey_login_options() -> AnyResponse:
    """Options for the script that lets the user choose a passkey."""
    require_own_page(OPEN_TOO_LONG)
    return Response(webauthn.authentication_options(), mimetype="application/json")


def login_with_passkey() -> AnyResponse:
    """Sign in with the assertion of a passkey."""
    require_own_page(OPEN_TOO_LONG)
    form = PasskeyLoginForm()
    target = local_path(request.args.get("next"))
    try:
        begin = partial(sessions.log_in, remember=form.remember.data)
        user = login.with_passkey(form.credential.data or "", begin)
    except Unauthenticated as problem:
        flash(translate(problem.message))
        return redirect(url_for("site.login", next=target))
    return finish_login(user.account, target)
