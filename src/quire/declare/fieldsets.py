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
"""Where the dates stand by which readers see a record; the first part of the narrow column."""

DETAILS = Fieldset("Details")
"""Where fields stand whose declaration names no other part."""

SUMMARY = Fieldset("Cover and summary")
"""How a record is shown in lists of the site."""

SEARCH_ENGINES = Fieldset("Search engines and sharing", folded=True)
