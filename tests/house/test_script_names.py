"""Names in templates, scripts and style sheets follow the same rules as those in the code."""

import re

from tests.house.test_names import NOUNS, ROOT, VAGUE

SOURCES = ROOT / "src" / "quire"
SCRIPTS = [path for path in SOURCES.rglob("static/*.js") if "vendor" not in path.parts]
TEMPLATES = [path for path in SOURCES.rglob("templates/**/*.*") if path.suffix in {".html", ".txt"}]
DEFINITIONS = (
    r"\bfunction (\w+)\(", r"^(?:const|let|class) (\w+)", r"^  (?:async |get )?(\w+)\(.*\{", r"\{%-? macro (\w+)",
    r"\{%-? block (\w+)", r" data-([a-z-]+)[=\"> ]", r"\bdataset\.(\w+)",
)  # fmt: skip
STANDARD = {"typing", "saving"}
"""States in which a field or a form is for a moment."""


def names(source):
    """Return the names that a script or a template defines for others."""
    return {name for one in DEFINITIONS for name in re.findall(one, source, re.MULTILINE)}


def is_vague(name):
    """Return whether a name is a bare participle, adverb or preposition."""
    is_participle = re.fullmatch(r"[a-z]+(ed|ing)", name) and name not in NOUNS | STANDARD
    return name in VAGUE | {"later"} or bool(is_participle)


def test_names_in_scripts_and_templates_are_descriptive():
    assert SCRIPTS and TEMPLATES
    assert not [
        (path.name, name)
        for path in SCRIPTS + TEMPLATES
        for name in names(path.read_text(encoding="utf-8"))
        if is_vague(name)
    ]


def test_bare_participles_are_found_in_any_definition():
    source = "function counted(text) {}\n  later() {\n{% macro made(chart) %}\n<b data-shown>"
    assert {name for name in names(source) if is_vague(name)} == {
        "counted",
        "later",
        "made",
        "shown",
    }
