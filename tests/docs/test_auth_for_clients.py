"""The examples of docs/auth-for-clients.md: each is run against a server, as a client would."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running_server import serving
from tests.users import PASSWORD

PAGE = Path(__file__).parents[2] / "docs" / "auth-for-clients.md"


def examples(language):
    """Return the examples in one language that stand alone."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [one for one in found if "csrf_token" not in one]


@pytest.fixture
def run(app, people):
    """`run(command, text)`: what a program says that is given the text of an example."""
    more = {"EMAIL": "ann@example.org", "PASSWORD": PASSWORD}

    def started(*command, given):
        done = subprocess.run(
            command, input=given, env={**os.environ, **more, "API": f"{url}/api/v1"}, timeout=60, check=False,
            capture_output=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    with serving(app) as url:
        yield started


def test_python(run):
    assert run(sys.executable, "-", given=examples("python")[0]) == "From Python\n"


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_javascript(run):
    said = run("node", "--input-type=module", "-", given=examples("javascript")[0])
    assert said == "From JavaScript\n"


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs curl")
def test_curl(run):
    said = run("bash", "-eu", given="\n".join(examples("bash")))
    assert '"username":"ann"' in said and '"posts":[' in said
