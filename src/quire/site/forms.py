"""Forms of the site, and the display of the store's errors in them.

Values are declared by the records and validated by the store, not here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from flask import Response, after_this_request
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    PasswordField,
    StringField,
    TextAreaField,
)
from wtforms.validators import EqualTo

from quire.declare.record import Record
from quire.errors import (
    Conflict,
    Detail,
    PermissionDenied,
    Problem,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
    VersionConflict,
)
from quire.translations.messages import Message
from quire.web.language import is_english, lazy_gettext, translate

T = TypeVar("T")
FOREIGN_PAGE = Message("This action only works from a page of this site. Go back and try again.")
"""The error for a button that was not pressed on one of our own pages."""
OPEN_TOO_LONG = Message("This page was open for too long. Reload it and try again.")
"""The error for a script, which has no form to show again."""
EXPIRED = Message("This page was open for too long. Nothing is lost: submit it again.")


class CommentForm(FlaskForm):
    """A comment on a post."""

    body = TextAreaField(
        lazy_gettext("Your comment"), description=lazy_gettext("You can use Markdown.")
    )
    parent = HiddenField()
    subject = StringField(lazy_gettext("Leave this empty"))


class EditCommentForm(FlaskForm):
    """An edited comment."""

    body = TextAreaField(
        lazy_gettext("Your comment"), description=lazy_gettext("You can use Markdown.")
    )
    version = HiddenField()


class LoginForm(FlaskForm):
    """Email and password."""

    email = EmailField(lazy_gettext("Email"))
    password = PasswordField(lazy_gettext("Password"))
    remember = BooleanField(lazy_gettext("Stay signed in on this device"))


class AccountForm(FlaskForm):
    """A new account."""

    username = StringField(
        lazy_gettext("Username"),
        description=lazy_gettext("Shown to readers. 3 to 20 characters: letters, digits and . _ -"),
    )
    email = EmailField(lazy_gettext("Email"), description=lazy_gettext("Never shown to readers."))
    password = PasswordField(lazy_gettext("Password"))
    confirm = PasswordField(
        lazy_gettext("Confirm password"),
        validators=[EqualTo("password", message=lazy_gettext("The passwords do not match."))],
    )


class NewPasswordForm(FlaskForm):
    """A new password instead of a forgotten one."""

    password = PasswordField(lazy_gettext("New password"))
    confirm = PasswordField(
        lazy_gettext("Confirm new password"),
        validators=[EqualTo("password", message=lazy_gettext("The passwords do not match."))],
    )


class InvitationForm(FlaskForm):
    """A new account whose email and role come from an invitation."""

    username = AccountForm.username
    password = AccountForm.password
    confirm = AccountForm.confirm


class AddressForm(FlaskForm):
    """An email address."""

    email = EmailField(lazy_gettext("Email"))


class ButtonForm(FlaskForm):
    """A button with a CSRF token."""


@dataclass(frozen=True)
class Refusal:
    """Why a form was refused: the status of the response; the form itself shows the errors."""

    status: int


def submit(form: FlaskForm, record: Record, change: Callable[[], T]) -> T | Refusal:
    """Save a form with `change`; return its result, or a refusal."""
    form.validate()
    if lacks_csrf_token(form):
        form.form_errors.append(translate(EXPIRED))
        return Refusal(PermissionDenied.status)
    if form.errors:
        return Refusal(ValidationFailed.status)
    try:
        return change()
    except (
        ValidationFailed,
        Conflict,
        PermissionDenied,
        VersionConflict,
        TooLarge,
        Unauthenticated,
        TooManyRequests,
        Unavailable,
    ) as problem:
        add_errors(form, record, problem)
        return Refusal(problem.status)


def lacks_csrf_token(form: FlaskForm) -> bool:
    """Whether a validated form has no valid CSRF token."""
    return "csrf_token" in form and bool(form["csrf_token"].errors)


def require_own_page(refusal: str) -> None:
    """Refuse requests that were not sent by our own pages, with this message. Raises PermissionDenied."""
    form = ButtonForm()
    form.validate()
    if lacks_csrf_token(form):
        raise PermissionDenied(refusal)


def add_errors(form: FlaskForm, record: Record, problem: Problem) -> None:
    """Show errors next to their fields; all others above the form."""
    for one in problem.details:
        if one["field"] in form and not isinstance(form[one["field"]], HiddenField):
            field = form[one["field"]]
            field.errors = [*field.errors, _with_label(one, record, str(field.label.text))]
        else:
            form.form_errors.append(translate(one["message"]))
    if not problem.details:
        form.form_errors.append(translate(problem.message))
    after_this_request(lambda response: _with_headers(response, problem))


def _with_headers(response: Response, problem: Problem) -> Response:
    response.headers.update(problem.headers)
    return response


def _with_label(one: Detail, record: Record, label: str) -> str:
    """Return the message with the label of the field on this page."""
    field = record.fields_by_name.get(one["field"])
    words = one["message"]
    if isinstance(words, Message) and "label" in words.values:
        return translate(words.with_values(label=label))
    name = field.label if field else ""
    return (
        label + words.removeprefix(name)
        if name and words.startswith(name) and is_english()
        else translate(words)
    )
