"""The names of types and fields that people read: labels, and nouns in sentences."""

import re
from typing import Any

_ACRONYMS = {"api": "API", "html": "HTML", "id": "ID", "ip": "IP", "seo": "SEO", "url": "URL"}


def label_of(name: str) -> str:
    """The label of the field or type `name`: `Active` for is_active, `Body (HTML)` for body_html."""
    words = [_ACRONYMS.get(word, word) for word in name.removeprefix("is_").split("_")]
    if len(words) > 1 and words[-1] == "HTML":
        words[-1] = "(HTML)"
    return capitalize_first(" ".join(words))


def capitalize_first(words: str) -> str:
    """`words` with a capital at their beginning; the others stay, unlike with `str.capitalize`."""
    return words[:1].upper() + words[1:]


def in_sentence(label: str) -> str:
    """A label as it stands inside a sentence: acronyms keep their capitals."""
    return " ".join(word if word.isupper() else word.lower() for word in label.split(" "))


class Labels:
    """The names of a record type, which follow from its class and its path.

    `singular_label` is what people call one of them, where it is not the name of the class.
    """

    model: Any
    path: str
    singular_label: str

    @property
    def label(self) -> str:
        """What people call many of them."""
        return label_of(self.path)

    @property
    def singular(self) -> str:
        """What people call one of them."""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.model.__name__).lower()
        return self.singular_label or label_of(name)

    @property
    def noun(self) -> str:
        """What one of them is called inside a sentence."""
        return in_sentence(self.singular)

    @property
    def plural_noun(self) -> str:
        """What many of them are called inside a sentence."""
        return in_sentence(self.label)

    @property
    def summary(self) -> str:
        """The first line of the class's docstring."""
        return (self.model.__doc__ or self.label).strip().splitlines()[0]
