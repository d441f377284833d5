"""Tokens for API clients: sign in, refresh, and the CSRF token for scripts on the site's pages."""

from typing import TypeVar

from flask import Response
from flask_restful import Resource
from flask_wtf.csrf import generate_csrf
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quire.api import responses
from quire.api.query_parameters import allow_params
from quire.api.request_body import read_object
from quire.auth import jwt, login
from quire.auth.accounts import Account
from quire.auth.current_actor import anonymous_actor
from quire.auth.rate_limits import count_attempt
from quire.declare.record import REGISTRY
from quire.errors import ValidationFailed, detail
from quire.store import read
from quire.web.secret_response import SecretResponse

Model = TypeVar("Model", bound=BaseModel)


class Credentials(BaseModel):
    """The credentials to sign in with."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: str = Field(examples=["ann@example.org"])
    password: str = Field(examples=["correct horse battery"])
    otp: str | None = None


class RefreshToken(BaseModel):
    """A refresh token."""

    model_config = ConfigDict(strict=True, extra="forbid")

    refresh_token: str = Field(examples=["qr_3kf0Zt5s..."])


class TokenPair(BaseModel):
    """An access token and a refresh token (RFC 6749 section 5.1)."""

    access_token: str = Field(examples=["eyJhbGciOi..."])
    refresh_token: str = Field(examples=["qr_3kf0Zt5s..."])
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(examples=[900], description="Seconds.")


class CsrfToken(BaseModel):
    """The token to send in the header X-CSRFToken."""

    csrf_token: str


def _parse_body(model: type[Model]) -> Model:
    try:
        return model.model_validate(read_object())
    except ValidationError as error:
        raise ValidationFailed([_detail(one) for one in error.errors(include_url=False)]) from None


def _detail(error: object) -> dict[str, str]:
    problem = dict(error)  # type: ignore[call-overload]
    name = str(problem["loc"][0])
    label = name.replace("_", " ").capitalize()
    words = {
        "missing": ("required", f"{label} is required."),
        "extra_forbidden": ("unknown", f"{name} is not a known field."),
    }
    return detail(name, *words.get(problem["type"], ("wrong_type", f"{label} must be text.")))


class TokenPairCreate(Resource):
    """POST an email address, a password and, if required, a code to get tokens."""

    def post(self) -> Response:
        """Sign in: the tokens, and the account they belong to."""
        credentials = _parse_body(Credentials)
        owner, pair = login.with_password(
            credentials.email, credentials.password, credentials.otp, _begin
        )
        user = read.get_record(REGISTRY["users"], owner.actor("token"), owner.id)
        return _pair_response({**pair, "user": user})


def _begin(owner: Account) -> tuple[Account, dict[str, object]]:
    return owner, jwt.issue(owner)


class TokenRefresh(Resource):
    """POST a refresh token for a new pair."""

    def post(self) -> Response:
        """Refresh."""
        refresh_token = _parse_body(RefreshToken)
        with count_attempt("token") as it:
            pair = jwt.refresh(refresh_token.refresh_token, anonymous_actor())
            it.right = True
        return _pair_response(pair)


class TokenRevoke(Resource):
    """POST a refresh token to revoke it and its access tokens."""

    def post(self) -> Response:
        """Revoke (RFC 7009): 204, whatever the token was."""
        jwt.revoke(_parse_body(RefreshToken).refresh_token)
        return responses.empty_response(204)


def _pair_response(pair: dict[str, object]) -> Response:
    return responses.json_response(pair, headers={"Cache-Control": "no-store"}, kind=SecretResponse)


class CsrfTokenItem(Resource):
    """GET the CSRF token for requests with a session cookie."""

    def get(self) -> Response:
        """The token of this browser session."""
        allow_params()
        return responses.json_response(
            {"csrf_token": generate_csrf()}, headers={"Cache-Control": "no-store"}
        )
