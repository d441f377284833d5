"""Loads the configuration of an environment, and refuses unsafe settings."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from quire.config import instance_folder
from quire.config.flask import flask_config
from quire.config.secret_key import load_or_create_secret_key, refuse_weak_key
from quire.config.settings import ROOT, Environment, Settings, default_environment
from quire.config.types import DatabaseUrl
from quire.config.validation import UnsafeConfig, refuse_contradictions

TESTING_SECRET = "testing-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105


class TestingSettings(Settings):
    """The settings of the testing environment, which ignores environment variables and files."""

    QUIRE_ENV: Environment = "testing"
    QUIRE_INSTANCE: Path = Path(tempfile.gettempdir()) / "quire-testing"
    SECRET_KEY: str = TESTING_SECRET
    DATABASE_URL: DatabaseUrl = "sqlite://"
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
        """Use only what the caller passes."""
        return (init_settings,)


def load(name: str | None = None, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the Flask configuration of an environment.

    `name` is development, testing or production; None follows QUIRE_ENV. `overrides` take precedence over
    everything and may contain keys of Flask and its extensions. In development and production, this creates the
    instance folder and the secret if they are missing. Raises UnsafeConfig.
    """
    values = dict(overrides or {})
    settings = _settings(name, {key: values[key] for key in values if key in Settings.model_fields})
    if settings.QUIRE_ENV != "testing":
        _fill(settings)
    config = flask_config(settings)
    config.update((key, values[key]) for key in values if key not in Settings.model_fields)
    refuse_contradictions(config)
    if settings.QUIRE_ENV == "production":
        refuse_unsafe(config)
    return config


def _settings(name: str | None, values: dict[str, Any]) -> Settings:
    if name is not None:
        values["QUIRE_ENV"] = name
    try:
        if name == "testing":
            return TestingSettings(**values)
        settings = Settings(**values)
        return TestingSettings(**values) if settings.QUIRE_ENV == "testing" else settings
    except ValidationError as error:
        first = error.errors()[0]
        raise UnsafeConfig(
            f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}."
        ) from None


def _fill(settings: Settings) -> None:
    settings.QUIRE_INSTANCE = folder = (ROOT / settings.QUIRE_INSTANCE).resolve()
    instance_folder.prepare(folder)
    try:
        settings.SECRET_KEY = settings.SECRET_KEY or load_or_create_secret_key(
            folder / "secret_key"
        )
    except TimeoutError as error:
        raise UnsafeConfig(str(error)) from None
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnsafeConfig(
            f"Cannot use the secret key in {folder / 'secret_key'}: {reason}."
        ) from None
    settings.DATABASE_URL = settings.DATABASE_URL or "sqlite:///quire.db"


def refuse_unsafe(config: Mapping[str, Any]) -> None:
    """Raise UnsafeConfig if a production configuration has a weak secret or debugging enabled."""
    refuse_weak_key(config["SECRET_KEY"])
    if config.get("DEBUG") or default_environment() == "development":
        raise UnsafeConfig("DEBUG is not for production. Set QUIRE_ENV=development to debug.")
