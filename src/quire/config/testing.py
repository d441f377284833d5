"""The settings of tests: nothing is read from outside, and nothing is slow for the sake of safety."""

import tempfile
from pathlib import Path

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from quire.config.settings import Environment, Settings

TESTING_SECRET = "testing-only-0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105


class TestingSettings(Settings):
    """Settings of the testing environment: environment variables and files are ignored."""

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
