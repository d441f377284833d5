"""Unmodified third-party clients with a running server: react-admin's data provider and Ghost's SDK.

They are installed from npm once, next to their package.json.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.running_server import serving
from tests.users import token_of

CLIENTS = Path(__file__).parent / "clients"
PAGE = Path(__file__).parents[3] / "docs" / "compat.md"
NPM = shutil.which("npm")
INSTALL = ("install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (NPM and shutil.which("node")), reason="needs Node.js with npm"),
]


@pytest.fixture(scope="module", autouse=True)
def packages():
    """The clients, in the versions of package.json."""
    wanted = json.loads((CLIENTS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    manifests = {name: CLIENTS / "node_modules" / name / "package.json" for name in wanted}
    if not all(
        path.exists() and json.loads(path.read_text(encoding="utf-8"))["version"] == wanted[name]
        for name, path in manifests.items()
    ):
        subprocess.run([NPM, *INSTALL, "--prefer-offline"], cwd=CLIENTS, check=True, timeout=300)


@pytest.fixture
def node(app, people, content, content_key):
    """`node(text)`: the output of a script that gets the addresses and keys it needs."""

    def run(text):
        done = subprocess.run(
            ["node", "--input-type=module", "-"], input=text, cwd=CLIENTS, timeout=60, check=False,
            env={**os.environ, **more}, capture_output=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    with serving(app) as url:
        more = {
            "URL_OF_SITE": url,
            "URL_OF_API": f"{url}/api/compat/json-server",
            "TOKEN": token_of(app, people["mod"]),
            "KEY": content_key,
            "POST": str(content.live),
        }
        run.url = url
        yield run


def script(name):
    return (CLIENTS / name).read_text(encoding="utf-8")


def test_react_admin_lists_filters_creates_edits_and_deletes(node, content):
    said = json.loads(node(script("react_admin.mjs")))
    assert said["first"] == [["Abes", "Archived"], 5]
    assert said["second"] == ["Draft", "Later"]
    assert said["descending"] == ["Live", "Later"]
    assert (said["filtered"], said["found"]) == (["Abes"], ["Archived"])
    assert (said["exported"], said["references"]) == (5, ["Abes"])
    assert (said["created"], said["updated"]) == ("New", ["Changed", 2])
    assert said["stale"]["status"] == 412
    one, other = said["ids"]
    assert said["updatedMany"] == [one, other]
    assert said["many"] == [[one, "Changed", "Both"], [other, "Other", "Both"]]
    assert said["deleted"] == {"id": one}
    assert said["deletedMany"] == [other, content.live]
    assert said["gone"] == {"status": 404, "message": "There is no such post."}
    assert said["invalid"]["status"] == 422


def test_ghost_client_reads_posts_pages_tags_authors_and_settings(node, content):
    said = json.loads(node(script("ghost.mjs")))
    assert said["slugs"] == ["live", "abes"]
    assert said["pagination"] == {
        "page": 1, "limit": 15, "pages": 1, "total": 2, "next": None, "prev": None,
    }  # fmt: skip
    post = said["post"]
    assert (post["id"], post["plaintext"]) == (str(content.live), "About Live.")
    assert post["url"] == f"{node.url}/posts/live"
    assert [tag["name"] for tag in post["tags"]] == ["sea", "sky"]
    assert post["primary_author"]["slug"] == "ann"
    assert said["second"][0] == ["abes"] and said["second"][1]["prev"] == 1
    assert said["all"] == ["abes", "live"]
    assert (said["filtered"], said["others"]) == (["live"], ["abes"])
    assert (said["byId"], said["bySlug"]) == ("Live", "sea")
    assert (said["pages"], said["page"]) == (["about"], "<p>us</p>\n")
    assert (said["tags"], said["tag"]) == ([["sea", 1], ["sky", 1]], "sea")
    assert said["authors"] == ["abe", "ann", "mod", "root"]
    assert said["author"]["count"] == {"posts": 1}
    assert said["settings"]["title"] == "Quire" and said["settings"]["url"] == f"{node.url}/"
    assert said["missing"] == {"name": "NotFoundError", "message": "Resource not found."}
    assert said["unknown"]["name"] == "UnauthorizedError"
    assert said["wrong"]["name"] == "BadRequestError" and "boats" in said["wrong"]["message"]


def test_documented_examples_run(node):
    ours, theirs = re.findall(r"```js\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert node(ours) == "5 Live\n"
    assert node(theirs) == "Live by ann: sea, sky\n"
