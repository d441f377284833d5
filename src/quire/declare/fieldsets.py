"""Fieldsets: the parts of a form, each with a heading and a column."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Fieldset:
    """A part of a form; with `folded`, it is collapsed while its fields are empty.

    `placement` is the wide column (`main`) or the narrow one beside it (`side`). Forms without a long text have
    only one column, with the fieldsets below the other fields.
    """

    title: str
    folded: bool = False
    placement: Literal["main", "side"] = "side"


PUBLISHING = Fieldset("Publishing")
"""The dates that decide when readers see a record; the first fieldset of the narrow column."""

DETAILS = Fieldset("Details")
"""The fieldset of fields whose declaration names no other."""

SUMMARY = Fieldset("Cover and summary")
"""How a record is shown in lists on the site."""

SEARCH_ENGINES = Fieldset("Search engines and sharing", folded=True)
