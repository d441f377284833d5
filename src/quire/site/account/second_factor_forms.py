"""Forms of second factors and passkeys."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField

from quire.web.language import lazy_gettext


class SecondStepForm(FlaskForm):
    """The code after the password."""

    otp = StringField(
        lazy_gettext("Code"),
        description=lazy_gettext("Enter the 6-digit code from your app, or a recovery code."),
    )


class EnrollmentForm(FlaskForm):
    """An authenticator app: its encrypted secret, and a first code."""

    otp = StringField(
        lazy_gettext("Code"), description=lazy_gettext("The 6-digit code that the app shows now.")
    )
    current_password = PasswordField(lazy_gettext("Current password"))
    seed = HiddenField()


class PasskeyForm(FlaskForm):
    """A new passkey; a script fills in the response of the authenticator."""

    name = StringField(lazy_gettext("Name"), description=lazy_gettext("For example “phone”."))
    current_password = PasswordField(lazy_gettext("Current password"))
    credential = HiddenField()


class PasskeyNameForm(FlaskForm):
    """A new name for a passkey."""

    name = StringField(lazy_gettext("Name"))


class PasskeyLoginForm(FlaskForm):
    """A passkey's assertion, filled in by a script."""

    credential = HiddenField()
    remember = BooleanField()
