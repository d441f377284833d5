"""Hooks for collecting and measuring tests, and the fixtures of `tests/fixtures.py` in processes that run tests."""

import re
from collections import Counter
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest

FOLDERS_OF_MARKERS = {Path(__file__).parent / name: name for name in ("browser", "faults", "fuzz")}
"""Folders in which all tests have the marker of the same name."""
MARKER_OF_FILE = re.compile(r"^pytestmark = pytest\.mark\.(\w+)\b", re.MULTILINE)
COVERED_CASES = 2
"""Of each test with many parameters: most are of one more record type, page or language, and add next to nothing."""
TESTS = Path(__file__).parent
FOLDERS_OF_VALUES = frozenset(("api", "backup", "checks", "config", "exchange", "serving"))
"""Where a case is another value, mostly read in another way: all are measured, for 7 % more of processor time."""


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session):
    """Load the fixtures after pytest-cov has started, since it does not measure earlier imports.

    Not in the process that only distributes tests to others, which would need 70 MB more.
    """
    if not only_distributes(session.config):
        # `import_plugin` refuses what the conftest.py of a folder has imported before
        session.config.pluginmanager.register(import_module("tests.fixtures"), "tests.fixtures")
    if session.config.option.durations is None:
        session.config.pluginmanager.register(ShortReports(session.config))


class ShortReports:
    """Drops the reports of passed tests, which nobody reads: pytest keeps three per test, 70 MB in all."""

    def __init__(self, config):
        terminal = config.pluginmanager.get_plugin("terminalreporter")
        self._reports = terminal.stats
        self._is_read = not hasattr(config, "workerinput")
        self._lists_passed = terminal.hasopt("p") or terminal.hasopt("P")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report):
        """Keep no report that is sent to another process, and one for all passed tests: only their number is shown."""
        self._reports.pop("", None)
        if not self._is_read:
            self._reports.clear()
        elif not self._lists_passed and "passed" in self._reports:
            self._reports["passed"][-1] = self._reports["passed"][0]


class FinishedTests:
    """Releases tests as they finish in a process of pytest-xdist, so that later tests can use their memory."""

    def __init__(self, items):
        self._items = items
        self._places = {item.nodeid: place for place, item in enumerate(items)}
        for item in items:
            item.funcargs = item._request = (
                None  # created when the test runs, as when it is run again
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        """Release a test that has run."""
        try:
            return (yield)
        finally:
            self._items[self._places[item.nodeid]] = None
            for error in raised_parameters(item):
                error.__traceback__ = None
            for fixture in chain(*item._fixtureinfo.name2fixturedefs.values()):
                fixture._finalizers[:] = [one for one in fixture._finalizers if not is_done(one)]


def is_done(finalizer):
    """Return whether a finalizer belongs to a fixture that has ended already.

    A session fixture keeps the finalizer of each fixture that used it, and thereby each test, until the run ends.
    """
    fixture = getattr(getattr(finalizer, "func", None), "__self__", None)
    return isinstance(fixture, pytest.FixtureDef) and fixture.cached_result is None


def raised_parameters(item):
    """Return parameters of a test that it may have raised: each would keep the frames of the test and its
    application."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return [one for one in parameters if isinstance(one, Exception)]


def only_distributes(config):
    """Return whether this is the process of pytest-xdist that distributes the tests to others."""
    option = config.option
    return option.dist != "no" and not option.collectonly and not hasattr(config, "workerinput")


def pytest_ignore_collect(collection_path, config):
    """Skip the folder or file of a deselected marker: Playwright alone takes 12 MB of each process."""
    marker = FOLDERS_OF_MARKERS.get(collection_path) or marker_of_file(collection_path)
    parts = config.option.markexpr.split(" and ")
    is_plain = all(re.fullmatch(r"not \w+", part) for part in parts)
    return True if marker and is_plain and f"not {marker}" in parts else None


def marker_of_file(path):
    """Return the marker of all tests in a file, if there is exactly one."""
    found = path.match("test_*.py") and MARKER_OF_FILE.search(path.read_text("utf-8"))
    return found[1] if found else None


class MeasuredPreparations:
    """Excludes repeated work of fixtures from the coverage: each fixture is measured once per file.

    Measuring the preparation of 9,000 tests would be a third of the cost of the coverage.
    """

    def __init__(self, controller):
        self._controller = controller
        self._file = None
        self._fixtures = set()
        self._is_new = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item):
        """Measure it if the test has a fixture that no earlier test of its file had."""
        if item.path != self._file:
            self._file, self._fixtures = item.path, set()
            self._is_new = True
        else:
            self._is_new = not self._fixtures.issuperset(item.fixturenames)
        self._fixtures.update(item.fixturenames)
        return (yield) if self._is_new else (yield from self._unmeasured())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item, nextitem):
        """Measure the end of these fixtures, and of those of the whole file."""
        is_last = nextitem is None or nextitem.path != item.path
        return (yield) if is_last or self._is_new else (yield from self._unmeasured())

    def _unmeasured(self):
        self._controller.pause()
        try:
            return (yield)
        finally:
            self._controller.resume()


def pytest_collection_modifyitems(config, items):
    """Exclude the many similar cases of a test from the coverage, if it is measured."""
    if not config.pluginmanager.hasplugin("_cov"):
        return
    cases = Counter()
    for item in items:
        name = item.nodeid.partition("[")[0]
        cases[name] += 1
        if cases[name] > COVERED_CASES and not is_of_values(item.path):
            item.add_marker("no_cover")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    """Release tests after they have run, and exclude repeated preparation from the coverage, if it is measured."""
    plugins = session.config.pluginmanager
    if hasattr(session.config, "workerinput"):
        plugins.register(FinishedTests(session.items))
    coverage = plugins.get_plugin("_cov")
    if coverage and coverage.cov_controller and not only_distributes(session.config):
        plugins.register(MeasuredPreparations(coverage.cov_controller))


def is_of_values(path):
    """Return whether a test file is in one of the FOLDERS_OF_VALUES."""
    return path.relative_to(TESTS).parts[0] in FOLDERS_OF_VALUES
