"""Appearance: how the site looks to readers; a single row."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.column_types import Html, Summary
from quire.declare.fields import Editable, Shown
from quire.declare.markdown import render_field, render_footer
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import Access, Record
from quire.declare.references import Ref, reference
from quire.declare.rules import ANYONE, NOBODY, role
from quire.declare.value_kinds_appearance import Color, Language, Menu
from quire.records.image_references import check_image
from quire.records.site_settings import ONLY_ROW
from quire.store.db import Model


class Appearance(HasId, Timestamped, Versioned, Model):
    """The site's logo, color, menu, footer and language."""

    __tablename__ = "appearance"

    footer: Mapped[Summary] = mapped_column(default="")
    footer_html: Mapped[Html] = mapped_column(default="")
    logo_id: Mapped[Ref | None] = reference("media", on_delete="SET NULL", index=True)
    accent_color: Mapped[Color] = mapped_column(default="")
    menu: Mapped[Menu] = mapped_column(default=list)
    language: Mapped[Language] = mapped_column(default="en")


def before_save(change: Change) -> None:
    """Render the footer, and check that the logo is an image."""
    check_image(change, "logo")
    render_field(change, "footer")


def _make_row(table: Any, connection: Any, **_: Any) -> None:
    """Create the single row with the table, as the migration does."""
    moment = now()
    connection.execute(table.insert().values(id=ONLY_ROW, created_at=moment, updated_at=moment))


event.listen(Appearance.__table__, "after_create", _make_row)

APPEARANCE = Record(
    Appearance,
    path="appearance",
    fields=[
        Shown("id", read_rule=NOBODY),
        Editable(
            "footer",
            help="Shown at the bottom of every page. You can use Markdown.",
            rendering=render_footer,
        ),
        Shown("footer_html", computed=True),
        Editable("logo", help="An image shown next to the site name."),
        Editable(
            "accent_color",
            help="Color of links and buttons, such as #0b6b5f. It is lightened or darkened where needed for contrast. Leave empty for the default color.",
        ),
        Editable(
            "menu",
            help="One entry per line, such as About = /about. Leave empty to list all pages.",
        ),
        Editable("language", help="The language of your content, such as en or pt-BR. Dates are formatted for it."),
        Shown("version"),
        Shown("updated_at"),
    ],
    access=Access(read=ANYONE, update=role("admin"), panel=role("admin")),
    before_save=before_save,
    singleton=True,
    section="Site",
)  # fmt: skip
