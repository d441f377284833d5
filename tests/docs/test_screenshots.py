"""The screenshots of the documentation are small files, all made by one command."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "screenshots.py"
IMAGES = ROOT / "docs" / "images"
MAX_BYTES = 150_000
NAMES = re.findall(r'^    "([a-z-]+)": Shot\(', TOOL.read_text(encoding="utf-8"), re.MULTILINE)


def test_screenshots_in_the_docs_are_known_to_the_command_and_small():
    used = set()
    for page in (*ROOT.glob("docs/*.md"), ROOT / "README.md"):
        used |= set(re.findall(r"images/([\w-]+)\.png\)", page.read_text(encoding="utf-8")))
    stored = {path.stem for path in IMAGES.iterdir()}
    assert used <= stored == set(NAMES)
    assert max(path.stat().st_size for path in IMAGES.iterdir()) < MAX_BYTES


@pytest.mark.browser
def test_command_makes_all_screenshots(tmp_path):
    environment = {**os.environ, "SCREENSHOTS": str(tmp_path)}
    command = [sys.executable, str(TOOL)]
    subprocess.run(command, env=environment, check=True, timeout=300)
    made = {path.stem: path.stat().st_size for path in tmp_path.iterdir()}
    assert made.keys() == set(NAMES)
    assert all(5_000 < size < MAX_BYTES for size in made.values()), made
