"""Finds the texts of Quire and updates the catalogues: `python tools/translations.py`.

New texts are added to each `src/quire/translations/*.po` without a translation, and obsolete ones are removed.
`--check` changes nothing, and fails if a catalogue is out of date or lacks a translation.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from quire import records  # noqa: F401 - registers the record types
from quire.admin import past_tense
from quire.app import create_app
from quire.declare.record import REGISTRY, Record
from quire.declare.rules import Rule, in_third_person
from quire.errors import STATUS_NAMES
from quire.translations.languages import CATALOGUES

SOURCE = Path(__file__).resolve().parents[1] / "src" / "quire"
FOR_PROGRAMS = ("api", "cli", "serving", "config", "monitoring", "backup")
"""Folders whose texts only programs and operators read, in English."""
TEXTS = {
    "gettext": 1, "lazy_gettext": 1, "ngettext": 2, "plural_translation": 2, "Message": 2, "Fieldset": 1,
}  # fmt: skip
"""Functions whose first arguments are texts, and how many of them."""
SENTENCES = {
    "PermissionDenied": 0, "Conflict": 0, "NotFound": 0, "Unauthenticated": 0, "TooLarge": 0,
    "Unavailable": 0, "VersionConflict": 0,
    "require_own_page": 0, "InvalidToken": 0, "refuse": 2, "detail": 2, "PydanticCustomError": 1,
}  # fmt: skip
"""Functions and errors that take a whole sentence, and which of their arguments it is."""
TITLED = ("on_event", "on_event_batch", "periodic")
"""Decorators of jobs, whose `title` people read."""
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")
NOUNS = ("noun", "nouns", "count")
"""Placeholders that a translation may leave out: not every language says “this %(noun)s” without knowing its gender,
or “1” where a singular says it."""
Text = tuple[str, str | tuple[str, str]]
"""The file where a text stands, and the text, or its singular and plural."""


def python_texts(path: Path) -> Iterator[str | tuple[str, str]]:
    """Yield the texts in a module."""
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in TEXTS:
            words = [_constant(one) for one in call.args[: TEXTS[name]]]
            found = [word for word in words if word is not None]
            if found:
                yield found[0] if len(found) == 1 else (found[0], found[1])
        elif name in TITLED:
            yield from (str(one.value.value) for one in call.keywords if one.arg == "title")  # type: ignore[attr-defined]
        elif name in SENTENCES and len(call.args) > SENTENCES[name]:
            sentence = _constant(call.args[SENTENCES[name]])
            if sentence and "{" not in sentence:
                yield sentence


def _constant(node: ast.expr) -> str | None:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(node.value) if is_text else None  # type: ignore[attr-defined]


def _extracted(path: Path, method: str, names: tuple[str, ...]) -> Iterator[str | tuple[str, str]]:
    keywords = {name: (1, 2) if name.startswith("n") else None for name in names}
    options = {"trimmed": "true", "silent": "false", "parse_template_string": "true"}
    with BytesIO(path.read_bytes()) as file:
        for _, text, _, _ in extract(method, file, keywords, options=options):
            yield text if isinstance(text, str) else (text[0], text[1])


def declared_texts(record: Record) -> Iterator[str]:
    """Yield the texts for people in a declaration."""
    names = (record.label, record.singular, record.noun, record.plural_noun)
    yield from (*names, record.summary, record.section, record.empty_text)
    yield from (label for label, _ in record.tabs)
    for action in record.actions:
        yield from (action.label, action.past_tense)
    for field in record.fields:
        yield from (field.label, field.help)
        words = () if field.name == "language" else field.choices
        for word in words:
            label = word.replace("_", " ")
            yield from (label.capitalize(), label)
        if field.fieldset is not None:
            yield field.fieldset.title
    for rule in _rules(record):
        yield from (rule.needs, in_third_person(rule.needs))


def _rules(record: Record) -> Iterator[Rule]:
    """Yield the rules of a declaration that do not combine others."""
    access = (getattr(record.access, one.name) for one in fields(record.access))
    of_fields = (rule for one in record.fields for rule in (one.read_rule, one.write_rule))
    of_actions = (one.allow for one in record.actions)
    every = (one for one in (*access, *of_fields, *of_actions) if isinstance(one, Rule))
    yield from (part for rule in every for part in rule.walk() if not part.parts)


def texts() -> Iterator[Text]:
    """Yield all texts, each with its file."""
    for path in sorted(SOURCE.rglob("*.*")):
        place = path.relative_to(SOURCE).as_posix()
        if place.split("/", 1)[0] in FOR_PROGRAMS or "/vendor/" in place:
            continue
        for text in _texts_of(path, place):
            yield place, text
    yield from (("errors.py", text) for text in STATUS_NAMES.values())
    yield "admin/past_tense.py", past_tense.PLAIN_SENTENCE
    for words in (
        past_tense.WORDS, past_tense.SENTENCES, past_tense.INTERFACES, past_tense.KINDS,
        past_tense.PROOFS, past_tense.SHARED_WITH,
    ):  # fmt: skip
        yield from (("admin/past_tense.py", text) for text in words.values())
    panel = create_app("testing").extensions["admin"][0]
    for view in panel._views:  # noqa: SLF001
        yield from (("admin/setup.py", str(one)) for one in (view.name, view.category) if one)
    for group in panel._menu:  # noqa: SLF001
        yield from (("admin/setup.py", str(entry.name)) for entry in group._children)  # noqa: SLF001
    for record in REGISTRY.values():
        module = record.model.__module__.removeprefix("quire.").replace(".", "/")
        yield from ((f"{module}.py", text) for text in declared_texts(record) if text)


def _texts_of(path: Path, place: str) -> Iterable[str | tuple[str, str]]:
    if path.suffix == ".py":
        return python_texts(path)
    if "/templates/" in place:
        return _extracted(path, "jinja2.ext:babel_extract", ("_", "gettext", "ngettext"))
    if path.suffix == ".js":
        return _extracted(path, "javascript", ("translate", "ntranslate"))
    return ()


def template() -> Catalog:
    """Return a catalogue of all texts, without translations."""
    catalogue = Catalog(project="Quire", charset="utf-8")
    for place, text in texts():
        catalogue.add(text, locations=[(place, 0)])
    return catalogue


def updated(path: Path, new: Catalog) -> bytes:
    """Return the catalogue at `path` with the texts of `new`, as bytes of a .po file."""
    with path.open("rb") as file:
        old = read_po(file, locale=path.stem.replace("-", "_"))
    translations = {message.id: message.string for message in old if message.id}
    result = Catalog(locale=old.locale, charset="utf-8", fuzzy=False)
    for message in new:
        if message.id:
            empty = ("",) * result.num_plurals if message.pluralizable else ""
            found = translations.get(message.id, empty)
            result.add(message.id, found, locations=message.locations)
    file_bytes = BytesIO()
    write_po(
        file_bytes, result, omit_header=True, sort_output=True, include_lineno=False, width=100
    )
    return _header(path.stem, result).encode() + file_bytes.getvalue()


def _header(code: str, catalogue: Catalog) -> str:
    fields = {
        "Language": code,
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": catalogue.plural_forms,
    }
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in fields.items())
    return f'msgid ""\nmsgstr ""\n{lines}\n'


def problems(path: Path) -> list[str]:
    """Return the problems of a catalogue's translations, as sentences."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    return [words for message in catalogue if message.id for words in _problems(message)]


def _problems(message: object) -> Iterator[str]:
    ids = message.id if message.pluralizable else (message.id,)
    strings = message.string if message.pluralizable else (message.string,)
    if message.fuzzy or not all(strings):
        yield f"{ids[0]!r} is not translated"
        return
    for number, string in enumerate(strings):
        wanted = ids[min(number, len(ids) - 1)]
        found, given = (set(PLACEHOLDER.findall(one)) for one in (string, wanted))
        if found - given or given - found - set(NOUNS):
            yield f"{wanted!r} has other placeholders than {string!r}"


def _tell(words: str) -> None:
    sys.stdout.write(f"{words}\n")


def main() -> int:
    """Update the catalogues, or check them; return 1 if something remains to be done."""
    new, status = template(), 0
    for path in sorted(CATALOGUES.glob("*.po")):
        result = updated(path, new)
        if result != path.read_bytes():
            if "--check" in sys.argv:
                _tell(f"{path.name} is not up to date: run python tools/translations.py")
                status = 1
            else:
                path.write_bytes(result)
        for words in problems(path):
            _tell(f"{path.name}: {words}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
