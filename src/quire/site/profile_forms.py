"""Forms of one's own account; what a value must be is said by the records and checked by the store."""

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    EmailField,
    FileField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.validators import EqualTo, Optional
from wtforms.widgets import CheckboxInput, ListWidget


class ProfileForm(FlaskForm):
    """What others see of somebody."""

    username = StringField("Username", description="3 to 20 letters, digits and . _ -")
    display_name = StringField("Name", description="Shown to readers instead of the username.")
    bio = TextAreaField("About you")
    picture = FileField("Picture", description="A JPEG, PNG, GIF or WebP; it is cut square.")
    no_picture = BooleanField("Show no picture")
    location = StringField("Place")
    website = URLField("Website", description="Such as https://example.org")
    links = TextAreaField("Other links", description="One on each line.")
    comment_mail = BooleanField("Mail me when somebody comments on my posts or answers me")
    digest = SelectField(
        "Mail me what waits for me and what is new",
        choices=[("never", "Never"), ("daily", "Every day"), ("weekly", "Every week")],
        validate_choice=False,
    )


class PasswordForm(FlaskForm):
    """A new password."""

    current_password = PasswordField("Current password")
    password = PasswordField("New password")
    confirm = PasswordField(
        "New password again",
        validators=[EqualTo("password", message="The two passwords differ.")],
    )


class EmailForm(FlaskForm):
    """A new address."""

    email = EmailField("New email", description="Never shown to readers.")
    current_password = PasswordField("Current password")


class KeyForm(FlaskForm):
    """A new API key."""

    name = StringField("Name", description="What is it for? Such as: phone app.")
    scopes = SelectMultipleField(
        "What it opens",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        description="Never more than you may do yourself.",
    )
    expires_at = DateTimeLocalField(
        "Ends (UTC)",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[Optional()],
        description="Empty: until you delete it.",
    )
    networks = TextAreaField(
        "Networks", description="One on each line, such as 192.0.2.0/24. Empty: from anywhere."
    )


class ProofForm(FlaskForm):
    """The password, before something that cannot be undone."""

    current_password = PasswordField("Current password")
