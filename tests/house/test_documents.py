"""Documents that would otherwise be forgotten."""

import re
from pathlib import Path

import pytest

from quire.api.routes import CUSTOM_RESOURCES

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))
STATUS = r"(?P<status>(accepted|superseded)(, amended)?( by \[\d{4}\]\(\S+\.md\).*)?)"
DATE = r"(?P<date>20\d\d-\d\d-\d\d)"
FORM = (
    rf"# (?P<number>\d{{4}})\. (?P<title>[^\n]+)\n\nStatus: {STATUS}\nDate: {DATE}\n\n## Context\n"
)
HALF_A_PAGE = 380
"""In words, with the head of the record and its tables."""
EXAMPLES = {"src/quire/records/events.py"}
"""What the tutorial has its reader write."""
PAGES = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]


def test_links_between_documents_resolve():
    targets = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    ]
    assert not [
        f"{page.name}: {target}"
        for page, target in targets
        if "://" not in target and not (page.parent / target).exists()
    ]


def test_every_hand_written_resource_has_a_reason():
    assert all(reason for _, reason in CUSTOM_RESOURCES.values())


def test_each_decision_has_a_unique_number():
    numbers = [path.name[:4] for path in RECORDS]
    assert numbers and len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem[:4])
def test_each_decision_follows_the_template_and_is_in_the_index(path):
    text = path.read_text(encoding="utf-8")
    head = re.match(FORM, text)
    assert head and head["number"] == path.name[:4]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    row = f"| {head['number']} | [{head['title']}]({path.name}) | {head['status']} | {head['date']} | "
    assert f"\n{row}" in index


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem[:4])
def test_each_decision_is_half_a_page_long(path):
    assert len(path.read_text(encoding="utf-8").split()) <= HALF_A_PAGE


def test_index_lists_decisions_by_number():
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d{4}) \|", index, re.MULTILINE) == [path.name[:4] for path in RECORDS]


def test_files_named_in_documents_exist():
    named = [
        (page, path, name)
        for page in (ROOT / "docs").rglob("*.md")
        for path, name in re.findall(
            r"`((?:\w+/)+\w+\.py)(?:: (\w+))?`", page.read_text(encoding="utf-8")
        )
        if path not in EXAMPLES
    ]
    assert named
    assert not [f"{page.name}: {path} {name}" for page, path, name in named if not has(path, name)]


def has(path, name):
    """Return whether a file exists in the package or the repository, and contains `name`."""
    files = [folder / path for folder in (ROOT, ROOT / "src" / "quire")]
    return any(
        re.search(rf"^(def|class)? ?{name}", file.read_text(encoding="utf-8"), re.MULTILINE)
        for file in files
        if file.exists()
    )


def test_requirements_are_pinned_exactly():
    for path in (ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        loose = [line for line in lines if line and line[0] not in "#-" and "==" not in line]
        assert not loose
