"""House rules that can be checked automatically."""

import ast
import re
from pathlib import Path
from statistics import median

import pytest

pytestmark = pytest.mark.no_cover  # it runs none of our code

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), ROOT / "serve.py", ROOT / "manage.py"])
ASSEMBLY = {"src/quire/app.py", "src/quire/cli/main.py"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
FIXED = (": Record)", ": Table)", ": Action)", ": Path)", ": Dialect)", ": Many)")
"""Of these there are as many as are declared."""
NAMED = {
    "_select_active(by: str)",  # hash or id
    "_digest(name: str)",  # files of the package
    "digest(name: str)",
    "reference_model(table: str)",  # tables
    "_templates(form: str)",  # text or HTML
    "_increment_statement(path: str)",  # counters of types
    "_increment_statement(name: str)",
    "_key(secret: str)",  # the installation's
    "_due(limit: int)",  # constants of the workers
    "_dispatch(limit: int)",
    "_batch(limit: int)",
    "_upsert(dialect: str)",
    "count_hits(dialect: str)",
    "_pool(at_once: int)",  # a setting
    "_target_table(name: str)",  # fields
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def length(node):
    return node.end_lineno - node.lineno + 1


def named(path):
    return path.relative_to(ROOT).as_posix()


def trees():
    """Yield each file with its syntax tree, one after the other: all of them together take 100 MB."""
    for path in SOURCES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


class FileRules:
    """The rules for each file."""

    def is_short(path, tree):
        assert path.read_text(encoding="utf-8").count("\n") <= 300

    def has_short_functions(path, tree):
        long = [f"{f.name}: {length(f)}" for f in functions(tree) if length(f) > 50]
        assert not long

    def imports_at_its_top_only(path, tree):
        if named(path) in ASSEMBLY:
            return
        inside = [
            f"{f.name}, line {node.lineno}"
            for f in functions(tree)
            for node in ast.walk(f)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]
        assert not inside

    def keeps_no_more_than_a_fixed_number(path, tree):
        """`@cache` never evicts: each of its arguments must have one of few values that Quire itself defines."""
        kept = [f for f in functions(tree) if "cache" in map(ast.unparse, f.decorator_list)]
        arguments = {
            f"{f.name}({a.arg}: {ast.unparse(a.annotation)})" for f in kept for a in f.args.args
        }
        assert not [one for one in arguments if not one.endswith(FIXED) and one not in NAMED]

    def catches_only_what_it_knows(path, tree):
        broad = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.ExceptHandler)
            and (
                node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
            )
        ]
        assert not broad

    def says_what_it_is_for(path, tree):
        text = ast.get_docstring(tree)
        assert text, "no docstring"

    def explains_its_public_names(path, tree):
        silent = [
            node.name
            for node in tree.body
            if isinstance(node, (*FUNCTIONS, ast.ClassDef))
            and not node.name.startswith("_")
            and not ast.get_docstring(node)
        ]
        assert not silent

    def has_a_telling_name(path, tree):
        assert path.stem not in VAGUE

    def leaves_nothing_to_do(path, tree):
        assert not re.search(r"\b(TODO|FIXME|XXX)\b", path.read_text(encoding="utf-8"))

    def names_the_encoding_of_text(path, tree):
        text = path.read_text(encoding="utf-8")
        silent = re.findall(r"\.(?:read_text|write_text)\((?![^)]*encoding)[^)]*\)", text)
        assert not silent


RULES = [rule for name, rule in vars(FileRules).items() if not name.startswith("_")]


@pytest.fixture(scope="module")
def broken():
    """The files that break a rule, with the reason, by the name of the rule."""
    found = {rule.__name__: {} for rule in RULES}
    for path, tree in trees():
        for rule in RULES:
            try:
                rule(path, tree)
            except AssertionError as error:
                found[rule.__name__][named(path)] = str(error)
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_follows_the_rules(rule, broken):
    # one test for all files: 450 tests per rule would be most of what pytest collects
    assert broken[rule.__name__] == {}


def test_median_function_is_short():
    assert median(length(f) for _, tree in trees() for f in functions(tree)) <= 7


def test_scripts_are_short():
    scripts = [path for path in (ROOT / "src").rglob("*.js") if "vendor" not in path.parts]
    assert {
        named(path) for path in scripts if path.read_text(encoding="utf-8").count("\n") > 300
    } == set()


def test_only_one_function_commits():
    begun = [
        named(path).removeprefix("src/quire/store/")
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\.commit\(|connection\.begin\(", line)
    ]
    # those of PostgreSQL are in db.py, those of SQLite elsewhere; a read begins a transaction that is never committed
    own = ["connections/driver_statements.py", "connections/shared_commit.py", "db.py"]
    assert sorted(begun) == own


def test_pickle_is_not_used():
    imported = {
        alias.name
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert not imported & {"pickle", "marshal", "shelve"}
