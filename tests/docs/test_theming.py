"""Follow docs/theming.md, and check its promises."""

import json
import re
from pathlib import Path

import pytest

from quire.actor import SYSTEM
from quire.records import POSTS
from quire.store.write import create
from tests.clocks import PAST
from tests.site.conftest import soup
from tests.users import signed_in

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "theming.md").read_text(encoding="utf-8")
TEMPLATES = ROOT / "src" / "quire" / "site" / "templates" / "quire_site"
CSS = ROOT / "src" / "quire" / "site" / "static" / "site.css"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def themed(make_app, people, tmp_path):
    """An installation themed as the page describes."""
    sheets, (template,) = blocks("css"), blocks("html")
    (tmp_path / "static" / "fonts").mkdir(parents=True)
    (tmp_path / "static" / "custom.css").write_text("".join(sheets), encoding="utf-8")
    (tmp_path / "static" / "fonts" / "sea.woff2").write_bytes(b"x")
    folder = tmp_path / "templates" / "quire_site"
    folder.mkdir(parents=True)
    more = "{% block meta %}{{ super() }}<link href='{{ own_file(\"fonts/sea.woff2\") }}'>{% endblock %}"
    (folder / "post.html").write_text(template + more, encoding="utf-8")
    app = make_app(QUIRE_INSTANCE=tmp_path)
    with app.app_context():
        raw = {"title": "Live", "body": "x", "author": people["ann"].id, "published_at": PAST}
        create(POSTS, SYSTEM, {**raw, "tags": ["boats"]})
    root = signed_in(app, people["root"])
    assert root.patch("/api/v1/appearance", json=json.loads(blocks("json")[0])).status_code == 200
    return app


def test_examples_of_the_page_work(themed):
    client = themed.test_client()
    page = soup(client.get("/posts/live"))
    assert page.header.find("a", string="Boats")["href"] == "/tags/boats"
    assert page.footer.find("a", string="Imprint") and page.html["lang"] == "de"
    assert page.time.text == "2. Januar 2026"
    own = page.main.find_all("p", class_="hint")[-1].text
    assert own.startswith("Published vor ") and own.endswith("1 min to read.")
    sheets = [link["href"] for link in page.find_all("link", rel="stylesheet")]
    assert sheets[-2].startswith("/theme.css?v=0057b8") and sheets[-1].startswith(
        "/custom/custom.css"
    )
    for address in (*sheets, page.find("link", href=re.compile("sea.woff2"))["href"]):
        response = client.get(address)
        assert response.status_code == 200
        response.close()


def test_templates_variables_and_filters_of_the_page_exist(app):
    named = set(re.findall(r"`([a-z_]+\.(?:[a-z]+\.)?(?:html|xml))`", TEXT))
    assert named and all((TEMPLATES / name).exists() for name in named)
    variables = set(re.findall(r"`(--[a-z-]+)`", TEXT))
    css = CSS.read_text(encoding="utf-8")
    assert variables and all(f"{name}:" in css for name in variables)
    filters = re.findall(
        r"^\| (`.*?) \| ", TEXT.partition("| filter |")[2].partition("\n\n")[0], re.MULTILINE
    )
    words = {word for line in filters for word in re.findall(r"`([a-z_]+)", line)}
    assert words and words <= set(app.jinja_env.filters)
