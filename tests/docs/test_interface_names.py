"""The phrases in italics in the user documentation are texts of the interface."""

import re
from pathlib import Path

import pytest

from tools import translations

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = (
    "accounts.md", "auth-for-clients.md", "editors.md", "importing.md", "operators.md", "theming.md",
)  # fmt: skip


@pytest.fixture(scope="module")
def texts():
    """The texts of the interface as one pattern; one or two words match one or more values."""
    ids = (one.id for one in translations.template() if one.id)
    forms = [form for id in ids for form in ([id] if isinstance(id, str) else id)]
    marked = (re.sub(r"%\(\w+\)s( %\(\w+\)s)*", "\0", form) for form in forms)
    named = (re.escape(form) for form in marked if re.search(r"\w", form))
    return re.compile("|".join(form.replace("\0", r"\S+( \S+)?") for form in named))


def italics(page):
    """Return the phrases in italics of a page; a path through the menu is split into its parts."""
    text = (DOCS / page).read_text(encoding="utf-8")
    text = re.sub(r"```.*?```|`[^`]*`|^    .*?$", "", text, flags=re.DOTALL | re.MULTILINE)
    phrases = re.findall(r"(?<![*\w])\*([^*]+)\*(?![*\w])", text)
    return [part for one in phrases for part in " ".join(one.split()).split(", ")]


@pytest.mark.parametrize("page", PAGES)
def test_phrases_in_italics_are_in_the_interface(page, texts):
    assert [one for one in italics(page) if not texts.fullmatch(one)] == []


def test_unknown_phrases_are_not_in_the_interface(texts):
    assert texts.fullmatch("New post") and not texts.fullmatch("Publish it tomorrow")
