"""The names of types and fields for people: labels, and nouns for sentences."""

import re
from typing import Any

_ACRONYMS = {"api": "API", "html": "HTML", "id": "ID", "ip": "IP", "seo": "SEO", "url": "URL"}


def label_of(name: str) -> str:
    """Return the label of the field or type `name`: `Active` for is_active, `Body (HTML)` for body_html."""
    words = [_ACRONYMS.get(word, word) for word in name.removeprefix("is_").split("_")]
    if len(words) > 1 and words[-1] == "HTML":
        words[-1] = "(HTML)"
    return capitalize_first(" ".join(words))


def capitalize_first(words: str) -> str:
    """Return `words` with an initial capital; unlike `str.capitalize`, it leaves the rest as it is."""
    return words[:1].upper() + words[1:]


def in_sentence(label: str) -> str:
    """Return a label for use inside a sentence: acronyms keep their capitals."""
    return " ".join(word if word.isupper() else word.lower() for word in label.split(" "))


class Labels:
    """The names of a record type, derived from its class and its path.

    `singular_label` is the name of one record, if it differs from the class.
    """

    model: Any
    path: str
    singular_label: str

    @property
    def label(self) -> str:
        """The name for several records."""
        return label_of(self.path)

    @property
    def singular(self) -> str:
        """The name for one record."""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.model.__name__).lower()
        return self.singular_label or label_of(name)

    @property
    def noun(self) -> str:
        """The name for one record inside a sentence."""
        return in_sentence(self.singular)

    @property
    def plural_noun(self) -> str:
        """The name for several records inside a sentence."""
        return in_sentence(self.label)

    @property
    def summary(self) -> str:
        """The first line of the class's docstring."""
        return (self.model.__doc__ or self.label).strip().splitlines()[0]
