"""The user's passkeys: added with a script, renamed, deleted."""

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from quire.actor import Actor
from quire.auth import passkeys, passwords, webauthn
from quire.records import USERS
from quire.records.site_settings import site_settings
from quire.site.account.profile import login_required, redirect_with_message
from quire.site.account.profile_forms import ProofForm
from quire.site.account.second_factor_forms import PasskeyForm, PasskeyNameForm
from quire.site.forms import OPEN_TOO_LONG, require_own_page, submit
from quire.site.page import render_page
from quire.web.language import gettext


@login_required
def passkey_list(actor: Actor) -> AnyResponse:
    """The user's passkeys, and the form for a new one."""
    form = PasskeyForm()
    if request.method != "POST":
        return _passkeys_page(actor, form)

    def add() -> None:
        webauthn.register(actor, form.name.data or "", form.credential.data or "")

    refusal = submit(form, USERS, add)
    if refusal:
        return _passkeys_page(actor, form, refusal.status)
    return redirect_with_message(
        "passkey_list", gettext("Passkey added. You can now use it to sign in.")
    )


def _passkeys_page(actor: Actor, form: PasskeyForm, status: int = 200) -> Response:
    return render_page(
        "passkeys.html", status, form=form, keys=passkeys.list_passkeys(actor),
        place=webauthn.relying_party(), by_name=webauthn.localhost_url(),
    )  # fmt: skip


@login_required
def passkey_registration_options(actor: Actor) -> AnyResponse:
    """Return the options for the script that creates a passkey; requires the password."""
    require_own_page(OPEN_TOO_LONG)
    form = PasskeyForm()
    passwords.require_current_password(actor, form.current_password.data or "")
    options = webauthn.registration_options(actor, site_settings()["site_name"])
    return Response(options, mimetype="application/json")


@login_required
def passkey(actor: Actor, id: int) -> AnyResponse:
    """Rename or delete a passkey."""
    form = PasskeyNameForm()
    if request.method != "POST":
        form.name.data = passkeys.get_passkey(actor, id)["name"]
        return _passkey_page(actor, id, form, ProofForm(formdata=None))
    refusal = submit(form, USERS, lambda: passkeys.rename(actor, id, form.name.data or ""))
    if refusal:
        return _passkey_page(actor, id, form, ProofForm(formdata=None), refusal.status)
    return redirect_with_message("passkey_list", gettext("Saved."))


@login_required
def remove_passkey(actor: Actor, id: int) -> AnyResponse:
    """Delete a passkey."""
    form = ProofForm()

    def remove() -> None:
        passwords.require_current_password(actor, form.current_password.data or "")
        passkeys.remove(actor, id)

    refusal = submit(form, USERS, remove)
    if refusal:
        return _passkey_page(actor, id, PasskeyNameForm(formdata=None), form, refusal.status)
    return redirect_with_message(
        "passkey_list", gettext("Passkey removed. You can no longer sign in with it.")
    )


def _passkey_page(
    actor: Actor, id: int, form: PasskeyNameForm, proof: ProofForm, status: int = 200
) -> Response:
    key = passkeys.get_passkey(actor, id)
    if form.name.data is None:
        form.name.data = key["name"]
    return render_page("edit_passkey.html", status, form=form, proof=proof, key=key)
