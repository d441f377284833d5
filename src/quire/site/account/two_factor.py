"""The user's two-factor authentication: authenticator app and recovery codes."""

from importlib import import_module
from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.auth import passwords, recovery_codes, sessions
from quire.auth.totp import (
    disable,
    enable,
    generate_secret,
    is_enabled,
    provisioning_uri,
    renew_codes,
)
from quire.declare.clock import now
from quire.errors import ValidationFailed, detail
from quire.records import USERS
from quire.records.site_settings import site_settings
from quire.security.encryption import seal, unseal
from quire.site.account.profile import login_required, redirect_with_message
from quire.site.account.profile_forms import ProofForm
from quire.site.account.second_factor_forms import EnrollmentForm
from quire.site.forms import Refusal, submit
from quire.site.page import render_page
from quire.web.language import gettext


@login_required
def two_factor(actor: Actor) -> AnyResponse:
    """Whether two-factor authentication is on, and the way to enable it."""
    if is_enabled(_id(actor)):
        return _overview_page(actor, ProofForm(formdata=None))
    form = EnrollmentForm()
    if request.method != "POST":
        return _enrollment_page(actor, form, generate_secret())
    seed = unseal(form.seed.data or "", _encryption_context(actor))
    codes = submit(form, USERS, lambda: _enable(actor, form, seed))
    if isinstance(codes, Refusal):
        return _enrollment_page(actor, form, seed or generate_secret(), codes.status)
    return _codes_page(codes, is_new=True)


def _enable(actor: Actor, form: EnrollmentForm, seed: str | None) -> list[str]:
    if seed is None:
        raise ValidationFailed(
            [
                detail(
                    "seed",
                    "not_allowed",
                    "The QR code has expired. Scan the new one below and try again.",
                )
            ]
        )
    passwords.require_current_password(actor, form.current_password.data or "")
    return enable(actor, seed, form.otp.data or "", now())


def _enrollment_page(actor: Actor, form: EnrollmentForm, seed: str, status: int = 200) -> Response:
    address = provisioning_uri(seed, actor.username or "", site_settings()["site_name"])
    form.seed.data = seal(seed, _encryption_context(actor))
    picture = (
        import_module("segno").make(address, micro=False).svg_data_uri(dark="#000", light="#fff")
    )
    groups = [seed[i : i + 4] for i in range(0, len(seed), 4)]
    return _page(
        "two_factor_setup.html",
        status,
        form=form,
        address=address,
        picture=picture,
        seed=" ".join(groups),
    )


def _overview_page(actor: Actor, form: ProofForm, status: int = 200) -> Response:
    return _page(
        "two_factor.html", status, form=form, unused_codes=recovery_codes.count_unused(_id(actor))
    )


def _page(template: str, status: int, **values: Any) -> Response:
    user = sessions.current()
    held_back = user is not None and user.account.needs_second_factor
    return render_page(template, status, held_back=held_back, **values)


def _codes_page(codes: list[str], is_new: bool) -> Response:
    return render_page("recovery_codes.html", codes=codes, is_new=is_new)


@login_required
def regenerate_codes(actor: Actor) -> AnyResponse:
    """New recovery codes, shown once."""
    form = ProofForm()

    def renew() -> list[str]:
        passwords.require_current_password(actor, form.current_password.data or "")
        return renew_codes(actor)

    codes = submit(form, USERS, renew)
    if isinstance(codes, Refusal):
        return _overview_page(actor, form, codes.status)
    return _codes_page(codes, is_new=False)


@login_required
def disable_two_factor(actor: Actor) -> AnyResponse:
    """Turn two-factor authentication off."""
    form = ProofForm()

    def end() -> None:
        passwords.require_current_password(actor, form.current_password.data or "")
        disable(actor)

    refusal = submit(form, USERS, end)
    if refusal:
        return _overview_page(actor, form, refusal.status)
    return redirect_with_message(
        "two_factor",
        gettext("Two-factor authentication is off. You now sign in with your password alone."),
    )


def _id(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def _encryption_context(actor: Actor) -> str:
    """Return the context that binds a secret in the page to its user."""
    return f"enrolment of user {actor.user_id}"
