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

from quire.translations.languages import LANGUAGES
from quire.web.language import gettext, language_name, lazy_gettext


def language_choices() -> list[tuple[str, str]]:
    """The languages of pages and mails to choose from, each under its own name."""
    own = gettext("Same as the browser")
    return [("auto", own), *((code, language_name(code)) for code in LANGUAGES)]


class ProfileForm(FlaskForm):
    """The public profile."""

    username = StringField(
        lazy_gettext("Username"),
        description=lazy_gettext("3 to 20 characters: letters, digits and . _ -"),
    )
    display_name = StringField(
        lazy_gettext("Name"), description=lazy_gettext("Shown to readers instead of the username.")
    )
    bio = TextAreaField(lazy_gettext("About you"))
    picture = FileField(
        lazy_gettext("Picture"),
        description=lazy_gettext("A JPEG, PNG, GIF or WebP image. It is cropped to a square."),
    )
    no_picture = BooleanField(lazy_gettext("Remove the picture"))
    language = SelectField(
        lazy_gettext("Language"),
        description=lazy_gettext("Of pages and emails."),
        choices=language_choices,
        validate_choice=False,
    )
    location = StringField(lazy_gettext("Location"))
    website = URLField(
        lazy_gettext("Website"), description=lazy_gettext("For example https://example.org")
    )
    links = TextAreaField(lazy_gettext("Other links"), description=lazy_gettext("One per line."))
    comment_mail = BooleanField(
        lazy_gettext("Email me when someone comments on my posts or replies to me")
    )
    digest = SelectField(
        lazy_gettext("Email me a digest of what needs my attention and what is new"),
        choices=[
            ("never", lazy_gettext("Never")),
            ("daily", lazy_gettext("Every day")),
            ("weekly", lazy_gettext("Every week")),
        ],
        validate_choice=False,
    )


class PasswordForm(FlaskForm):
    """A new password."""

    current_password = PasswordField(lazy_gettext("Current password"))
    password = PasswordField(lazy_gettext("New password"))
    confirm = PasswordField(
        lazy_gettext("Confirm new password"),
        validators=[EqualTo("password", message=lazy_gettext("The passwords do not match."))],
    )
    end_keys = BooleanField(lazy_gettext("Delete my API keys too"))


class EmailForm(FlaskForm):
    """A new address."""

    email = EmailField(
        lazy_gettext("New email address"), description=lazy_gettext("Never shown to readers.")
    )
    current_password = PasswordField(lazy_gettext("Current password"))


class KeyForm(FlaskForm):
    """A new API key."""

    name = StringField(
        lazy_gettext("Name"), description=lazy_gettext("What the key is for, such as “phone app”.")
    )
    scopes = SelectMultipleField(
        lazy_gettext("Scopes"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        description=lazy_gettext("What the key may do. It never has more rights than you."),
    )
    expires_at = DateTimeLocalField(
        lazy_gettext("Expires"),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[Optional()],
    )
    networks = TextAreaField(
        lazy_gettext("Networks"),
        description=lazy_gettext(
            "Networks the key may be used from, one per line, such as 192.0.2.0/24. Leave "
            "empty to allow any."
        ),
    )


class ProofForm(FlaskForm):
    """The password, before something irreversible."""

    current_password = PasswordField(lazy_gettext("Current password"))
