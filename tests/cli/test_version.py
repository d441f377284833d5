"""`--version` of both commands."""

import pytest

from quire.config.version import VERSION
from quire.serving import main as serving


def test_manage_says_which_version_it_is(new_console):
    assert new_console("--version") == (0, f"Quire {VERSION}\n", "")


def test_serve_says_which_version_it_is(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["serve.py", "--version"])
    with pytest.raises(SystemExit) as ended:
        serving.main()
    assert not ended.value.code
    assert capsys.readouterr().out == f"Quire {VERSION}\n"


def test_changelog_has_a_section_for_this_version(pytestconfig):
    text = (pytestconfig.rootpath / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {VERSION} - " in text
