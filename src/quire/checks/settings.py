"""Checks of settings: what is unsafe in public, what is missing, and what is contradictory."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import current_app

from quire.checks.check import OK, Check, error, warning
from quire.config.load import refuse_unsafe
from quire.config.validation import LOOPBACK, UnsafeConfig
from quire.monitoring.setup import shared_counters
from quire.translations.messages import Message
from quire.web.hosts import is_served_host

Config = Mapping[str, Any]


def check_environment() -> Check:
    """Check whether this is production, with a secret key that cannot be guessed and without a debugger."""
    name = current_app.config["QUIRE_ENV"]
    if name != "production":
        reason = Message("QUIRE_ENV is %(name)s: errors show the code to everyone.", name=name)
        return error(reason, Message("Set QUIRE_ENV=production, and remove FLASK_DEBUG."))
    try:
        refuse_unsafe(current_app.config)
    except UnsafeConfig as fault:
        return error(
            str(fault), Message("Remove SECRET_KEY: one is then made in the instance folder.")
        )
    return OK


def check_address() -> Check:
    """Check whether the public URL is safe, and its host is served."""
    url, hosts = current_app.config["PUBLIC_URL"], current_app.config["TRUSTED_HOSTS"]
    if not url.startswith("https://"):
        reason = Message("PUBLIC_URL is not an https address: passwords would be sent unencrypted.")
        return error(reason, Message("Set PUBLIC_URL=https://... to what readers type."))
    host = urlsplit(url).netloc
    if not hosts:
        return error(
            Message("TRUSTED_HOSTS is not set."), Message("Set TRUSTED_HOSTS=%(host)s.", host=host)
        )
    if not is_served_host(host, tuple(hosts)):
        reason = Message(
            "The host of PUBLIC_URL is not in TRUSTED_HOSTS: readers would be refused."
        )
        return error(reason, Message("Add %(host)s to TRUSTED_HOSTS.", host=host))
    return OK


def check_proxy() -> Check:
    """Check whether the headers of the proxy that terminates https are trusted."""
    config = current_app.config
    if config["TRUSTED_PROXY"] or not config["PUBLIC_URL"].startswith("https://"):
        return OK
    reason = Message(
        "TRUSTED_PROXY is not set: all readers seem to have the address of the proxy, and share limits."
    )
    return warning(
        reason, Message("Set TRUSTED_PROXY to the address that the proxy connects from.")
    )


def check_limits() -> Check:
    """Check whether attempts are limited across all processes."""
    config = current_app.config
    if not config["RATELIMIT_ENABLED"]:
        reason = Message("RATELIMIT_ENABLED is off: passwords can be guessed without limit.")
        return error(reason, Message("Set RATELIMIT_ENABLED=true."))
    processes = len(shared_counters().read(0).processes) - 1  # one of them is this command
    if processes > 1 and not config["REDIS_URL"]:
        reason = Message(
            "%(number)s processes are running, and each counts its own rate limits.",
            number=processes,
        )
        return warning(reason, Message("Set REDIS_URL, so that they count together."))
    return OK


def check_contradictions() -> Check:
    """Check whether settings are consistent."""
    return next(_contradictions(current_app.config), OK)


def _contradictions(config: Config) -> Iterator[Check]:
    yield from _mail_contradictions(config)
    if bool(config["S3_ACCESS_KEY"]) != bool(config["S3_SECRET_KEY"]):
        yield error(
            Message("S3_ACCESS_KEY and S3_SECRET_KEY must be set together."),
            Message("Set both, or neither."),
        )
    if config["S3_ACCESS_KEY"] and not config["S3_BUCKET"]:
        yield warning(
            Message("S3_ACCESS_KEY is set, but no S3_BUCKET."),
            Message("Set S3_BUCKET, or remove the keys."),
        )
    yield from _time_contradictions(config)


def _mail_contradictions(config: Config) -> Iterator[Check]:
    if config["MAIL_USE_TLS"] and config["MAIL_USE_SSL"]:
        reason = Message("MAIL_USE_TLS and MAIL_USE_SSL cannot both be set.")
        yield error(reason, Message("Set MAIL_USE_TLS for port 587, MAIL_USE_SSL for port 465."))
    if bool(config["MAIL_USERNAME"]) != bool(config["MAIL_PASSWORD"]):
        yield error(
            Message("MAIL_USERNAME and MAIL_PASSWORD must be set together."),
            Message("Set both, or neither."),
        )
    is_plain = not (config["MAIL_USE_TLS"] or config["MAIL_USE_SSL"])
    if config["MAIL_PASSWORD"] and is_plain and config["MAIL_SERVER"] not in LOOPBACK:
        yield error(
            Message("MAIL_PASSWORD would be sent unencrypted."),
            Message("Set MAIL_USE_TLS or MAIL_USE_SSL."),
        )
    if config["REQUIRE_EMAIL_VERIFICATION"] and not config["MAIL_SERVER"]:
        reason = Message("REQUIRE_EMAIL_VERIFICATION is on, but nobody can get the email.")
        yield error(reason, Message("Set MAIL_SERVER, or turn it off."))


LONGER = (
    ("SESSION_SECONDS", "SESSION_IDLE_SECONDS"),
    ("REMEMBER_SECONDS", "SESSION_IDLE_SECONDS"),
    ("JWT_REFRESH_TOKEN_EXPIRES", "JWT_ACCESS_TOKEN_EXPIRES"),
    ("REVISION_DAILY_DAYS", "REVISION_DAYS"),
)
"""Pairs of settings of which the first must not be smaller than the second."""


def _time_contradictions(config: Config) -> Iterator[Check]:
    for longer, shorter in LONGER:
        if config[longer] < config[shorter]:
            reason = Message(
                "%(longer)s (%(long)s) is less than %(shorter)s (%(short)s).",
                longer=longer,
                long=config[longer],
                shorter=shorter,
                short=config[shorter],
            )
            yield warning(
                reason,
                Message("Raise %(longer)s, or lower %(shorter)s.", longer=longer, shorter=shorter),
            )
