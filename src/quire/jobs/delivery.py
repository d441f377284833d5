"""How a letter leaves: by SMTP through Flask-Mail, or into a folder where there is no server."""

import logging
import os
import smtplib
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_mail import Connection, Mail, Message

from quire.declare.clock import now
from quire.declare.jobs import Hopeless, Job, handles
from quire.jobs.kept import folder
from quire.jobs.letter import Letter, root
from quire.jobs.writing import write
from quire.store.credentials import digest
from quire.store.mailbox import MAIL

logger = logging.getLogger("quire.mail")
logger.setLevel(logging.INFO)

mail = Mail()


class Line(Connection):
    """Flask-Mail's connection with a patience that ends, and certificates that are checked."""

    def configure_host(self) -> smtplib.SMTP:
        """A server that is ready to take mail. Raises OSError."""
        seconds, tls = current_app.config["MAIL_TIMEOUT"], ssl.create_default_context()
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
        """Say goodbye, and do not wait for the answer: the mail is taken, which has to be noted."""
        if self.host is not None:
            with suppress(OSError):
                self.host.putcmd("quit")
            self.host.close()


@handles(MAIL)
def send(job: Job) -> None:
    """Write the letter that is owed, and send it. Raises OSError, Hopeless."""
    letter = write(job)
    try:
        if letter is not None:
            deliver(letter, str(job.id))
    except OSError as error:
        if is_final(error):
            raise Hopeless(f"The mail is refused: {error}") from error
        raise


def deliver(letter: Letter, name: str) -> None:
    """Send a letter; `name` tells it from all others, also when it is sent again. Raises OSError."""
    message = _message(letter, name)
    if current_app.config["MAIL_SERVER"]:
        with Line(current_app.extensions["mail"]) as line:
            line.send(message)
    else:
        _keep(letter, name, message)


def is_final(error: OSError) -> bool:
    """Whether the server will never take this mail; what is wrong with us is mended one day."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    refused = isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError)
    return refused and error.smtp_code >= 500  # type: ignore[attr-defined]


def _message(letter: Letter, name: str) -> Message:
    subject, text, page = letter.rendered()
    host = urlsplit(root()).hostname
    sender = current_app.config["MAIL_DEFAULT_SENDER"] or f"quire@{host}"
    # RFC 3834: nobody's holiday notice shall answer
    more = {"Auto-Submitted": "auto-generated", **_one_click(letter)}
    message = Message(subject, [letter.to], text, page, sender=sender, extra_headers=more)
    # the same at each attempt, like the letter itself: whoever gets it twice may drop either
    message.msgId = f"<{digest(current_app.config['SECRET_KEY'] + name)[:32]}@{host}>"
    return message


def _one_click(letter: Letter) -> dict[str, str]:
    """RFC 8058: a button of the mail program ends mail of this kind."""
    if not letter.unsubscribe:
        return {}
    return {
        "List-Unsubscribe": f"<{letter.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _keep(letter: Letter, name: str, message: Message) -> None:
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = place / f"{now():%Y%m%d-%H%M%S}-{letter.kind}-{name}.eml"
    # what it holds may open an account: for nobody else's eyes
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(message.as_bytes())
    logger.info("No MAIL_SERVER is set: the mail to %s is kept in %s", letter.to, path)
