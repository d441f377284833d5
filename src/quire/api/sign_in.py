"""Tokens for programs: sign in, refresh, and the CSRF token for scripts on our own pages."""

from typing import TypeVar

from flask import Response
from flask_restful import Resource
from flask_wtf.csrf import generate_csrf
from pydantic import BaseModel, ConfigDict, ValidationError

from quire.access import signing_in, tokens
from quire.access.request import asker
from quire.access.throttle import guess
from quire.api import respond
from quire.api.front_door import only, read_object
from quire.errors import Invalid, detail

Model = TypeVar("Model", bound=BaseModel)


class Credentials(BaseModel):
    """What a sign-in takes."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: str
    password: str
    otp: str | None = None


class RefreshToken(BaseModel):
    """What a refresh takes."""

    model_config = ConfigDict(strict=True, extra="forbid")

    refresh_token: str


class TokenPair(BaseModel):
    """What both give (RFC 6749 section 5.1)."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int


class CsrfToken(BaseModel):
    """The token to send as X-CSRFToken."""

    csrf_token: str


def _read(model: type[Model]) -> Model:
    only()
    try:
        return model.model_validate(read_object())
    except ValidationError as error:
        raise Invalid([_detail(one) for one in error.errors(include_url=False)]) from None


def _detail(error: object) -> dict[str, str]:
    found = dict(error)  # type: ignore[call-overload]
    name = str(found["loc"][0])
    label = name.replace("_", " ").capitalize()
    words = {
        "missing": ("required", f"{label} is required."),
        "extra_forbidden": ("unknown", f"{name} is not known here."),
    }
    return detail(name, *words.get(found["type"], ("wrong_type", f"{label} must be text.")))


class Token(Resource):
    """POST an address, a password and perhaps a code for a pair of tokens."""

    def post(self) -> Response:
        """Sign in."""
        given = _read(Credentials)
        owner = signing_in.by_password(given.email, given.password, given.otp)
        return _pair(tokens.issue(owner))


class Refresh(Resource):
    """POST a refresh token for a new pair."""

    def post(self) -> Response:
        """Refresh."""
        given = _read(RefreshToken)
        with guess("token") as it:
            pair = tokens.refresh(given.refresh_token, asker())
            it.right = True
        return _pair(pair)


class Revoke(Resource):
    """POST a refresh token to end it, and the access tokens that came with it."""

    def post(self) -> Response:
        """Revoke (RFC 7009): 204, whatever the token was."""
        tokens.revoke(_read(RefreshToken).refresh_token)
        return respond.empty(204)


def _pair(pair: dict[str, object]) -> Response:
    return respond.answer(pair, headers={"Cache-Control": "no-store"})


class Csrf(Resource):
    """GET the token that unsafe requests by session carry."""

    def get(self) -> Response:
        """The token of this browser session."""
        only()
        return respond.answer(
            {"csrf_token": generate_csrf()}, headers={"Cache-Control": "no-store"}
        )
