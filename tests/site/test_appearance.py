"""The appearance of the site, which administrators decide, and the preferences of readers."""

import io
import re
from datetime import timedelta

import pytest

from quire.actor import SYSTEM
from quire.declare.clock import now, rfc3339
from quire.records import APPEARANCE, MEDIA, PAGES
from quire.site import accent_css
from quire.store.db import transaction
from quire.store.write import update
from tests.clocks import PAST
from tests.sample_images import picture
from tests.site.conftest import soup

LANGUAGES = {"de": "2. Januar 2026", "pt-BR": "2 de janeiro de 2026", "en": "2 January 2026"}


@pytest.fixture
def look(app):
    """`look(footer="x")` changes the appearance as the program."""

    def change(**raw):
        with app.app_context():
            return update(APPEARANCE, SYSTEM, 1, raw).state

    return change


def test_shape(as_):
    shown = as_(None).get("appearance").json
    assert shown | {"updated_at": None} == {
        "footer": "", "footer_html": "", "logo": None, "accent_color": "", "menu": [],
        "language": "en", "version": 1, "updated_at": None,
    }  # fmt: skip
    assert as_("mod").patch("appearance", json={}).status_code == 403


def test_all_errors_are_named(as_):
    wrong = {
        "accent_color": "red",
        "language": "xx-YY",
        "menu": [
            {"label": "", "url": "/"},
            {"label": "x", "url": "javascript:alert(1)"},
            {"label": "y"},
        ],
        "footer": "x" * 1001,
    }
    answer = as_("root").patch("appearance", json=wrong)
    assert answer.status_code == 422
    fields = {re.split(r"[.\[]", one["field"])[0] for one in answer.json["details"]}
    assert fields == set(wrong)
    for menu in ([{"label": "x", "url": "/", "more": 1}], [{"label": "x", "url": "//evil"}], "x",
                 [{"label": "x", "url": "/"}] * 21):  # fmt: skip
        assert as_("root").patch("appearance", json={"menu": menu}).status_code == 422


def test_menu_has_the_configured_entries_or_else_the_pages(client, content, look):
    assert soup(client.get("/")).header.find("a", href="/pages/about")
    look(
        menu=[
            {"label": "<Sea>", "url": "/tags/sea"},
            {"label": "Shop", "url": "https://shop.example"},
        ]
    )
    page = soup(client.get("/tags/sea"))
    first, second = page.header.select(".links a")[:2]
    assert (first.text, first["href"], first["aria-current"]) == ("<Sea>", "/tags/sea", "page")
    assert second["href"] == "https://shop.example" and not page.header.find(
        "a", href="/pages/about"
    )


def test_panel_edits_the_menu_as_lines(app, visitor, content):
    browser = visitor("root")
    form = soup(browser.get("/admin/appearance/edit/?id=1"))
    sent = {"menu": "Sea = /tags/sea\n\nShop=https://x.example/?a=b", "version": "1"}
    token = form.find("input", {"name": "csrf_token"})
    sent |= {"csrf_token": token["value"]} if token else {}
    assert browser.post("/admin/appearance/edit/?id=1", data=sent).status_code == 302
    again = soup(browser.get("/admin/appearance/edit/?id=1"))
    assert again.find(id="in-menu").text.strip() == "Sea = /tags/sea\nShop = https://x.example/?a=b"
    bad = browser.post(
        "/admin/appearance/edit/?id=1", data=sent | {"menu": "Nowhere", "version": "2"}
    )
    assert bad.status_code == 422 and "Nowhere" in soup(bad).find(id="in-menu").text


def test_footer_and_language(client, content, look):
    look(footer="[Imprint](/about) <script>x</script>", language="de")
    page = soup(client.get("/posts/live"))
    assert page.footer.find("a", href="/about").text == "Imprint" and not page.footer.find("script")
    assert page.html["lang"] == "de"


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_follow_the_language(client, content, look, language):
    look(language=language)
    assert soup(client.get("/")).time.text == LANGUAGES[language]
    assert (
        client.get("/archive").status_code == 200
        and client.get("/archive/2026/01").status_code == 200
    )
    look(language="en")
    assert soup(client.get("/")).time.text == LANGUAGES["en"]


def test_logo_precedes_the_name_in_a_suitable_size(client, look, app, as_):
    sent = as_("root").post("media", data={"file": (io.BytesIO(picture(900, 90)), "a.png")}).json
    look(logo=sent["id"])
    logo = soup(client.get("/")).select_one("img.logo")
    assert logo["src"] == sent["url"] and logo["alt"] == ""
    drawn = {
        "160": {"url": "/uploads/s.png", "width": 160},
        "640": {"url": "/uploads/m.png", "width": 640},
    }
    with app.app_context(), transaction() as connection:
        connection.execute(MEDIA.table.update().values(variants=drawn))
    assert soup(client.get("/")).select_one("img.logo")["src"] == "/uploads/m.png"


@pytest.mark.parametrize(
    "accent", ["#ffff00", "#000000", "#ffffff", "#0b6b5f", "#ff0066", "#808080"]
)
def test_any_accent_color_is_readable(accent):
    light, dark = re.findall(
        r"^.*?\{(?: :root[^{]*\{)?(.*?)\}", accent_css.stylesheet(accent), re.MULTILINE
    )[:2]
    for variables, backgrounds in ((light, accent_css.LIGHT), (dark, accent_css.DARK)):
        values = {
            name: tuple(bytes.fromhex(value))
            for name, value in re.findall(r"--([a-z-]+): #([0-9a-f]{6})", variables)
        }
        for background in (*backgrounds, values["accent-soft"]):
            assert accent_css.contrast(values["accent"], background) >= 4.5
        assert accent_css.contrast(values["on-accent"], values["accent"]) >= 4.5


def test_contrast_agrees_with_wcag():
    assert accent_css.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert accent_css.contrast((0x76,) * 3, (255,) * 3) == pytest.approx(4.54, abs=0.01)


def test_style_sheet_is_cached_until_the_color_changes(client, look):
    assert client.get("/theme.css").text == ""
    look(accent_color="#ff0066")
    address = soup(client.get("/")).find("link", href=re.compile("theme.css"))["href"]
    response = client.get(address)
    assert response.mimetype == "text/css" and "--accent: #" in response.text
    assert "immutable" in response.headers["Cache-Control"]
    look(accent_color="#00ff66")
    assert "immutable" not in client.get(address).headers["Cache-Control"]
    assert soup(client.get("/")).find("link", href=re.compile("theme.css"))["href"] != address


def test_readers_choose_size_and_theme_without_a_script(client, content):
    page = soup(client.get("/display?next=/posts/live"))
    assert page.find("input", id="text-normal").has_attr("checked")
    chosen = client.get("/display?next=/posts/live&theme=dark&text=large")
    assert (chosen.status_code, chosen.location) == (302, "/posts/live")
    page = soup(client.get("/posts/live"))
    assert (page.html["data-theme"], page.html["data-text"]) == ("dark", "large")
    client.get("/theme/light")
    page = soup(client.get("/"))
    assert (page.html["data-theme"], page.html["data-text"]) == ("light", "large")
    client.get("/display?text=normal")
    assert "data-text" not in soup(client.get("/")).html.attrs


def test_unknown_preferences_in_the_cookie_are_ignored(client):
    client.set_cookie("user_prefs", "theme=<b>&text=huge&x=1")
    page = soup(client.get("/"))
    assert "data-theme" not in page.html.attrs and "data-text" not in page.html.attrs
    assert client.get("/display?text=huge").status_code == 200
    assert client.get("/display?text=large&next=//evil.example").location == "/"


def test_relative_times(app, stop_clock):
    stop_clock()
    ago = app.jinja_env.filters["timeago"]
    steps = {0: "just now", 59: "just now", 60: "1 minute ago", 7200: "2 hours ago", -90_000: "in 1 day",
             86_400 * 3: "3 days ago", 86_400 * 65: "2 months ago", 86_400 * 800: "2 years ago"}  # fmt: skip
    for seconds, words in steps.items():
        assert ago(now() - timedelta(seconds=seconds)) == words
    assert ago(rfc3339(now() - timedelta(minutes=5))) == "5 minutes ago"


def test_comments_have_relative_times(client, content, comment):
    comment("bob")
    said = soup(client.get("/posts/live")).select_one(".comment-by time")
    assert said.text == "just now" and said["datetime"].endswith("Z") and "UTC" in said["title"]


def test_menu_pages_appear_when_they_are_published(client, make):
    make(PAGES, title="Harbour", body="x", published_at=PAST)
    assert soup(client.get("/")).header.find("a", href="/pages/harbour")
