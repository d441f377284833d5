"""Forms of the site: their fields, and how a refusal of the store finds its place beside them.

What a value must be is said by the records and checked by the store; here it is not said again.
"""

from collections.abc import Callable

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
    Invalid,
    Problem,
    Refused,
    Stale,
    TooLarge,
    TooMany,
    Unavailable,
    Unproven,
)

FOREIGN = "This needs a page of this site; go back and try again."
"""What a button's request is told that none of our own pages has sent."""
OPEN_TOO_LONG = "This page was open for too long. Load it again."
"""What a script is told that has no form to show again."""
EXPIRED = "This page was open for too long. Nothing is lost: send it once more."


class CommentForm(FlaskForm):
    """Something to say below a post."""

    body = TextAreaField("Your comment", description="Markdown works here.")
    parent = HiddenField()
    subject = StringField("Leave this empty")


class WordsForm(FlaskForm):
    """What somebody has said, to be said better."""

    body = TextAreaField("Your comment", description="Markdown works here.")
    version = HiddenField()


class SignInForm(FlaskForm):
    """Who somebody is."""

    email = EmailField("Email")
    password = PasswordField("Password")
    remember = BooleanField("Stay signed in on this device")


class AccountForm(FlaskForm):
    """A new account."""

    username = StringField(
        "Username", description="3 to 20 letters, digits and . _ - ; shown to readers."
    )
    email = EmailField("Email", description="Never shown to readers.")
    password = PasswordField("Password")
    confirm = PasswordField(
        "Password again",
        validators=[EqualTo("password", message="The two passwords differ.")],
    )


class NewPasswordForm(FlaskForm):
    """A password in the place of a forgotten one."""

    password = PasswordField("New password")
    confirm = PasswordField(
        "New password again",
        validators=[EqualTo("password", message="The two passwords differ.")],
    )


class InvitedForm(FlaskForm):
    """A new account whose address and role an invitation says."""

    username = AccountForm.username
    password = AccountForm.password
    confirm = AccountForm.confirm


class AddressForm(FlaskForm):
    """Whom to send mail to."""

    email = EmailField("Email")


class PressForm(FlaskForm):
    """A button, and nothing but the proof that one of our own pages has it."""


def tried(form: FlaskForm, record: Record, change: Callable[[], object]) -> int | None:
    """Make the change that a form asks for: None, or the status of its refusal, explained in it."""
    form.validate()
    if is_foreign(form):
        form.form_errors.append(EXPIRED)
        return Refused.status
    if form.errors:
        return Invalid.status
    try:
        change()
    except (Invalid, Conflict, Refused, Stale, TooLarge, Unproven, TooMany, Unavailable) as problem:
        explain(form, record, problem)
        return problem.status
    return None


def is_foreign(form: FlaskForm) -> bool:
    """Whether a validated form lacks the token that only our own pages know."""
    return "csrf_token" in form and bool(form["csrf_token"].errors)


def insist_on_own_page(refusal: str) -> None:
    """Refuse, in these words, what none of our own pages has sent. Raises Refused."""
    form = PressForm()
    form.validate()
    if is_foreign(form):
        raise Refused(refusal)


def explain(form: FlaskForm, record: Record, problem: Problem) -> None:
    """Put what is wrong beside the fields, what belongs to none of them above the form."""
    for one in problem.details:
        if one["field"] in form and not isinstance(form[one["field"]], HiddenField):
            field = form[one["field"]]
            field.errors = [*field.errors, _named(one, record, field.label.text)]
        else:
            form.form_errors.append(one["message"])
    if not problem.details:
        form.form_errors.append(problem.message)
    after_this_request(lambda response: _with_headers(response, problem))


def _with_headers(response: Response, problem: Problem) -> Response:
    response.headers.update(problem.headers)
    return response


def _named(one: Detail, record: Record, label: str) -> str:
    """The sentence with the name that the field has on the page."""
    known = record.by_name.get(one["field"])
    name = known.label if known else ""
    words = one["message"]
    return label + words.removeprefix(name) if name and words.startswith(name) else words
