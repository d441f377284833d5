"""Registers the panel in an application: Flask-Admin, a dashboard, one view for every record type."""

from flask import Blueprint, Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from quire.admin.audit.view import AuditView
from quire.admin.dashboard.home import HomeView
from quire.admin.media import MediaView
from quire.admin.moderation.views import ModeratedView, QueueLink
from quire.admin.pages.archive import ArchiveView
from quire.admin.pages.backups import BackupsView
from quire.admin.pages.checks import ChecksView
from quire.admin.pages.imports import ImportView
from quire.admin.pages.invitations import InvitationsView
from quire.admin.pages.jobs import JobsView
from quire.admin.pages.log import LogView
from quire.admin.pages.mail_preview import MailView
from quire.admin.pages.palette import PaletteView
from quire.admin.pages.permissions import PermissionsView
from quire.admin.pages.sessions import SessionsView
from quire.admin.panel_view import nonce
from quire.admin.record_view import RecordView
from quire.admin.urls import blueprint_of
from quire.declare.record import REGISTRY

SECTIONS = ("Content", "People", "Site", "System")
"""Groups of the menu, in this order; others follow."""
CUSTOM_VIEWS = (
    InvitationsView,
    PermissionsView,
    ArchiveView,
    BackupsView,
    ChecksView,
    ImportView,
    JobsView,
    LogView,
    MailView,
    PaletteView,
)
"""Pages that belong to no record type."""
VIEWS = {"audit_events": AuditView, "media": MediaView, "sessions": SessionsView}
"""Types with their own views."""


def init_admin(app: Flask) -> Admin:
    """Register the panel at `/admin/`."""
    app.register_blueprint(Blueprint("panel_templates", __name__, template_folder="templates"))
    theme = Bootstrap4Theme(base_template="quire_admin/base.html")
    admin = Admin(app, name="Quire", index_view=HomeView(), theme=theme, csp_nonce_generator=nonce)
    for section in SECTIONS:
        admin.add_category(section)
    for record in REGISTRY.values():
        default = RecordView if record.moderation is None else ModeratedView
        admin.add_view(VIEWS.get(record.path, default)(record))
        if record.moderation is not None:
            admin.add_link(QueueLink(record))
    for view in CUSTOM_VIEWS:
        admin.add_view(view())
    names = (
        "admin",
        "access",
        "archive",
        "backups",
        "checks",
        "imports",
        "jobs",
        "log",
        "mail",
        "invitations",
    )
    for name in (*names, *(blueprint_of(record) for record in REGISTRY.values())):
        # PanelView checks the same token, and shows a form again with what was typed
        app.extensions["csrf"].exempt(app.blueprints[name])
    return admin
