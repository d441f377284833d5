"""Loading settings: their sources, the values they become, and refusals."""

import os
import stat
import threading
from pathlib import Path

import pytest

from quire.config import docs, secret_key, settings
from quire.config.flask import database_uri
from quire.config.load import TESTING_SECRET, load
from quire.config.validation import UnsafeConfig, require_public_url

GOOD = "k3Vq9zLw7Rt2Xb8Nf5Jd1Hs6Pg4Mc0Ya"


@pytest.fixture(autouse=True)
def outside(monkeypatch, tmp_path):
    """An environment without Quire settings and with a fresh instance folder."""
    for name in [*docs.names(), "FLASK_DEBUG"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(settings.Settings.model_config, "env_file", tmp_path / ".env")
    monkeypatch.setenv("QUIRE_INSTANCE", str(tmp_path / "instance"))
    return tmp_path


def test_testing_ignores_the_environment_and_writes_no_files(outside, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    monkeypatch.setenv("MAIL_PORT", "nonsense")
    found = load("testing")
    assert found["TESTING"] is True
    assert found["SQLALCHEMY_DATABASE_URI"] == "sqlite://"
    assert found["RATELIMIT_ENABLED"] is found["WTF_CSRF_ENABLED"] is False
    assert found["PROPAGATE_EXCEPTIONS"] is found["PASSWORD_REFUSE_COMMON"] is False
    assert found["BCRYPT_LOG_ROUNDS"] == 4
    assert list(outside.iterdir()) == []


def test_testing_can_be_chosen_by_the_environment(monkeypatch):
    monkeypatch.setenv("QUIRE_ENV", "testing")
    assert load()["SECRET_KEY"] == TESTING_SECRET


def test_overrides_win():
    found = load("testing", {"DATABASE_URL": "postgres://u@h/d", "WTF_CSRF_ENABLED": True, "X": 1})
    assert found["SQLALCHEMY_DATABASE_URI"] == "postgresql+psycopg://u@h/d"
    assert (found["WTF_CSRF_ENABLED"], found["X"]) == (True, 1)
    uri = {"SQLALCHEMY_DATABASE_URI": "sqlite:///x"}
    assert load("testing", uri)["SQLALCHEMY_DATABASE_URI"] == "sqlite:///x"


def test_production_is_the_default(outside):
    found = load()
    instance = (outside / "instance").resolve()
    assert (found["QUIRE_ENV"], found["TESTING"]) == ("production", False)
    assert found["QUIRE_INSTANCE"] == instance
    assert found["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{instance.as_posix()}/quire.db"
    assert found["BCRYPT_HANDLE_LONG_PASSWORDS"] is True
    assert found["WTF_CSRF_ENABLED"] is True
    assert found["TRUSTED_HOSTS"] is None
    assert found["MAX_FORM_MEMORY_SIZE"] == found["MAX_CONTENT_LENGTH"]


def test_trusted_hosts_are_normalised_like_request_hosts():
    given = "A.org. .B.org [::1] b\xfccher.example"
    expected = ["a.org", ".b.org", "[::1]", "xn--bcher-kva.example"]
    assert load(None, {"TRUSTED_HOSTS": given})["TRUSTED_HOSTS"] == expected


def test_flask_debug_selects_development(monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert load()["QUIRE_ENV"] == "development"
    assert load()["PROPAGATE_EXCEPTIONS"] is None


def test_environment_overrides_the_env_file(outside, monkeypatch):
    lines = ["TRUSTED_HOSTS=a.org, b.org,", "MAIL_PORT=587", "THREADS=", "UNKNOWN=1"]
    (outside / ".env").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("MAIL_PORT", "465")
    found = load()
    assert found["TRUSTED_HOSTS"] == ["a.org", "b.org"]
    assert (found["MAIL_PORT"], found["THREADS"]) == (465, 4)


def test_public_url_is_normalised_like_in_browsers():
    for given in ("https://A.org:443/", "https://a.org", "https://a.org."):
        assert load(None, {"PUBLIC_URL": given})["PUBLIC_URL"] == "https://a.org"
    assert load(None, {"PUBLIC_URL": "http://[::1]:80"})["PUBLIC_URL"] == "http://[::1]"
    named = load(None, {"PUBLIC_URL": "https://b\u00fccher.example:8443"})["PUBLIC_URL"]
    assert named == "https://xn--bcher-kva.example:8443"


@pytest.mark.parametrize(
    "sender", ["", "q@a.org", "q@localhost", "q@b\xfccher.example", "\xc4nn & co <q@a.org>"]
)
def test_mail_sender_may_be_an_address_or_a_name_with_one(sender):
    assert load(None, {"MAIL_DEFAULT_SENDER": sender})["MAIL_DEFAULT_SENDER"] == sender


@pytest.mark.parametrize(("url", "secure"), [("https://a.org/", True), ("http://a.org", False)])
def test_cookie_security_follows_the_public_url(url, secure):
    found = load(None, {"PUBLIC_URL": url})
    assert found["PUBLIC_URL"] == url.rstrip("/")
    assert found["SESSION_COOKIE_SECURE"] is found["REMEMBER_COOKIE_SECURE"] is secure
    assert found["SESSION_COOKIE_NAME"].startswith("__Host-") is secure
    assert found["SESSION_COOKIE_SAMESITE"] == "Lax"


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://h/d?x=1", "postgresql+psycopg://h/d?x=1"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///a.db?timeout=9", "sqlite:////i/a.db?timeout=9"),
        ("sqlite:////b/a.db", "sqlite:////b/a.db"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths have drives there")
def test_database_urls_are_converted_for_sqlalchemy(url, uri):
    assert database_uri(url, Path("/i")) == uri


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is too short or too simple"),
        ({"SECRET_KEY": f"change-me-{GOOD}"}, "SECRET_KEY is a published example"),
        ({"SECRET_KEY": TESTING_SECRET}, "SECRET_KEY is a published example"),
        ({"SECRET_KEY": GOOD, "DEBUG": True}, "DEBUG is not for production"),
        ({"REMEMBER_SECONDS": "9" * 12}, "REMEMBER_SECONDS: Input should be less than or equal"),
        ({"SESSION_SECONDS": "9" * 12}, "SESSION_SECONDS: Input should be less than or equal"),
        ({"MAIL_PORT": "x"}, "MAIL_PORT: Input should be a valid integer"),
        (
            {"MAIL_DEFAULT_SENDER": "\xe4nn@a.org"},
            "MAIL_DEFAULT_SENDER: must be an email address such",
        ),
        ({"MAIL_DEFAULT_SENDER": "Ann <\xe4nn@a.org>"}, "MAIL_DEFAULT_SENDER: must be an email"),
        ({"MAIL_DEFAULT_SENDER": "Quire"}, "MAIL_DEFAULT_SENDER: must be an email address such"),
        (
            {"MAIL_DEFAULT_SENDER": "a@b.org\r\nBcc: c@d.org"},
            "MAIL_DEFAULT_SENDER: must be an email",
        ),
        ({"PASSWORD_MIN_LENGTH": 3}, "PASSWORD_MIN_LENGTH: Input should be greater"),
        ({"PUBLIC_URL": "a.org"}, "PUBLIC_URL: must look like https://example.org."),
        (
            {"PUBLIC_URL": "https://a.org/blog"},
            "PUBLIC_URL: must look like https://example.org; Quire",
        ),
        (
            {"PUBLIC_URL": "https://a.org/?x=1"},
            "PUBLIC_URL: must look like https://example.org, with",
        ),
        (
            {"PUBLIC_URL": "https://a.org/#top"},
            "PUBLIC_URL: must look like https://example.org, with",
        ),
        (
            {"PUBLIC_URL": "https://me:pw@a.org"},
            "PUBLIC_URL: must look like https://example.org, with",
        ),
        ({"PUBLIC_URL": "https://a.org:0x"}, "PUBLIC_URL: must look like https://example.org."),
        ({"PUBLIC_URL": "https://a.org\\x"}, "PUBLIC_URL: must look like https://example.org."),
        ({"PUBLIC_URL": "https://*.a.org"}, "PUBLIC_URL: must be a host name such as"),
        ({"TRUSTED_HOSTS": "*"}, "TRUSTED_HOSTS: must be host names such as"),
        (
            {"TRUSTED_HOSTS": "a.org *.b.org"},
            "TRUSTED_HOSTS: must be host names",
        ),
        ({"TRUSTED_HOSTS": "https://a.org"}, "TRUSTED_HOSTS: must be a host name such as"),
        ({"TRUSTED_HOSTS": "a.org:80"}, "TRUSTED_HOSTS: must be a host name such as"),
        (
            {"TRUSTED_PROXY": "*"},
            "TRUSTED_PROXY: must be the IP address of the proxy",
        ),
        ({"TRUSTED_PROXY": "10.0.0.0/8"}, "TRUSTED_PROXY: must be the IP address"),
        ({"RATELIMIT_API": "many"}, "RATELIMIT_API: must look like 600/minute"),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN: must be at least 16 characters"),
        ({"S3_ENDPOINT": "a.org"}, "S3_ENDPOINT: must look like https://example.org"),
        (
            {"DATABASE_REPLICA_URL": "postgres://h/d", "DATABASE_URL": "sqlite://"},
            "DATABASE_REPLICA_URL needs PostgreSQL",
        ),
        (
            {"DATABASE_REPLICA_URL": "postgres://h/d", "DATABASE_URL": "postgres://h/d"},
            "DATABASE_REPLICA_URL and DATABASE_URL are the same",
        ),
        ({"QUIRE_ENV": "live"}, "QUIRE_ENV: Input should be 'development', 'testing' or"),
        ({"DATABASE_PGBOUNCER": True, "DATABASE_URL": "sqlite://"}, "DATABASE_PGBOUNCER needs a"),
        (
            {"DATABASE_POOL_SIZE": 2, "DATABASE_POOL_OVERFLOW": 1},
            "DATABASE_POOL_SIZE and DATABASE_POOL_OVERFLOW allow 3 connections, but THREADS and JOB_",
        ),
    ],
)
def test_unsafe_settings_are_refused_in_one_line(overrides, words):
    with pytest.raises(UnsafeConfig) as refused:
        load(None, overrides)
    assert str(refused.value).startswith(words)
    assert "\n" not in str(refused.value)
    assert GOOD not in str(refused.value)


def test_production_refuses_flask_debug(monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "true")
    with pytest.raises(UnsafeConfig, match="DEBUG"):
        load("production")
    assert load("development", {"SECRET_KEY": "short"})["SECRET_KEY"] == "short"


def test_public_bind_address_requires_trusted_hosts():
    require_public_url({"PUBLIC_URL": "", "TRUSTED_HOSTS": None}, "127.0.0.1")
    require_public_url({"PUBLIC_URL": "http://a", "TRUSTED_HOSTS": ["a"]}, "0.0.0.0")
    with pytest.raises(UnsafeConfig, match="Set TRUSTED_HOSTS to serve on ::"):
        require_public_url({"PUBLIC_URL": "http://a", "TRUSTED_HOSTS": None}, "::")
    with pytest.raises(
        UnsafeConfig, match=r"Set PUBLIC_URL and TRUSTED_HOSTS to serve on 0\.0\.0\.0"
    ):
        require_public_url({"PUBLIC_URL": "", "TRUSTED_HOSTS": None}, "0.0.0.0")


def test_secret_key_is_generated_once_and_private(outside):
    first = load()["SECRET_KEY"]
    path = outside / "instance" / "secret_key"
    assert len(first) >= 64
    assert load()["SECRET_KEY"] == first == path.read_text(encoding="ascii")
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_concurrent_starts_share_one_secret_key(outside):
    found = []
    gate = threading.Barrier(8)

    def start():
        gate.wait()
        found.append(load()["SECRET_KEY"])

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_empty_secret_key_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "secret_key").touch()
    monkeypatch.setattr(secret_key, "PATIENCE", 0.05)
    with pytest.raises(UnsafeConfig, match=r"is empty\. Delete it"):
        load(overrides={"QUIRE_INSTANCE": tmp_path})


def test_generated_settings_documents_are_current():
    root = settings.ROOT
    assert (root / "docs" / "settings.md").read_text(encoding="utf-8") == docs.settings_page()
    assert (root / ".env.example").read_text(encoding="utf-8") == docs.env_example()


def test_secrets_are_hidden_in_the_printed_settings():
    url = f"postgresql://quire:{GOOD}@h/d"
    text = repr(settings.Settings(SECRET_KEY=GOOD, MAIL_PASSWORD=GOOD, DATABASE_URL=url))
    assert GOOD not in text
