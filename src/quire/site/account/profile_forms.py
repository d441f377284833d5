"""Forms of the account pages; values are declared by the records and validated by the store."""

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
    """The public profile."""

    username = StringField("Username", description="3 to 20 characters: letters, digits and . _ -")
    display_name = StringField("Name", description="Shown to readers instead of the username.")
    bio = TextAreaField("About you")
    picture = FileField(
        "Picture", description="A JPEG, PNG, GIF or WebP image. It is cropped to a square."
    )
    no_picture = BooleanField("Remove the picture")
    location = StringField("Location")
    website = URLField("Website", description="For example https://example.org")
    links = TextAreaField("Other links", description="One per line.")
    comment_mail = BooleanField("Email me when someone comments on my posts or replies to me")
    digest = SelectField(
        "Email me a digest of what needs my attention and what is new",
        choices=[("never", "Never"), ("daily", "Every day"), ("weekly", "Every week")],
        validate_choice=False,
    )


class PasswordForm(FlaskForm):
    """A new password."""

    current_password = PasswordField("Current password")
    password = PasswordField("New password")
    confirm = PasswordField(
        "Confirm new password",
        validators=[EqualTo("password", message="The passwords do not match.")],
    )
    end_keys = BooleanField("Delete my API keys too")


class EmailForm(FlaskForm):
    """A new address."""

    email = EmailField("New email address", description="Never shown to readers.")
    current_password = PasswordField("Current password")


class KeyForm(FlaskForm):
    """A new API key."""

    name = StringField("Name", description="What the key is for, such as “phone app”.")
    scopes = SelectMultipleField(
        "Scopes",
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        description="What the key may do. It never has more rights than you.",
    )
    expires_at = DateTimeLocalField(
        "Expires (UTC)",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[Optional()],
        description="Leave empty for a key that does not expire.",
    )
    networks = TextAreaField(
        "Networks",
        description="Networks the key may be used from, one per line, such as 192.0.2.0/24. Leave "
        "empty to allow any.",
    )


class ProofForm(FlaskForm):
    """The password, before something irreversible."""

    current_password = PasswordField("Current password")
