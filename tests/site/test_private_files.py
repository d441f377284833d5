"""No URL leads to files in the instance folder, next to it, or in the source."""

import pytest

from tests.running_server import serving
from tests.serving.test_server import parsed, send

NAMES = ["quire.db", "secret_key", "setup_token", ".env", "outbox/1.eml", "backups/quire.db"]
STARTS = [
    "/", "/uploads/", "/uploads/../", "/uploads/%2e%2e/", "/uploads/..%2f", "/uploads/..%5c", "/static/../",
    "/static/..%2f..%2f..%2f", "/static/%2e%2e/%2e%2e/", "/admin/static/../../", "/admin/static/..%2f..%2f", "/own/../",
    "/own/..%2f", "//", "/./", "/%2e/", "/instance/", "/%2fetc/..%2f", "/uploads//", "/uploads/%00/../",
    "/api/v1/media/../../", "/api/v1/..%2f", "/static/....//", "/uploads/..;/", "/uploads/%252e%252e%252f",
]  # fmt: skip
ELSEWHERE = [
    "/etc/passwd", "/static/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", "/../serve.py", "/src/quire/config/settings.py", "/.git/config",
    "/static/..%2f__init__.py", "/static/..%2ftemplates%2fbase.html", "/serve.py", "/uploads/%2fetc%2fpasswd",
    "/admin/static/..%2frecord_view.py", "/api/v1/static/..%2froutes.py", "/requirements.txt", "/static/",  "/uploads/",
]  # fmt: skip


@pytest.fixture
def answers(make_app, tmp_path):
    """`answers(paths)`: status and body for each path, requested as it is written."""
    for name in NAMES:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("canary", encoding="ascii")
    app = make_app(QUIRE_INSTANCE=tmp_path)

    def ask(paths):
        form = "GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        with serving(app) as address:
            port = int(address.rpartition(":")[2])
            return {path: parsed(send(port, form.format(path).encode())) for path in paths}

    return ask


def test_private_files_are_not_served(answers):
    told = answers([start + name for start in STARTS for name in NAMES] + ELSEWHERE)
    served = {path: one[0] for path, one in told.items() if one[0] not in (301, 308, 400, 404)}
    assert served == {}
    assert [path for path, one in told.items() if b"canary" in one[2] or b"root:" in one[2]] == []
    led = [one[1] for one in told.values() if one[0] in (301, 308)]
    assert not [head for head in led if "location: /" not in head and "localhost" not in head]
