"""Converts the settings to the configuration of Flask and its extensions."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any


def flask_config(settings: Any) -> dict[str, Any]:
    """The Flask configuration for `settings` of quire.config.settings."""
    config = settings.model_dump()
    https = settings.PUBLIC_URL.startswith("https://")
    testing = settings.QUIRE_ENV == "testing"
    config.update(
        SQLALCHEMY_DATABASE_URI=database_uri(settings.DATABASE_URL, settings.QUIRE_INSTANCE),
        TRUSTED_HOSTS=settings.TRUSTED_HOSTS or None,
        TESTING=testing,
        PROPAGATE_EXCEPTIONS=None if settings.QUIRE_ENV == "development" else False,
        # Switching this off would make every stored password wrong: no setting, a fact.
        BCRYPT_HANDLE_LONG_PASSWORDS=True,
        # what manage.py does may take as long as it takes
        LIMIT_DATABASE_TIME=True,
        # serve.py says where it listens; until then, where it does by default.
        LOCAL_URL="http://127.0.0.1:8000",
        # A form of Unicode text grows threefold on its way; the body limit is the only limit.
        MAX_FORM_MEMORY_SIZE=settings.MAX_CONTENT_LENGTH,
        SESSION_COOKIE_NAME="__Host-quire" if https else "quire",
        WTF_CSRF_ENABLED=not testing,
        WTF_CSRF_TIME_LIMIT=None,
        REMEMBER_COOKIE_NAME="__Host-quire-remember" if https else "quire_remember",
        REMEMBER_COOKIE_DURATION=timedelta(seconds=settings.REMEMBER_SECONDS),
        **_cookies("SESSION_COOKIE", https),
        **_cookies("REMEMBER_COOKIE", https),
    )
    return config


def _cookies(prefix: str, https: bool) -> dict[str, Any]:
    return {f"{prefix}_HTTPONLY": True, f"{prefix}_SAMESITE": "Lax", f"{prefix}_SECURE": https}


def database_uri(url: str, instance: Path) -> str:
    """SQLAlchemy's form of a database URL: psycopg 3, and SQLite files inside `instance`."""
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    file = re.match(r"sqlite:///(?!:memory:|file:)([^?]+)(.*)$", url)
    return f"sqlite:///{(instance / file[1]).as_posix()}{file[2]}" if file else url
