"""The catalogues are up to date with the code, complete, and keep the placeholders of the English texts."""

import ast
import re

import pytest

from quire.translations.languages import CATALOGUES
from tools import translations

FILES = sorted(CATALOGUES.glob("*.po"))


@pytest.fixture(scope="module")
def template():
    return translations.template()


def test_german_is_there():
    assert [path.name for path in FILES] == ["de.po"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_catalogue_has_exactly_the_texts_of_the_code(path, template):
    assert translations.updated(path, template) == path.read_bytes(), (
        "run python tools/translations.py, then translate what it names"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_catalogue_is_complete(path):
    assert translations.problems(path) == []


def test_errors_in_catalogues_are_detected(tmp_path):
    path = tmp_path / "de.po"
    path.write_text(
        'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "None"\nmsgstr ""\n\nmsgid "By %(name)s"\nmsgstr "Von"\n\n'
        'msgid "%(num)s post"\nmsgid_plural "%(num)s posts"\n'
        'msgstr[0] "%(num)s Beitrag"\nmsgstr[1] "%(number)s Beiträge"\n',
        encoding="utf-8",
    )
    assert [words.split(" has ")[0] for words in translations.problems(path)] == [
        "'None' is not translated", "'By %(name)s'", "'%(num)s posts'",
    ]  # fmt: skip


QUOTED = re.compile(r'(?:"|`) ?([A-Z][a-z]+(?: [^"`$]+)[^"`$]*)(?:"|`)')


def test_scripts_contain_no_untranslated_texts(template):
    """Scripts of the panel translate with `translate`; texts of other scripts are in their page."""
    scripts = list(translations.SOURCE.rglob("static/*.js"))
    found = [(p.name, text) for p in scripts for text in QUOTED.findall(p.read_text("utf-8"))]
    assert len(found) > 50
    assert [one for one in found if one[1] not in template] == []


FOR_PROGRAMS_ONLY = {
    "declare/column_types.py", "exchange/people.py", "exchange/tables/command.py",
    "exchange/tables/import_jobs.py", "records/media.py", "store/bulk.py", "store/changes/preconditions.py",
}  # fmt: skip
"""Where sentences for imports, bulk requests and parameters of the API are put together."""


def test_errors_are_not_concatenated():
    found = set()
    for path in translations.SOURCE.rglob("*.py"):
        place = path.relative_to(translations.SOURCE).as_posix()
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(getattr(call, "func", None), "id", None) or getattr(
                getattr(call, "func", None), "attr", None
            )
            number = translations.SENTENCES.get(name, 99)
            is_call = isinstance(call, ast.Call) and len(call.args) > number
            if is_call and isinstance(call.args[number], ast.JoinedStr):
                found.add(place)
    written_for_people = {
        place for place in found if place.split("/")[0] not in translations.FOR_PROGRAMS
    }
    assert written_for_people <= FOR_PROGRAMS_ONLY


def test_texts_of_every_package_are_found(template):
    for text in (
        "Nothing has been published here yet.",  # a template
        "You have been signed out.",  # a call of gettext
        "You cannot delete your own account here.",  # an error
        "Leave this empty",  # the label of a form
        "Emails about comments",  # a declaration
        "Hello %(username)s,",  # a mail
    ):
        assert text in template
    assert ("%(count)s day", "%(count)s days") in template
