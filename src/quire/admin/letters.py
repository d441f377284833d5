"""Mail that was kept instead of sent, for administrators of an installation under development.

Its links open accounts, so in production it is read on the machine itself, or not at all.
"""

from flask import Response, current_app
from flask_admin import expose

from quire.admin.gate import Gate, actor_here
from quire.errors import Missing
from quire.jobs import kept

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""For a letter as a browser shows it: it may look as it likes, and do nothing."""


class LettersView(Gate):
    """`/admin/letters/`: the folder of mail."""

    def __init__(self) -> None:
        super().__init__(
            name="Mail", category="System", endpoint="letters", menu_icon_value="letters"
        )

    def is_accessible(self) -> bool:
        """Administrators, where mail is kept and nothing is at stake."""
        config = current_app.config
        is_kept = not config["MAIL_SERVER"] and config["QUIRE_ENV"] != "production"
        return is_kept and super().is_accessible() and actor_here().role == "admin"

    @expose("/")
    def index(self) -> str:
        """All letters."""
        found = list(kept.letters())
        return self.render("quire_admin/letters.html", heading="Mail", letters=found)

    @expose("/<file>")
    def letter(self, file: str) -> str:
        """One letter, as text."""
        found = _found(file)
        return self.render(
            "quire_admin/letter.html",
            heading=found.message["Subject"],
            crumbs=[("Mail", self.get_url("letters.index"))],
            letter=found,
        )

    @expose("/<file>/html")
    def html(self, file: str) -> Response:
        """The same as mail programs show it."""
        page = _found(file).part("html")
        return Response(page, headers={"Content-Security-Policy": POLICY})


def _found(name: str) -> kept.Kept:
    found = kept.letter(name)
    if found is None:
        raise Missing
    return found
