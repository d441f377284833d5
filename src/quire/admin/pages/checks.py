"""The checks of the installation as a page for administrators: what is not well, and what to do."""

from types import SimpleNamespace

from flask_admin import expose

from quire.admin.panel_view import PanelView
from quire.checks.doctor import examine
from quire.translations.languages import ENGLISH
from quire.translations.messages import Message
from quire.web.language import gettext, translate
from quire.web.threads import blocking

TONES = {"ok": "good", "warning": "warn", "error": "bad"}
WORDS = {"ok": Message("OK"), "warning": Message("Warning"), "error": Message("Error")}
ORDER = ("error", "warning", "ok")


class ChecksView(PanelView):
    """`/admin/checks/`: what `manage.py check --deploy` says."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(
            name="Checks", category="System", endpoint="checks", menu_icon_value="check"
        )

    @expose("/")
    def index(self) -> str:
        """The page; each check takes seconds at most."""
        with blocking():  # others are answered by other threads meanwhile
            results = list(examine(True, {}))
        rows = [
            SimpleNamespace(
                name=_capitalized(translate(name)),
                status=translate(WORDS[one.status]),
                tone=TONES[one.status],
                reason=_text(one.reason),
                action=_text(one.action),
            )
            for name, one in sorted(results, key=lambda pair: ORDER.index(pair[1].status))
        ]
        return self.render("quire_admin/checks.html", heading=gettext("Checks"), rows=rows)


def _capitalized(name: str) -> str:
    return name[:1].upper() + name[1:]


def _text(words: str | None) -> SimpleNamespace | None:
    """A sentence in the language of the page; one of a command's stays English, and says so."""
    if words is None:
        return None
    language = None if isinstance(words, Message) else ENGLISH
    return SimpleNamespace(words=translate(words), language=language)
