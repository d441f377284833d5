"""URLs of databases and other services: the accepted forms, and refusals that leak no password."""

import pytest

from quire.config.load import load
from quire.config.validation import UnsafeConfig


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://"),
        ("DATABASE_URL", "postgres://u:p#/?x:y@h:5432/d?sslmode=require"),
        ("DATABASE_URL", "postgresql+psycopg://u@[::1]:5432/d"),
        ("DATABASE_URL", "postgresql://u:a password@h/d"),
        ("DATABASE_URL", "postgresql:///d?host=/run/postgresql"),
        ("DATABASE_URL", "sqlite:///C:/a b/a.db"),
        ("REDIS_URL", "redis://127.0.0.1"),
        ("REDIS_URL", "rediss://:p@h:6379/0?ssl_cert_reqs=none"),
        ("REDIS_URL", "redis+unix:///run/redis.sock"),
        ("CELERY_BROKER_URL", "amqp://u:p@h:5672//"),
        ("CELERY_BROKER_URL", "sentinel://a:26379;sentinel://b:26379"),
    ],
)
def test_valid_service_urls_are_accepted(name, url):
    assert load(None, {name: url})[name] == url


@pytest.mark.parametrize(
    ("name", "url", "form"),
    [
        ("DATABASE_URL", "mysql://u:secret@h/d", "postgresql://"),
        ("DATABASE_URL", "quire.db", "postgresql://"),
        ("DATABASE_URL", "sqlite:", "postgresql://"),
        ("DATABASE_URL", "sqlite://a.db", "postgresql://"),
        ("DATABASE_URL", "sqlite+aiosqlite:///a.db", "postgresql://"),
        ("DATABASE_URL", "postgresql+asyncpg://u:secret@h/d", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:secret@h:port/d", "postgresql://"),
        ("DATABASE_REPLICA_URL", "postgresql://u:secret@h:port/d", "postgresql://"),
        ("REDIS_URL", "127.0.0.1:6379", "redis://"),
        ("REDIS_URL", "redis://:secret@h:port", "redis://"),
        ("REDIS_URL", "memcached://h", "redis://"),
        ("CELERY_BROKER_URL", "127.0.0.1", "redis://"),
    ],
)
def test_unusable_service_urls_are_refused_without_their_password(name, url, form):
    with pytest.raises(UnsafeConfig) as refusal:
        load(None, {name: url})
    assert str(refusal.value).startswith(f"{name}: must look like {form}")
    assert "secret" not in str(refusal.value)
