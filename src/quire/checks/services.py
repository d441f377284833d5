"""Checks of other servers that this installation is configured to use: mail, Redis, the broker."""

from importlib import import_module

from flask import current_app
from limits.storage import storage_from_string

from quire.checks.check import OK, Check, error, ok, warning
from quire.jobs.mail.smtp import try_server
from quire.security.counter_storage import storage_uri
from quire.translations.messages import Message
from quire.web.current import current_application

CONNECT_SECONDS = 2.0
"""The time limit for each response of a server."""
NOT_USED = ok(Message("not used"))


def check_mail() -> Check:
    """Check whether the mail server accepts mail from this installation."""
    config = current_app.config
    if not config["MAIL_SERVER"]:
        reason = Message(
            "MAIL_SERVER is not set: no email is sent, and no password can be reset by its owner."
        )
        return warning(
            reason,
            Message("Set MAIL_SERVER; until then, emails are in outbox/ of the instance folder."),
        )
    if not config["MAIL_DEFAULT_SENDER"]:
        reason = Message(
            "MAIL_DEFAULT_SENDER is not set: servers may refuse mail from an address that is made up."
        )
        return error(reason, Message("Set MAIL_DEFAULT_SENDER to an address at your own domain."))
    fault = try_server(CONNECT_SECONDS)
    if fault is None:
        return OK
    reason = Message(
        "The mail server at %(host)s:%(port)s refuses our sign-in: %(fault)s.",
        host=config["MAIL_SERVER"],
        port=config["MAIL_PORT"],
        fault=fault,
    )
    return error(
        reason,
        Message("Check MAIL_SERVER, MAIL_PORT, MAIL_USE_TLS, MAIL_USERNAME and the firewall."),
    )


def check_redis() -> Check:
    """Check whether Redis answers."""
    url = current_app.config["REDIS_URL"]
    if not url:
        return NOT_USED
    if storage_from_string(storage_uri(url)).check():
        return OK
    reason = Message(
        "Redis is not responding: until it does, each process counts its own rate limits."
    )
    return warning(reason, Message("Start Redis, or check REDIS_URL."))


def check_broker() -> Check:
    """Check whether the broker of Celery answers."""
    if not current_app.config["CELERY_BROKER_URL"]:
        return NOT_USED
    celery = import_module("quire.jobs.celery")
    if celery.is_broker_reachable(current_application(), CONNECT_SECONDS):
        return OK
    reason = Message("The broker is not responding: jobs wait until it does.")
    return error(reason, Message("Start it, or check CELERY_BROKER_URL."))
