"""The tools of npm, and the clients that generators create from the OpenAPI document."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from quire.api.openapi.document import document

HERE = Path(__file__).parent
LOCK = HERE / "package-lock.json"
GUIDE = HERE.parents[1] / "docs" / "clients.md"
SOURCES = ("*.ts", "*.yaml", "*.mjs", "*.json", "story.py")
INSTALL = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]


def run(*command, cwd, **more):
    """Run a program; return its output, and fail with it if the program fails."""
    found = [shutil.which(command[0]) or command[0], *map(str, command[1:])]
    done = subprocess.run(
        found, check=False, cwd=cwd, capture_output=True, text=True, encoding="utf-8", **more
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{found[:3]}: {said[-3000:]}"
    return said


@pytest.fixture(scope="session")
def packages():
    """The folder with the packages of package-lock.json, which the next run reuses."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    mark = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"quire-clients-{mark}"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "installed").exists():
            for one in (HERE / "package.json", LOCK):
                shutil.copy(one, folder)
            run(*INSTALL, cwd=folder)
            (folder / "installed").touch()
    return folder


@pytest.fixture(scope="session")
def workplace(packages):
    """A folder below the packages: the sources in this folder, the example of the guide, the document."""
    with tempfile.TemporaryDirectory(dir=packages, prefix="run-") as name:
        folder = Path(name)
        for pattern in SOURCES:
            for source in HERE.glob(pattern):
                shutil.copy(source, folder)
        [guide] = re.findall(r"```typescript\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
        (folder / "guide.ts").write_text(guide, encoding="utf-8")
        text = json.dumps(document())
        (folder / "openapi.json").write_text(text, encoding="utf-8")
        yield folder


@pytest.fixture(scope="session")
def tool(packages, workplace):
    """`tool("orval", ...)` runs a program of npm in the workplace."""

    def run_tool(name, *given):
        about = json.loads((packages / "node_modules" / name / "package.json").read_text("utf-8"))
        script = (
            about["bin"] if isinstance(about["bin"], str) else next(iter(about["bin"].values()))
        )
        return run("node", packages / "node_modules" / name / script, *given, cwd=workplace)

    return run_tool


@pytest.fixture(scope="session")
def clients(tool, workplace):
    """The workplace with all clients, generated and strictly compiled."""
    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(_typescript, tool), pool.submit(_python, workplace)):
            done.result()
    return workplace


def _typescript(tool):
    tool("openapi-typescript", "openapi.json", "-o", "schema.d.ts")
    tool("orval", "--config", "orval.config.mjs")
    tool("typescript", "-p", "tsconfig.json")


def _python(workplace):
    generate = [
        "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none",
        "--output-path", "quire_client", "--config", "openapi-python-client.yaml", "--fail-on-warning",
    ]  # fmt: skip
    run(sys.executable, "-m", *generate, cwd=workplace)
    checked = ["mypy", "--strict", "--no-incremental", "--config-file="]
    run(sys.executable, "-m", *checked, "story.py", "quire_client", cwd=workplace)
