"""A run collects no deselected folders or files, releases tests after they have run, and measures little of their
preparation."""

import re
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from tests.conftest import (
    FOLDERS_OF_MARKERS,
    FinishedTests,
    MeasuredPreparations,
    ShortReports,
    pytest_ignore_collect,
)


def is_left_out(path, expression):
    config = SimpleNamespace(option=SimpleNamespace(markexpr=expression))
    return bool(pytest_ignore_collect(path, config))


@pytest.mark.parametrize("folder", FOLDERS_OF_MARKERS, ids=lambda path: path.name)
def test_all_tests_of_such_a_folder_have_its_marker(folder):
    texts = {path.name: path.read_text("utf-8") for path in folder.rglob("test_*.py")}
    marks = {
        name: re.search(r"(?s)^pytestmark = .*?\n\n", text, re.MULTILINE)
        for name, text in texts.items()
    }
    word = f"pytest.mark.{FOLDERS_OF_MARKERS[folder]}"
    assert texts
    assert [name for name, found in marks.items() if not found or word not in found[0]] == []


@pytest.mark.parametrize("folder", FOLDERS_OF_MARKERS, ids=lambda path: path.name)
def test_folder_is_skipped_if_its_marker_is_deselected(folder):
    marker = FOLDERS_OF_MARKERS[folder]
    assert is_left_out(folder, f"not {marker}")
    assert is_left_out(folder, f"not slow and not {marker}")
    for path in (folder.parent, folder.parent / "api", folder / "conftest.py"):
        assert not is_left_out(path, f"not {marker}")


@pytest.mark.parametrize(
    "expression",
    ["", "{0}", "slow", "not slow", "not {0} or slow", "not (not {0})", "slow and not (x or {0})",
     "slow and not {0}", "not (slow and not {0} and not x)"],
)  # fmt: skip
def test_folder_is_collected_if_one_of_its_tests_might_run(expression):
    for folder, marker in FOLDERS_OF_MARKERS.items():
        assert not is_left_out(folder, expression.format(marker))


@pytest.mark.parametrize(
    "line, expression, left_out",
    [
        ("pytestmark = pytest.mark.slow", "not browser and not slow", True),
        ("pytestmark = pytest.mark.slow  # it takes seconds", "not slow", True),
        ("pytestmark = pytest.mark.slow", "slow", False),
        ("pytestmark = pytest.mark.slow", "", False),
        ("pytestmark = pytest.mark.slower", "not slow", False),
        ("    pytestmark = pytest.mark.slow", "not slow", False),
        ("pytestmark = [pytest.mark.slow, needs_nginx]", "not slow", False),
        ("@pytest.mark.slow", "not slow", False),
    ],
)
def test_file_is_skipped_if_the_marker_of_all_its_tests_is_deselected(
    tmp_path, line, expression, left_out
):
    file = tmp_path / "test_x.py"
    file.write_text(f"import pytest\n\n{line}\n", "utf-8")
    assert is_left_out(file, expression) == left_out


@pytest.fixture
def reported():
    """`reported(listed)`: the reports kept of three, if `-r` has the letters of `listed`."""

    def report(listed, **more):
        kept = {"": ["set up"], "passed": [], "failed": []}
        terminal = SimpleNamespace(stats=kept, hasopt=listed.__contains__)
        plugins = SimpleNamespace(get_plugin={"terminalreporter": terminal}.get)
        reports = ShortReports(SimpleNamespace(pluginmanager=plugins, **more))
        for outcome, name in (("passed", "a"), ("failed", "b"), ("passed", "c")):
            kept.setdefault(outcome, []).append(name)
            reports.pytest_runtest_logreport(name)
        return kept

    return report


def test_one_report_is_kept_for_all_tests_that_passed(reported):
    assert reported("fE") == {"passed": ["a", "a"], "failed": ["b"]}


@pytest.mark.parametrize("listed", ["p", "P", "fpE"])
def test_all_reports_are_kept_if_passed_tests_are_listed(reported, listed):
    assert reported(listed) == {"passed": ["a", "c"], "failed": ["b"]}


def test_workers_keep_no_reports(reported):
    assert reported("fE", workerinput={}) == {}


@pytest.fixture
def has_run():
    """`has_run(items, item, **fixtures)`: finish a test that used these fixtures."""

    def run(items, item, **fixtures):
        item._fixtureinfo = SimpleNamespace(name2fixturedefs=fixtures)
        hook = FinishedTests(items).pytest_runtest_protocol(item)
        next(hook)
        with pytest.raises(StopIteration):
            hook.send(True)

    return run


def test_finished_test_is_forgotten(has_run):
    first, second = items = [SimpleNamespace(nodeid=name) for name in ("test_a", "test_b")]
    has_run(items, first)
    assert items == [None, second]


@pytest.fixture(scope="module")
def long_lived():
    """A fixture that several tests use."""


@pytest.fixture
def short_lived(long_lived):
    """A fixture for one test only, which ends before the one it depends on."""


@pytest.mark.usefixtures("short_lived")
def test_finalizers_of_finished_fixtures_are_forgotten(has_run, request):
    fixtures = request.node._fixtureinfo.name2fixturedefs
    [long], [short] = fixtures["long_lived"], fixtures["short_lived"]
    item = SimpleNamespace(nodeid="test_a")
    kept = len(long._finalizers)
    has_run([item], item, long_lived=[long])
    assert len(long._finalizers) == kept
    with patch.object(short, "cached_result", None):
        has_run([item], item, long_lived=[long])
    assert len(long._finalizers) == kept - 1


def test_each_fixture_is_measured_once_in_a_file():
    calls = []
    controller = SimpleNamespace(
        pause=lambda: calls.append("pause"), resume=lambda: calls.append("resume")
    )
    measured = MeasuredPreparations(controller)
    tests = [
        SimpleNamespace(path=path, fixturenames=names.split())
        for path, names in (("a", "app"), ("a", "app"), ("a", "app client"), ("a", "client"), ("b", "app"))
    ]  # fmt: skip

    def is_measured(hook):
        calls.clear()
        next(hook)
        paused = calls == ["pause"]
        with pytest.raises(StopIteration):
            hook.send(None)
        assert calls == (["pause", "resume"] if paused else [])
        return not paused

    seen = [
        (
            is_measured(measured.pytest_runtest_setup(one)),
            is_measured(measured.pytest_runtest_teardown(one, following)),
        )
        for one, following in zip(tests, [*tests[1:], None], strict=True)
    ]
    assert seen == [(True, True), (False, False), (True, True), (False, True), (True, True)]
