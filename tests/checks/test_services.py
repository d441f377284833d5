"""The checks of mail servers and Redis that are unreachable, refuse or never answer."""

import os

import pytest

from quire.checks import services
from tests.mail_servers import running_post
from tests.running_server import free_port, silent_server

MAIL = {"MAIL_SERVER": "127.0.0.1", "MAIL_DEFAULT_SENDER": "quire@example.org"}


def said(make_app, check, **config):
    with make_app(**config).app_context():
        return check()


@pytest.fixture
def post():
    """A running mail server."""
    with running_post() as server:
        yield server


def test_working_mail_server_passes_and_gets_no_mail(make_app, post):
    assert said(make_app, services.check_mail, **post.settings()).status == "ok"
    assert post.letters == []


def test_missing_mail_server_or_sender_is_reported(make_app):
    assert said(make_app, services.check_mail).status == "warning"
    result = said(make_app, services.check_mail, MAIL_SERVER="127.0.0.1")
    assert result.status == "error" and "MAIL_DEFAULT_SENDER" in result.reason


def test_unreachable_mail_server_is_an_error(make_app):
    port = free_port()
    result = said(make_app, services.check_mail, **MAIL, MAIL_PORT=port)
    assert result.status == "error" and f"127.0.0.1:{port} refuses our sign-in" in result.reason


def test_mail_server_without_login_is_an_error_and_leaks_no_password(make_app, post):
    config = post.settings(MAIL_USERNAME="quire", MAIL_PASSWORD="secret-of-mail")
    result = said(make_app, services.check_mail, **config)
    assert result.status == "error" and "secret-of-mail" not in result.reason


def test_mail_server_without_tls_is_an_error(make_app, post):
    result = said(make_app, services.check_mail, **post.settings(MAIL_USE_TLS=True))
    assert result.status == "error" and "STARTTLS" in result.reason


def test_silent_mail_server_times_out(make_app, monkeypatch):
    monkeypatch.setattr(services, "CONNECT_SECONDS", 0.2)
    with silent_server() as (port, connections):
        result = said(make_app, services.check_mail, **MAIL, MAIL_PORT=port)
        assert connections() == 1
    assert result.status == "error" and "timed out" in result.reason


@pytest.mark.parametrize(
    ("check", "name", "status"),
    [
        (services.check_redis, "REDIS_URL", "warning"),
        (services.check_broker, "CELERY_BROKER_URL", "error"),
    ],
)
def test_unreachable_redis_is_reported(make_app, check, name, status):
    url = f"redis://127.0.0.1:{free_port()}/0"
    assert said(make_app, check, **{name: url}).status == status
    assert said(make_app, check).reason == "not used"


@pytest.mark.skipif("TEST_REDIS_URL" not in os.environ, reason="TEST_REDIS_URL is not set")
def test_working_redis_passes(make_app):
    url = os.environ["TEST_REDIS_URL"]
    assert said(make_app, services.check_redis, REDIS_URL=url).status == "ok"
    assert said(make_app, services.check_broker, CELERY_BROKER_URL=url).status == "ok"
