"""The checks for settings that are unsafe in public, missing or contradictory."""

import pytest

from quire.checks import settings
from quire.monitoring.setup import shared_counters

SAFE = {"PUBLIC_URL": "https://a.org", "TRUSTED_HOSTS": ["a.org"], "TRUSTED_PROXY": "127.0.0.1"}


def said(make_app, check, **config):
    with make_app(**config).app_context():
        result = check()
    assert (result.status == "ok") == (result.action is None)
    return result.status, result.reason or ""


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "QUIRE_ENV is testing"),
        ({"QUIRE_ENV": "production", "SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"QUIRE_ENV": "production", "SECRET_KEY": "change-me-" + "abcdefghijklmnopq" * 3},
         "SECRET_KEY is a published example"),
        ({"QUIRE_ENV": "production", "SECRET_KEY": "0123456789abcdef" * 3, "DEBUG": True}, "DEBUG"),
    ],
)  # fmt: skip
def test_unsafe_environment_is_an_error(make_app, config, words):
    app = make_app()
    app.config.update(config)
    with app.app_context():
        result = settings.check_environment()
    assert result.status == "error" and words in result.reason


def test_safe_environment_passes(make_app):
    app = make_app()
    app.config.update(QUIRE_ENV="production", SECRET_KEY="0123456789abcdef" * 3)
    with app.app_context():
        assert settings.check_environment().status == "ok"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"PUBLIC_URL": "http://a.org"}, "not an https address"),
        ({"TRUSTED_HOSTS": []}, "TRUSTED_HOSTS is not set"),
        ({"TRUSTED_HOSTS": ["b.org"]}, "not in TRUSTED_HOSTS"),
    ],
)
def test_unsafe_public_address_is_an_error(make_app, config, words):
    status, reason = said(make_app, settings.check_address, **{**SAFE, **config})
    assert status == "error" and words in reason
    assert said(make_app, settings.check_address, **SAFE) == ("ok", "")


def test_missing_trusted_proxy_is_a_warning(make_app):
    status, reason = said(make_app, settings.check_proxy, **{**SAFE, "TRUSTED_PROXY": ""})
    assert status == "warning" and "share limits" in reason
    assert said(make_app, settings.check_proxy, **SAFE)[0] == "ok"


def test_disabled_rate_limits_are_an_error(make_app):
    assert said(make_app, settings.check_limits, RATELIMIT_ENABLED=False)[0] == "error"
    assert said(make_app, settings.check_limits, RATELIMIT_ENABLED=True)[0] == "ok"


def test_rate_limits_counted_per_process_are_reported(make_app, tmp_path):
    app = make_app(RATELIMIT_ENABLED=True, QUIRE_INSTANCE=tmp_path)
    with app.app_context():
        folder = shared_counters()._folder
        folder.mkdir()
        state = '{"started": 1, "cpu_seconds": 1, "memory_bytes": 1, "job_threads": 0}'
        for number in range(2):
            path = folder / f"h-{number}-a.json"
            path.write_text(f'{{"process": {state}}}', encoding="utf-8")
        assert "2 processes" in settings.check_limits().reason
        app.config["REDIS_URL"] = "redis://127.0.0.1"
        assert settings.check_limits().status == "ok"


@pytest.mark.parametrize(
    ("config", "status", "words"),
    [
        ({"MAIL_USE_TLS": True, "MAIL_USE_SSL": True}, "error", "cannot both be set"),
        ({"MAIL_USERNAME": "a"}, "error", "MAIL_USERNAME and MAIL_PASSWORD"),
        ({"MAIL_USERNAME": "a", "MAIL_PASSWORD": "b", "MAIL_SERVER": "mail.a.org"}, "error", "unencrypted"),
        ({"REQUIRE_EMAIL_VERIFICATION": True}, "error", "nobody can get the email"),
        ({"S3_ACCESS_KEY": "a"}, "error", "S3_SECRET_KEY"),
        ({"S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}, "warning", "no S3_BUCKET"),
        ({"SESSION_SECONDS": 300}, "warning", "SESSION_SECONDS (300) is less than"),
        ({"REVISION_DAYS": 400}, "warning", "REVISION_DAILY_DAYS"),
        ({"JWT_REFRESH_TOKEN_EXPIRES": 3600, "JWT_ACCESS_TOKEN_EXPIRES": 3600}, "ok", ""),
    ],
)  # fmt: skip
def test_contradictory_settings_are_reported(make_app, config, status, words):
    answer = said(make_app, settings.check_contradictions, **config)
    assert answer[0] == status and words in answer[1]
