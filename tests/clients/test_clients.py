"""Clients that third-party generators create from the document compile and can publish a post."""

import sys

import pytest

from tests.clients.conftest import run
from tests.running_server import serving
from tests.sample_images import picture
from tests.users import PASSWORD

pytestmark = pytest.mark.slow


def test_python_client_publishes(clients, app, people, tmp_path):
    image = tmp_path / "photo.png"
    image.write_bytes(picture())
    with serving(app) as url:
        run(sys.executable, "story.py", f"{url}/api/v1", PASSWORD, image, cwd=clients)


@pytest.mark.parametrize("story", ["fetch_story", "orval_story"])
def test_typescript_clients_publish(clients, app, people, story):
    with serving(app) as url:
        run("node", f"built/{story}.js", url, PASSWORD, cwd=clients)


def test_typescript_example_retries_and_publishes_once(clients, app, as_):
    scopes = ["posts:read", "posts:write", "tags:read", "tags:write"]
    key = as_("ann").post("api_keys", json={"name": "k", "scopes": scopes}).json["key"]
    with serving(app) as url:
        run("node", "built/guide_story.js", url, key, cwd=clients)
