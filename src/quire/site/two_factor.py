"""Two factors, for oneself: an app that shows codes, recovery codes, and the end of both."""

from importlib import import_module
from typing import Any

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from quire.access import passwords, recovery, sessions
from quire.access.sealed import seal, unseal
from quire.access.two_factor import app_address, is_on, new_seed, renew_codes, switch_off, switch_on
from quire.actor import Actor
from quire.declare.clock import now
from quire.errors import Invalid, detail
from quire.records import USERS
from quire.site.forms import tried
from quire.site.looks import show
from quire.site.profile import back, own
from quire.site.profile_forms import ProofForm
from quire.site.second_factor_forms import EnrolForm
from quire.store.site import site_settings


@own
def two_factor(actor: Actor) -> AnyResponse:
    """Whether codes are asked for; the way to switch that on."""
    if is_on(_id(actor)):
        return _state(actor, ProofForm(formdata=None))
    form = EnrolForm()
    if request.method != "POST":
        return _enrol(actor, form, new_seed())
    codes: list[str] = []
    seed = unseal(form.seed.data or "", _page_of(actor))
    status = tried(form, USERS, lambda: codes.extend(_switch_on(actor, form, seed)))
    if status is not None:
        return _enrol(actor, form, seed or new_seed(), status)
    return _codes(codes, is_new=True)


def _switch_on(actor: Actor, form: EnrolForm, seed: str | None) -> list[str]:
    if seed is None:
        raise Invalid([detail("seed", "not_allowed", "Scan the new code below and try again.")])
    passwords.confirm(actor, form.current_password.data or "")
    return switch_on(actor, seed, form.otp.data or "", now())


def _enrol(actor: Actor, form: EnrolForm, seed: str, status: int = 200) -> Response:
    address = app_address(seed, actor.username or "", site_settings()["site_name"])
    form.seed.data = seal(seed, _page_of(actor))
    picture = (
        import_module("segno").make(address, micro=False).svg_data_uri(dark="#000", light="#fff")
    )
    groups = [seed[i : i + 4] for i in range(0, len(seed), 4)]
    return _page(
        "enrol.html", status, form=form, address=address, picture=picture, seed=" ".join(groups)
    )


def _state(actor: Actor, form: ProofForm, status: int = 200) -> Response:
    return _page("two_factor.html", status, form=form, left=recovery.left(_id(actor)))


def _page(template: str, status: int, **shown: Any) -> Response:
    user = sessions.present()
    held_back = user is not None and user.account.is_held_back
    return show(template, status, held_back=held_back, **shown)


def _codes(codes: list[str], is_new: bool) -> Response:
    return show("recovery_codes.html", codes=codes, is_new=is_new)


@own
def new_codes(actor: Actor) -> AnyResponse:
    """New recovery codes, shown this once."""
    form, codes = ProofForm(), []

    def renew() -> None:
        passwords.confirm(actor, form.current_password.data or "")
        codes.extend(renew_codes(actor))

    status = tried(form, USERS, renew)
    return _codes(codes, is_new=False) if status is None else _state(actor, form, status)


@own
def end_codes(actor: Actor) -> AnyResponse:
    """Ask for no codes any more."""
    form = ProofForm()

    def end() -> None:
        passwords.confirm(actor, form.current_password.data or "")
        switch_off(actor)

    status = tried(form, USERS, end)
    if status is not None:
        return _state(actor, form, status)
    return back("two_factor", "Codes from an app are switched off; your password is enough now.")


def _id(actor: Actor) -> int:
    assert actor.user_id is not None
    return actor.user_id


def _page_of(actor: Actor) -> str:
    """What a secret on its way through the page is bound to: nobody sends another's."""
    return f"enrolment of user {actor.user_id}"
