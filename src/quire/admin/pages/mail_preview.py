"""Emails that were stored instead of sent, for administrators of a development installation.

Their links give access to accounts, so in production they can only be read on the server.
"""

from flask import Response, current_app
from flask_admin import expose

from quire.admin.local_time import format_moment
from quire.admin.panel_view import PanelView, panel_actor
from quire.errors import NotFound
from quire.jobs.mail import file_backend
from quire.translations.messages import Message
from quire.web.language import gettext

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""The headers of an email shown as HTML: styles are allowed, scripts are not."""
SENT = Message("Emails are sent by %(server)s and not stored here.", server="")
ON_SERVER = Message(
    "No mail server is configured, so emails are stored in the folder outbox on the server. In production they "
    "can be read only there, since their links give access to accounts."
)


class MailView(PanelView):
    """`/admin/mail/`: the emails in the outbox folder."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(name="Mail", category="System", endpoint="mail", menu_icon_value="mail")

    def is_accessible(self) -> bool:
        """For administrators, outside production, if no mail server is configured."""
        config = current_app.config
        is_kept = not config["MAIL_SERVER"] and config["QUIRE_ENV"] != "production"
        return is_kept and super().is_accessible()

    def refusal(self) -> str:
        """Tell administrators where emails are instead."""
        if not panel_actor().at_least(self.role):
            return super().refusal()
        server = current_app.config["MAIL_SERVER"]
        return SENT.with_values(server=server) if server else ON_SERVER

    @expose("/")
    def index(self) -> str:
        """The list of emails."""
        messages = list(file_backend.list_messages())
        return self.render(
            "quire_admin/mail.html",
            heading=gettext("Mail"),
            messages=messages,
            moment=format_moment,
        )

    @expose("/<file>")
    def message_view(self, file: str) -> str:
        """One email, as text."""
        message = _message_or_404(file)
        return self.render(
            "quire_admin/mail_message.html",
            heading=message.message["Subject"],
            crumbs=[(gettext("Mail"), self.get_url("mail.index"))],
            message=message,
            moment=format_moment,
        )

    @expose("/<file>/html")
    def html(self, file: str) -> Response:
        """One email as HTML, as mail programs show it."""
        page = _message_or_404(file).part("html")
        return Response(page, headers={"Content-Security-Policy": POLICY})


def _message_or_404(name: str) -> file_backend.StoredMessage:
    message = file_backend.get_message(name)
    if message is None:
        raise NotFound
    return message
