"""Mail in tests: an SMTP server that responds as it is told, and the emails of an application."""

import asyncio
import email
import re
import socket
from contextlib import contextmanager
from email import policy

from aiosmtpd.controller import Controller
from sqlalchemy import select, update

from quire.declare.clock import now
from quire.jobs.worker import run_due_jobs
from quire.store.db import read_connection, transaction
from quire.store.events.mail import MAIL
from quire.store.events.outbox import OutboxEvent

TABLE = OutboxEvent.__table__


class Post:
    """An SMTP server on 127.0.0.1; `answers` are its next responses to RCPT, `data` those to DATA.

    `slow` is the number of seconds before its response to `DATA` or `QUIT`.
    """

    def __init__(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.answers, self.data, self.letters, self.slow = [], [], [], {}
        self.controller = None

    def settings(self, **more):
        """Return the settings that make an application use this server."""
        return {
            "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": self.port, "MAIL_SUPPRESS_SEND": False,
            "MAIL_DEFAULT_SENDER": "quire@example.org", "PUBLIC_URL": "https://example.org", **more,
        }  # fmt: skip

    def start(self):
        """Listen."""
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self):
        """Stop the server."""
        if self.controller is not None:
            self.controller.stop()
            self.controller = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        """Respond to a recipient address."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        """Receive an email."""
        answer = self.data.pop(0) if self.data else "250 OK"
        if answer.startswith("250"):
            self.letters.append(email.message_from_bytes(envelope.content, policy=policy.default))
        await asyncio.sleep(self.slow.get("DATA", 0))
        return answer

    async def handle_QUIT(self, server, session, envelope):
        """Respond to the end of a session."""
        await asyncio.sleep(self.slow.get("QUIT", 0))
        return "221 Bye"


@contextmanager
def running_post():
    """Run an SMTP server."""
    server = Post()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def owed(app):
    """Return the rows of emails that are not sent yet, in order."""
    with app.app_context(), read_connection() as connection:
        return connection.execute(
            select(TABLE).where(TABLE.c.type == MAIL).order_by(TABLE.c.id)
        ).all()


def hasten(app):
    """Make everything that waits due now."""
    with app.app_context(), transaction() as connection:
        mail = TABLE.c.type == MAIL
        connection.execute(update(TABLE).where(mail).values(due_at=now()))


def sent(app):
    """Send what is due; return all emails in the folder of the instance, oldest first."""
    with app.app_context():
        run_due_jobs()
    folder = app.config["QUIRE_INSTANCE"] / "outbox"
    paths = sorted(folder.glob("*.eml"), key=lambda path: int(path.stem.rpartition("-")[2]))
    return [email.message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def heard(letters):
    """Return the recipients, by the name in each address, and the subjects."""
    return [(one["To"].partition("@")[0], one["Subject"]) for one in letters]


def text_of(letter):
    """Return the plain text of an email."""
    return letter.get_body(("plain",)).get_content().replace("\r\n", "\n")


def page_of(letter):
    """Return the HTML of an email."""
    return letter.get_body(("html",)).get_content()


def link_in(letter):
    """Return the path and query of the link in an email."""
    return re.search(r"https?://[^/\s]+(/auth/\S+)", text_of(letter))[1]
