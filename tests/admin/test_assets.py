"""A page of the panel loads its styles and scripts in few requests."""

import pytest

from quire.admin.assets import BUNDLES, STATIC


@pytest.mark.parametrize("name", BUNDLES)
def test_bundle_contains_its_files(client, name):
    answer = client.get(f"/admin/static/bundles/{name}")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    assert (answer.status_code, answer.mimetype) == (200, kind)
    for part in BUNDLES[name]:
        assert (STATIC / part).read_text(encoding="utf-8") in answer.text
    etag = answer.headers["ETag"]
    again = client.get(f"/admin/static/bundles/{name}", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")


def test_unknown_bundles_are_404(client):
    assert client.get("/admin/static/bundles/list.js").status_code == 404


def test_each_file_is_used():
    templates = "".join(
        path.read_text(encoding="utf-8") for path in (STATIC.parent / "templates").rglob("*.html")
    ) + "".join(path.read_text(encoding="utf-8") for path in STATIC.parent.rglob("*.py"))
    files = [path for path in STATIC.iterdir() if path.suffix in (".css", ".js")]
    assert [
        path.name for path in files if f'"{path.name}"' not in templates.replace("'", '"')
    ] == []
