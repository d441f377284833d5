"""Passkeys, for oneself: added with a script's help, named, removed."""

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from quire.access import ceremonies, passkeys, passwords
from quire.actor import Actor
from quire.records import USERS
from quire.site.forms import OPEN_TOO_LONG, insist_on_own_page, tried
from quire.site.looks import show
from quire.site.profile import back, own
from quire.site.profile_forms import ProofForm
from quire.site.second_factor_forms import PasskeyForm, PasskeyNameForm
from quire.store.site import site_settings


@own
def passkey_list(actor: Actor) -> AnyResponse:
    """The passkeys that somebody has, and a form for another one."""
    form = PasskeyForm()
    if request.method != "POST":
        return _list(actor, form)

    def add() -> None:
        ceremonies.add(actor, form.name.data or "", form.credential.data or "")

    status = tried(form, USERS, add)
    if status is not None:
        return _list(actor, form, status)
    return back("passkey_list", "The passkey is added. From now on it signs you in.")


def _list(actor: Actor, form: PasskeyForm, status: int = 200) -> Response:
    return show(
        "passkeys.html", status, form=form, keys=passkeys.of(actor),
        place=ceremonies.place(), by_name=ceremonies.by_name(),
    )  # fmt: skip


@own
def passkey_creation(actor: Actor) -> AnyResponse:
    """What a script passes on to the browser, which makes a passkey; for who knows the password."""
    insist_on_own_page(OPEN_TOO_LONG)
    form = PasskeyForm()
    passwords.confirm(actor, form.current_password.data or "")
    options = ceremonies.creation_options(actor, site_settings()["site_name"])
    return Response(options, mimetype="application/json")


@own
def passkey(actor: Actor, id: int) -> AnyResponse:
    """One passkey: another name, or its end."""
    form = PasskeyNameForm()
    if request.method != "POST":
        form.name.data = passkeys.one(actor, id)["name"]
        return _one(actor, id, form, ProofForm(formdata=None))
    status = tried(form, USERS, lambda: passkeys.rename(actor, id, form.name.data or ""))
    if status is not None:
        return _one(actor, id, form, ProofForm(formdata=None), status)
    return back("passkey_list", "Saved.")


@own
def remove_passkey(actor: Actor, id: int) -> AnyResponse:
    """Forget a passkey."""
    form = ProofForm()

    def remove() -> None:
        passwords.confirm(actor, form.current_password.data or "")
        passkeys.remove(actor, id)

    status = tried(form, USERS, remove)
    if status is not None:
        return _one(actor, id, PasskeyNameForm(formdata=None), form, status)
    return back("passkey_list", "The passkey is removed. It signs you in no more.")


def _one(
    actor: Actor, id: int, form: PasskeyNameForm, proof: ProofForm, status: int = 200
) -> Response:
    key = passkeys.one(actor, id)
    if form.name.data is None:
        form.name.data = key["name"]
    return show("passkey.html", status, form=form, proof=proof, key=key)
