"""What search engines and link previews are told of a text, where that is not the text itself."""

from sqlalchemy.orm import Mapped, mapped_column

from quire.declare.fields import Editable, Field
from quire.declare.kinds import SeoDescription, SeoTitle

GROUP = "Search engines and sharing"


class Findable:
    """Rows that may be called otherwise where they are found than where they are read."""

    seo_title: Mapped[SeoTitle] = mapped_column(default="")
    seo_description: Mapped[SeoDescription] = mapped_column(default="")


def seo_fields() -> list[Field]:
    """The fields of Findable, which few records fill and few readers of the API want."""
    return [
        Editable(
            "seo_title", seldom=True, group=GROUP, advised=60, label="SEO title",
            help="In search results and shared links, instead of the title; about 60 characters are shown.",
        ),
        Editable(
            "seo_description", seldom=True, group=GROUP, advised=160, label="SEO description",
            help="Below it there, instead of the excerpt or the first words; about 160 characters are shown.",
        ),
    ]  # fmt: skip
