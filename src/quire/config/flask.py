"""Converts the settings to the configuration of Flask and its extensions."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any


def flask_config(settings: Any) -> dict[str, Any]:
    """Return the Flask configuration for `settings` of quire.config.settings."""
    config = settings.model_dump()
    https = settings.PUBLIC_URL.startswith("https://")
    testing = settings.QUIRE_ENV == "testing"
    config.update(
        SQLALCHEMY_DATABASE_URI=database_uri(settings.DATABASE_URL, settings.QUIRE_INSTANCE),
        TRUSTED_HOSTS=settings.TRUSTED_HOSTS or None,
        TESTING=testing,
        PROPAGATE_EXCEPTIONS=None if settings.QUIRE_ENV == "development" else False,
        # Not a setting, since without it every stored password would be wrong.
        BCRYPT_HANDLE_LONG_PASSWORDS=True,
        # commands of manage.py have no time limit
        LIMIT_DATABASE_TIME=True,
        # serve.py sets where it listens; this is the default.
        LOCAL_URL="http://127.0.0.1:8000",
        # Unicode text in a form takes three times its size, so the limit of the body is the only one.
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
    """Return a database URL in SQLAlchemy's form: psycopg 3, and SQLite files inside `instance`."""
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    file = re.match(r"sqlite:///(?!:memory:|file:)([^?]+)(.*)$", url)
    return f"sqlite:///{(instance / file[1]).as_posix()}{file[2]}" if file else url
