"""Sends emails: by SMTP through Flask-Mail, or into a folder if there is no server."""

import logging
import os
import smtplib
import ssl
from contextlib import suppress
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_mail import Connection, Mail, Message

from quire.declare.clock import now
from quire.declare.email_address import ascii_address, is_address
from quire.declare.job_registry import Job, PermanentFailure, on_event
from quire.jobs.mail.account_mail import write_message
from quire.jobs.mail.file_backend import folder
from quire.jobs.mail.message import MailMessage, site_root
from quire.jobs.mail.unsubscribe import unsubscribe_headers
from quire.security.tokens import digest
from quire.store.events.mail import MAIL

logger = logging.getLogger("quire.mail")
logger.setLevel(logging.INFO)

mail = Mail()


class CheckedConnection(Connection):
    """Flask-Mail's connection with a timeout and verified certificates."""

    seconds: float | None = None
    """How long to wait for a response; by default MAIL_TIMEOUT."""

    def configure_host(self) -> smtplib.SMTP:
        """Connect to the server. Raises OSError."""
        tls = ssl.create_default_context()
        seconds = self.seconds or current_app.config["MAIL_TIMEOUT"]
        where = (self.mail.server, self.mail.port)
        if self.mail.use_ssl:
            host: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=seconds, context=tls)
        else:
            host = smtplib.SMTP(*where, timeout=seconds)
        try:
            if self.mail.use_tls:
                host.starttls(context=tls)
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
        except OSError:
            host.close()
            raise
        return host

    def __exit__(self, *failure: Any) -> None:
        """Close the connection without waiting for the reply: the server has accepted the mail, which has to be
        recorded.
        """
        if self.host is not None:
            with suppress(OSError):
                self.host.putcmd("quit")
            self.host.close()


def try_server(seconds: float) -> str | None:
    """Sign in at the mail server without sending anything; return why that fails, or None."""
    line = CheckedConnection(current_app.extensions["mail"])
    line.seconds = seconds
    try:
        line.configure_host().close()
    except OSError as error:
        return str(error)
    return None


@on_event(MAIL, title="Send an email")
def send_job(job: Job) -> None:
    """Build the email of a job, and send it. Raises OSError, PermanentFailure."""
    mail = write_message(job)
    try:
        if mail is not None:
            deliver(mail, str(job.id))
    except OSError as error:
        if is_final(error):
            raise PermanentFailure(f"The mail is refused: {error}") from error
        raise


def deliver(mail: MailMessage, name: str) -> None:
    """Send an email; `name` identifies it, and is the same when it is sent again. Raises OSError."""
    message = _email_message(mail, name)
    if current_app.config["MAIL_SERVER"]:
        with CheckedConnection(current_app.extensions["mail"]) as line:
            line.send(message)
    else:
        _store(mail, name, message)


def is_final(error: OSError) -> bool:
    """Return whether the server will never accept this email; problems on our side can be fixed."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    refused = isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError)
    return refused and error.smtp_code >= 500  # type: ignore[attr-defined]


def _email_message(mail: MailMessage, name: str) -> Message:
    subject, text, page = mail.render()
    host = urlsplit(site_root()).hostname
    sender = _ascii_sender(current_app.config["MAIL_DEFAULT_SENDER"] or f"quire@{host}")
    # RFC 3834: automatic replies such as holiday notices are unwanted
    more = {"Auto-Submitted": "auto-generated", **unsubscribe_headers(mail.unsubscribe)}
    to = ascii_address(mail.to)
    message = Message(subject, [to], text, page, sender=sender, extra_headers=more)
    # the same for each attempt, as is the email itself, so that duplicates are recognized
    message.msgId = f"<{digest(current_app.config['SECRET_KEY'] + name)[:32]}@{host}>"
    return message


def _ascii_sender(text: str) -> str:
    """Return an address, with its name if it has one, whose domain every mail server understands."""
    address = parseaddr(text)[1]
    return text.replace(address, ascii_address(address)) if is_address(address) else text


def _store(mail: MailMessage, name: str, message: Message) -> None:
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = place / f"{now():%Y%m%d-%H%M%S}-{mail.kind}-{name}.eml"
    part = path.with_suffix(".part")  # so that readers of the folder only see complete files
    # its links may open an account, so nobody else may read it
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())
    part.replace(path)
    logger.info("No MAIL_SERVER is set: the mail to %s is kept in %s", mail.to, path)
