"""Puts the panel into an application: Flask-Admin, a home page, one view for every record type."""

from flask import Blueprint, Flask
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme

from quire.admin.access import AccessView
from quire.admin.addresses import blueprint_of
from quire.admin.archive import ArchiveView
from quire.admin.headers import nonce
from quire.admin.home import HomeView
from quire.admin.imports import ImportView
from quire.admin.invitations import InvitationsView
from quire.admin.jobs import JobsView
from quire.admin.letters import LettersView
from quire.admin.media import MediaView
from quire.admin.views import RecordView
from quire.declare.record import REGISTRY

SECTIONS = ("Content", "People", "Site", "System")
"""Groups of the menu, in their order; others follow."""
BY_HAND = (InvitationsView, AccessView, ArchiveView, ImportView, JobsView, LettersView)
"""Pages that are no record's."""
VIEWS = {"media": MediaView}
"""Types whose pages can do more than others."""


def init_app(app: Flask) -> Admin:
    """Put the panel at `/admin/`: a home page and a view of every record type."""
    app.register_blueprint(Blueprint("panel_templates", __name__, template_folder="templates"))
    theme = Bootstrap4Theme(base_template="quire_admin/base.html")
    admin = Admin(app, name="Quire", index_view=HomeView(), theme=theme, csp_nonce_generator=nonce)
    for section in SECTIONS:
        admin.add_category(section)
    for record in REGISTRY.values():
        admin.add_view(VIEWS.get(record.path, RecordView)(record))
    for view in BY_HAND:
        admin.add_view(view())
    names = ("admin", "access", "archive", "imports", "jobs", "letters", "invitations")
    for name in (*names, *(blueprint_of(record) for record in REGISTRY.values())):
        # the gate checks the same token, and gives a form back with what was typed
        app.extensions["csrf"].exempt(app.blueprints[name])
    return admin
