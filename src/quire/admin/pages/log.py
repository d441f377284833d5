"""The log page for administrators: the latest entries, all of them or only problems."""

from types import SimpleNamespace
from typing import Any

from flask import current_app, request, url_for
from flask_admin import expose

from quire.admin.local_time import format_moment
from quire.admin.panel_view import PanelView
from quire.monitoring.recent_log import LogEntry, recent_entries
from quire.web.language import gettext

SHOWN = 200
"""The number of entries on a page."""
PROBLEMS = ("warning", "error", "critical")
TONES = {"warning": "warning", "error": "error", "critical": "error"}


class LogView(PanelView):
    """`/admin/log/`: the latest entries, without secrets, as in the log itself."""

    role = "admin"

    def __init__(self) -> None:
        super().__init__(name="Log", category="System", endpoint="log", menu_icon_value="log")

    @expose("/")
    def index(self) -> str:
        """The page; `show=problems` omits successes, `q` everything without these words."""
        only_problems = request.args.get("show") == "problems"
        words = request.args.get("q", "").strip().lower()
        entries = [
            one
            for one in recent_entries(current_app.config)
            if (not only_problems or one.level in PROBLEMS) and words in one.text.lower()
        ]
        return self.render(
            "quire_admin/log.html",
            heading=gettext("Log"),
            entries=[_row(one) for one in entries[:SHOWN]],
            only_problems=only_problems,
            q=request.args.get("q", ""),
            all_url=url_for("log.index"),
            problems_url=url_for("log.index", show="problems"),
            file=current_app.config["LOG_FILE"],
        )


def _row(entry: LogEntry) -> Any:
    return SimpleNamespace(
        when=format_moment(entry.time),
        level=entry.level.capitalize(),
        tone=TONES.get(entry.level, ""),
        text=entry.text,
    )
