"""Documents that would otherwise be forgotten."""

import re
from pathlib import Path

from quire.api.door import BY_HAND
from quire.declare.record import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]


def test_links_between_documents_lead_somewhere():
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


def test_every_record_type_is_said_in_the_architecture():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert not [path for path in REGISTRY if f"`{path}`" not in text]


def test_every_hand_written_resource_has_a_reason():
    assert all(reason for _, reason in BY_HAND.values())


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(int(p.name[:4]) for p in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_requirements_are_pinned_exactly():
    for path in (ROOT / "requirements.txt", ROOT / "tests" / "requirements.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        loose = [line for line in lines if line and line[0] not in "#-" and "==" not in line]
        assert not loose
