"""Names in the code: functions are named after what they do or return, and unused definitions are found."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TEXTS = {".py", ".html", ".xml", ".txt", ".js", ".jinja"}
NAMED_ONCE = {"DECLARING_MODULES"}
"""It keeps imports that declare something."""


def words_of_the_program():
    """Return how often each word occurs in the package and in the programs next to it."""
    folders = [ROOT / name for name in ("src", "tools", "benchmarks", "alembic_migrations")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in TEXTS]
    words = Counter()
    for path in [*files, ROOT / "serve.py", ROOT / "manage.py"]:
        words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return words


def names_of(tree):
    """Yield the names that a module defines for others; decorated ones are used by their registry."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list:
            yield node.name
        if isinstance(node, ast.Assign):
            yield from (one.id for one in node.targets if isinstance(one, ast.Name))


def test_every_definition_is_used():
    words = words_of_the_program()
    unused = {
        name
        for path in SOURCES
        for name in names_of(ast.parse(path.read_text(encoding="utf-8")))
        if words[name] == 1 and not name.startswith("__")
    }
    assert unused == NAMED_ONCE


NOUNS = {
    "coding", "encoding", "feed", "grouping", "heading", "ordering", "seed", "setting", "sorting", "succeed", "timing",
    "warning",
}  # fmt: skip
"""Words that end as participles do, and are none."""
STANDARD = {
    "blocking",  # a context manager without a decorator
    "created", "skipped", "updated",  # counts in reports
    "pending",  # an action of the API, which is named after its function
    "received",  # waitress calls it
    "scoped",  # a rule with a scope
}  # fmt: skip
VAGUE = {
    "above", "ahead", "among", "around", "at", "behind", "below", "between", "beyond", "by", "found", "given", "held",
    "inside", "kept", "known", "made", "of", "own", "past", "said", "seen", "sent", "shown", "taken", "through", "told",
    "within",
}  # fmt: skip
"""Prepositions, and participles with an end of their own."""


def is_vague(function):
    """Return whether a function's name is a bare participle or preposition, without a word for what it does or returns.

    A context manager may be named by a participle, as in `with restoring()`, and so may the wrapper in a decorator.
    """
    around = {ast.unparse(one).partition("(")[0] for one in function.decorator_list}
    if around & {"contextmanager", "wraps"} or function.name.startswith("__"):
        return False
    word = function.name.strip("_")
    is_participle = re.fullmatch(r"[a-z]+(ed|ing)", word) and word not in NOUNS | STANDARD
    return word in VAGUE or bool(is_participle)


def functions(source):
    """Return all functions of a module, including methods and inner ones."""
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]


def test_function_names_are_verbs_or_nouns():
    vague = [
        (path.relative_to(ROOT).as_posix(), one.name)
        for path in SOURCES
        for one in functions(path.read_text(encoding="utf-8"))
        if is_vague(one)
    ]
    assert vague == []


def test_bare_participles_are_detected():
    names = "def cached(): 0\ndef _own(): 0\ndef own_rows(): 0\ndef cached_rows(): 0\ndef seed(): 0"
    assert [one.name for one in functions(names) if is_vague(one)] == ["cached", "_own"]
    assert not is_vague(functions("@contextmanager\ndef serving(): 0")[0])
