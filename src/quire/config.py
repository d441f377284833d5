"""Every setting of Quire: name, type, default and one sentence; unsafe values are refused here."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from quire.flask_config import flask_config
from quire.safety import Unsafe
from quire.secret_key import kept_secret
from quire.setting_kinds import Address, Origins, Rate, Words

SOURCE_TREE = Path(__file__).resolve().parents[2]
ROOT = SOURCE_TREE if (SOURCE_TREE / "serve.py").exists() else Path.cwd()

TESTING_SECRET = "testing-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105
KNOWN_SECRETS = ("change", "example", "secret-key", "secret_key", "password", "testing-only")


Environment = Literal["development", "testing", "production"]


def _environment() -> Environment:
    debug = os.environ.get("FLASK_DEBUG", "").lower() not in {"", "0", "false", "no"}
    return "development" if debug else "production"


def _set(default: Any, sentence: str, **rules: Any) -> Any:
    return Field(default, description=sentence, **rules)


class Settings(BaseSettings):
    """What an operator may set, read from the environment or from `.env`."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    QUIRE_ENV: Environment = Field(
        default_factory=_environment,
        description="Which environment runs; `flask run --debug` makes it development.",
    )
    QUIRE_INSTANCE: Path = _set(
        ROOT / "instance", "Folder for the database, the secrets and what is uploaded."
    )
    SECRET_KEY: str = _set(
        "",
        "Signs sessions and tokens; when empty it is generated on the first run "
        "and kept in the instance folder.",
        repr=False,
    )
    DATABASE_URL: str = _set(
        "",
        "Where the records live; when empty, SQLite in the instance folder. "
        "PostgreSQL: `postgresql://user:password@host/name`.",
        repr=False,
    )
    REDIS_URL: str = _set(
        "", "Redis for the cache and the rate limits; when empty, memory is used.", repr=False
    )
    CELERY_BROKER_URL: str = _set(
        "", "Broker for jobs elsewhere; when empty, jobs run inside the server.", repr=False
    )
    JOB_THREADS: int = _set(
        1,
        "Jobs that each server process does at once beside the requests; 0 leaves them to "
        "`manage.py worker`.",
        ge=0,
        le=16,
    )
    PUBLIC_URL: Address = _set(
        "",
        "The address readers use, such as `https://example.org`; needed when others than this "
        "machine may connect. With https, cookies are sent over https only.",
    )
    TRUSTED_HOSTS: Words = _set(
        [],
        "Host names that requests may carry, separated by commas; needed when others than this "
        "machine may connect.",
    )
    TRUSTED_PROXY: str = _set(
        "", "Address of the proxy whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."
    )
    CORS_ORIGINS: Origins = _set(
        [],
        "Origins, separated by commas, whose scripts may use the API with tokens and keys, such as "
        "`https://app.example.org`.",
    )
    THREADS: int = _set(4, "Requests that one server process works on at once.", ge=1, le=64)
    ONE_PROCESSOR: bool = _set(
        True,
        "Whether each server process keeps its threads on one processor (Linux): they spend less "
        "time waiting for each other.",
    )
    MAX_CONTENT_LENGTH: int = _set(
        1024 * 1024, "Largest request body in bytes where no file is uploaded.", ge=16 * 1024
    )
    MAX_UPLOAD_BYTES: int = _set(
        16 * 1024 * 1024, "Largest file in bytes that may be uploaded.", ge=64 * 1024, le=2**31 - 1
    )
    UPLOAD_QUOTA_BYTES: int = _set(
        5 * 1024**3, "Bytes that the files of one user may take together; 0 for any number.", ge=0
    )
    S3_BUCKET: str = _set(
        "",
        "Bucket for what is uploaded, of S3 or of a store that speaks like it, and for nothing "
        "else; when empty, files lie in the instance folder.",
    )
    S3_ENDPOINT: Address = _set(
        "", "Address of the store, such as `https://s3.example.org`; when empty, that of AWS."
    )
    S3_REGION: str = _set("", "Region of the bucket; when empty, `us-east-1`.")
    S3_ACCESS_KEY: str = _set(
        "",
        "Name of the key to the bucket; when empty, the `AWS_` variables or the role of the machine.",
        repr=False,
    )
    S3_SECRET_KEY: str = _set("", "The secret of that key.", repr=False)
    REQUIRE_IF_MATCH: bool = _set(
        False, "Whether a change without `If-Match` or `version` is refused (428)."
    )
    REQUIRE_EMAIL_VERIFICATION: bool = _set(
        False, "Whether a new member must open the link in a mail before signing in."
    )
    REQUIRE_ADMIN_TWO_FACTOR: bool = _set(
        False,
        "Whether administrators need a second factor (codes from an app, or a passkey); until they "
        "have one, they may do what members may.",
    )
    RATELIMIT_ENABLED: bool = _set(
        True, "Whether too many attempts and requests are refused (429) or have to wait."
    )
    RATELIMIT_API: Rate = _set(
        "",
        "How many requests to the API one account, or one network of clients that have none, may "
        "send, such as `600/minute`; when empty, any number.",
    )
    PASSWORD_MIN_LENGTH: int = _set(8, "Shortest password in characters.", ge=8, le=128)
    PASSWORD_REFUSE_COMMON: bool = _set(
        True, "Whether passwords that everybody guesses first are refused."
    )
    BCRYPT_LOG_ROUNDS: int = _set(
        12,
        "Cost of a password hash; one more doubles the time. Older hashes follow at the next "
        "sign-in.",
        ge=4,
        le=16,
    )
    PASSWORD_HASHES_AT_ONCE: int = _set(
        2, "Passwords that one server process hashes at once; others wait.", ge=1, le=64
    )
    SESSION_IDLE_SECONDS: int = _set(
        12 * 3600, "Seconds after which a browser that does nothing is signed out.", ge=300
    )
    SESSION_SECONDS: int = _set(
        7 * 86400, "Seconds after which a browser has to sign in again in any case.", ge=300
    )
    REMEMBER_SECONDS: int = _set(
        30 * 86400, "The same where somebody asked to stay signed in.", ge=3600
    )
    JWT_CACHE_SECONDS: int = _set(
        0,
        "Seconds for which the account behind an access token is not looked up again; until then "
        "other processes may not know that it was deactivated.",
        ge=0,
        le=5,
    )
    JWT_ACCESS_TOKEN_EXPIRES: int = _set(
        15 * 60, "Seconds for which an access token is good.", ge=60, le=3600
    )
    JWT_REFRESH_TOKEN_EXPIRES: int = _set(
        14 * 86400, "Seconds for which a refresh token is good.", ge=3600
    )
    RESET_LINK_SECONDS: int = _set(
        3600, "Seconds a link for a new password is good.", ge=300, le=86400
    )
    VERIFY_LINK_SECONDS: int = _set(
        3 * 86400, "Seconds a link to verify an address is good.", ge=3600
    )
    INVITE_LINK_SECONDS: int = _set(7 * 86400, "Seconds an invitation is good for.", ge=3600)
    PREVIEW_LINK_SECONDS: int = _set(86400, "Seconds a preview link is good.", ge=300, le=2592000)
    TRASH_DAYS: int = _set(30, "Days after which the trash is emptied.", ge=1, le=3650)
    REVISION_DAYS: int = _set(30, "Days for which every revision is kept.", ge=1, le=3650)
    REVISION_DAILY_DAYS: int = _set(
        365, "Days for which the last one of each day is.", ge=1, le=36500
    )
    MAIL_SERVER: str = _set(
        "", "SMTP server; when empty, mail is kept in `outbox/` in the instance folder."
    )
    MAIL_PORT: int = _set(25, "Port of the SMTP server.", ge=1, le=65535)
    MAIL_USE_TLS: bool = _set(False, "Whether to ask for encryption with STARTTLS.")
    MAIL_USE_SSL: bool = _set(False, "Whether the SMTP connection is encrypted from its start.")
    MAIL_USERNAME: str = _set("", "Name for signing in to the SMTP server.")
    MAIL_PASSWORD: str = _set("", "Password for signing in to the SMTP server.", repr=False)
    MAIL_DEFAULT_SENDER: str = _set("", "Address that mail comes from.")
    MAIL_TIMEOUT: int = _set(15, "Seconds to wait for the SMTP server.", ge=1, le=60)


class Fixed(Settings):
    """Settings of the testing environment: neither the process environment nor a file is read."""

    QUIRE_ENV: Environment = "testing"
    QUIRE_INSTANCE: Path = Path(tempfile.gettempdir()) / "quire-testing"
    SECRET_KEY: str = TESTING_SECRET
    DATABASE_URL: str = "sqlite://"
    RATELIMIT_ENABLED: bool = False
    PASSWORD_REFUSE_COMMON: bool = False
    BCRYPT_LOG_ROUNDS: int = 4

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the caller passes counts."""
        return (init_settings,)


def load(name: str | None = None, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Flask configuration of one environment.

    `name` is development, testing or production, None follows QUIRE_ENV; `overrides` win over
    everything and may hold keys of Flask and its extensions too. In development and production
    this makes the instance folder and the secret where they are missing. Raises Unsafe.
    """
    given = dict(overrides or {})
    settings = _settings(name, {key: given[key] for key in given if key in Settings.model_fields})
    if settings.QUIRE_ENV != "testing":
        _fill(settings)
    config = flask_config(settings)
    config.update((key, given[key]) for key in given if key not in Settings.model_fields)
    if settings.QUIRE_ENV == "production":
        refuse_unsafe(config)
    return config


def _settings(name: str | None, given: dict[str, Any]) -> Settings:
    if name is not None:
        given["QUIRE_ENV"] = name
    try:
        if name == "testing":
            return Fixed(**given)
        settings = Settings(**given)
        return Fixed(**given) if settings.QUIRE_ENV == "testing" else settings
    except ValidationError as error:
        first = error.errors()[0]
        raise Unsafe(f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}.") from None


def _fill(settings: Settings) -> None:
    settings.QUIRE_INSTANCE = (ROOT / settings.QUIRE_INSTANCE).resolve()
    try:
        settings.SECRET_KEY = settings.SECRET_KEY or kept_secret(
            settings.QUIRE_INSTANCE / "secret_key"
        )
    except TimeoutError as error:
        raise Unsafe(str(error)) from None
    settings.DATABASE_URL = settings.DATABASE_URL or "sqlite:///quire.db"


def refuse_unsafe(config: Mapping[str, Any]) -> None:
    """Raise Unsafe where a production configuration has a weak secret or debugging on."""
    secret = config["SECRET_KEY"]
    if len(secret) < 32 or len(set(secret)) < 10:
        raise Unsafe("SECRET_KEY is too short or too simple; use 32 random characters or more.")
    if any(word in secret.lower() for word in KNOWN_SECRETS):
        raise Unsafe("SECRET_KEY is a published example; use 32 random characters or more.")
    if config.get("DEBUG") or _environment() == "development":
        raise Unsafe("DEBUG is not for production; set QUIRE_ENV=development to debug.")
