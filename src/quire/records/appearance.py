"""Appearance: how the site looks to readers, one row of it."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.appearances import Color, Language, Menu
from quire.declare.change import Change
from quire.declare.clock import now
from quire.declare.columns import Dated, Numbered, Ref, Versioned, refer
from quire.declare.fields import Editable, Shown
from quire.declare.kinds import Html, Summary
from quire.declare.markup import render
from quire.declare.record import Access, Record
from quire.declare.rules import ANYONE, NOBODY, role
from quire.store.db import Model
from quire.store.pictures import check_picture
from quire.store.site import ONLY_ROW


class Appearance(Numbered, Dated, Versioned, Model):
    """The site's logo, colour, menu and footer, and the language that it is written in."""

    __tablename__ = "appearance"

    footer: Mapped[Summary] = mapped_column(default="")
    footer_html: Mapped[Html] = mapped_column(default="")
    logo_id: Mapped[Ref | None] = refer("media", on_delete="SET NULL", index=True)
    accent_color: Mapped[Color] = mapped_column(default="")
    menu: Mapped[Menu] = mapped_column(default=list)
    language: Mapped[Language] = mapped_column(default="en")


def prepare(change: Change) -> None:
    """The footer's HTML; the logo has to be a picture."""
    check_picture(change, "logo")
    render(change, "footer")


def _make_row(table: Any, connection: Any, **_: Any) -> None:
    """The one row is born with its table; the migration does the same."""
    moment = now()
    connection.execute(table.insert().values(id=ONLY_ROW, created_at=moment, updated_at=moment))


event.listen(Appearance.__table__, "after_create", _make_row)

APPEARANCE = Record(
    Appearance,
    path="appearance",
    fields=[
        Shown("id", to=NOBODY),
        Editable("footer", help="Markdown; stands at the end of each page."),
        Shown("footer_html", made=True),
        Editable("logo", help="A picture that stands before the name of the site."),
        Editable(
            "accent_color",
            help="Colour of links and buttons, such as #0b6b5f; made lighter or darker where it "
            "could not be read. Empty: ours.",
        ),
        Editable(
            "menu",
            help="One per line, such as About = /about. Empty: the pages, in their order.",
        ),
        Editable("language", help="Of what is written, such as en or pt-BR; dates follow it."),
        Shown("version"),
        Shown("updated_at"),
    ],
    access=Access(read=ANYONE, update=role("admin"), panel=role("admin")),
    before=prepare,
    single=True,
    section="Site",
)  # fmt: skip
