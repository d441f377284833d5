"""Form inputs that WTForms does not have: a checkbox that is submitted when unchecked, a point in an image."""

from typing import Any

from markupsafe import Markup
from wtforms import BooleanField
from wtforms import Field as FormField
from wtforms.widgets import TextInput

from quire.web.language import gettext


class Checkbox(BooleanField):
    """A checkbox that is submitted as empty text when unchecked, so that a form may omit it."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Checked if any of the values says so."""
        if valuelist:
            self.data = any(value not in self.false_values for value in valuelist)

    def __call__(self, **attributes: Any) -> Markup:
        off = Markup('<input type="hidden" name="{}" value="">').format(self.name)
        return off + super().__call__(**attributes)


NUMBER = TextInput("number")
POINT = Markup('<span class="point" data-point>{}</span>')


class PointField(FormField):
    """A point in an image, from left and top in percent, as two numbers in one text."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """`50 25` for the two numbers; empty if both are."""
        self.data = " ".join(valuelist).strip()

    def __call__(self, **attributes: Any) -> Markup:
        across, down = ([*str(self.data or "").split(" "), "", ""])[:2]
        limits: dict[str, Any] = {"min": 0, "max": 100, "step": 0.1}
        first = NUMBER(self, value=across, **limits, **attributes)
        attributes |= {
            "id": f"{self.id}-down",
            "aria-label": gettext("%(label)s: down", label=self.label.text),
        }
        second = NUMBER(self, value=down, **limits, **attributes)
        words = Markup(gettext("%(across)s %% to the right, %(down)s %% down"))  # noqa: S704 - a text of ours
        return POINT.format(words % {"across": first, "down": second})
