"""Forms of second factors and passkeys."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, PasswordField, StringField


class SecondStepForm(FlaskForm):
    """The code after the password."""

    otp = StringField(
        "Code", description="Enter the 6-digit code from your app, or a recovery code."
    )


class EnrollmentForm(FlaskForm):
    """An authenticator app: its encrypted secret, and a first code."""

    otp = StringField("Code", description="The 6-digit code that the app shows now.")
    current_password = PasswordField("Current password")
    seed = HiddenField()


class PasskeyForm(FlaskForm):
    """A new passkey; a script fills in the response of the authenticator."""

    name = StringField("Name", description="For example “phone”.")
    current_password = PasswordField("Current password")
    credential = HiddenField()


class PasskeyNameForm(FlaskForm):
    """A new name for a passkey."""

    name = StringField("Name")


class PasskeyLoginForm(FlaskForm):
    """A passkey's assertion, filled in by a script."""

    credential = HiddenField()
    remember = BooleanField()
