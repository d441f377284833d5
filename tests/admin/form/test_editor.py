"""The editor's requests while a user types: rendered texts, free slugs, stored drafts, refusals."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.records import POSTS
from quire.store import read, write
from tests.admin.conftest import Browser
from tests.users import signed_in

JSON = {"Accept": "application/json"}
NEW = {"title": "Of Ropes & Knots", "body": "Begin with a *bight*."}
ASKED = {
    "rendered": ("post", "posts/rendered/", {"text": "x"}),
    "slug": ("get", "posts/slug?text=x", None),
    "begin": ("post", "posts/new/", {**NEW, "_begin": "1"}),
    "save": ("post", "posts/edit/?id=1", {**NEW, "_save_draft": "1"}),
}


class Editor(Browser):
    """A browser whose editor sends requests by script: responses are JSON."""

    def ask(self, name):
        """Send one of the requests in ASKED."""
        verb, path, data = ASKED[name]
        more = {"data": data} if data else {}
        return getattr(self.client, verb)(f"/admin/{path}", headers=JSON, **more)

    def render(self, text, kind="posts"):
        """Render a text as the site will show it."""
        return self.post(f"{kind}/rendered/", {"text": text}, headers=JSON)

    def begin(self, **typed):
        """Create a post from the first words that were typed."""
        return self.post("posts/new/", {**NEW, **typed, "_begin": "1"}, headers=JSON)

    def keep(self, id, **typed):
        """Save what was typed so far in the form of a post as a draft."""
        sent = {**typed, "_save_draft": "1"}
        return self.post(f"posts/edit/?id={id}", sent, headers=JSON)


@pytest.fixture
def editor(app, ids, people):
    """`editor("ann")`: her editor; `editor()`: that of a user whose session has ended."""
    return lambda name=None: Editor(app, people[name] if name else None)


@pytest.fixture
def ann(editor):
    return editor("ann")


def test_preview_of_a_comment_loads_nothing_from_other_sites(editor):
    text = "![a](https://a.example/1.png) <img src='https://a.example/2.png'>"
    mod = editor("mod")
    assert mod.render(text).json["html"].count("<img") == 2
    shown = mod.render(text, "comments").json["html"]
    assert "<img" not in shown and shown.count("<a href=") == 2


def test_form_names_the_url_of_the_preview(ann, ids, app):
    form = BeautifulSoup(ann.get(f"posts/edit/?id={ids.live}").text, "html.parser").find(
        attrs={"data-unsaved-guard": True}
    )
    told = {
        name: form[f"data-{name}"] for name in ("render-url", "slug-url", "media", "id", "status")
    }
    assert told == {
        "render-url": "/admin/posts/rendered/", "slug-url": "/admin/posts/slug", "media": "/api/v1/media",
        "id": str(ids.live), "status": "published",
    }  # fmt: skip
    page = ann.get("posts/new/")
    scripts = BeautifulSoup(page.text, "html.parser").find_all("script")
    nonce = re.search(r"script-src[^;]*'nonce-([^']+)'", page.headers["Content-Security-Policy"])[1]
    assert {one["nonce"] for one in scripts} == {nonce}
    assert any("bundles/editor.js" in one["src"] for one in scripts)
    assert "bundles/editor.js" not in ann.get("tags/new/").text


class TestRendered:
    def test_preview_equals_the_page(self, ann, app, ids, client):
        text = "# Tides\r\n\r\n> *high*\r\n\r\n| a | b |\r\n|---|---|\r\n| 1 | 2 |\r\n"
        shown = ann.render(text)
        assert (shown.status_code, shown.mimetype) == (200, "application/json")
        with app.app_context():
            write.update(POSTS, SYSTEM, ids.live, {"body": text.replace("\r\n", "\n")})
        page = BeautifulSoup(client.get("/posts/tide-tables").text, "html.parser")
        prose = page.select_one("article .prose").decode_contents()
        assert prose == BeautifulSoup(shown.json["html"], "html.parser").decode_contents()

    @pytest.mark.parametrize("text", ["", "\r\n", "<script>alert(1)</script>"])
    def test_preview_of_empty_text_is_empty(self, ann, text):
        assert ann.render(text).json["html"].strip() == ""

    def test_scripts_in_the_preview_are_removed(self, ann):
        html = ann.render("[x](javascript:alert(1)) <img src=x onerror=alert(1)>").json["html"]
        assert "javascript:" not in html and "onerror" not in html

    def test_too_long_text_is_reported(self, ann):
        refused = ann.render("x" * (256 * 1024 + 1))
        assert (refused.status_code, refused.json["code"]) == (422, "validation_failed")
        assert "too long" in refused.json["message"]

    def test_types_without_a_text_have_no_preview(self, ann):
        assert ann.render("x", "tags").status_code == 404


class TestSlug:
    def test_slug_is_made_from_the_typed_title(self, ann, ids):
        got = ann.get("posts/slug?text=Of+Ropes+%26+Knots").json
        assert got == {"slug": "of-ropes-knots", "free": True, "suggestion": "of-ropes-knots"}
        assert ann.get("posts/slug").json["free"]

    def test_own_slug_is_available(self, ann, ids):
        taken = ann.get("posts/slug?text=tide-tables").json
        assert (taken["free"], taken["suggestion"]) == (False, "tide-tables-2")
        assert ann.get(f"posts/slug?text=tide-tables&id={ids.live}").json["free"]

    @pytest.mark.parametrize("id", ["x", "0", "99", "-1", "9" * 30])
    def test_invalid_ids_are_ignored(self, ann, id):
        assert ann.get(f"posts/slug?text=x&id={id}", headers=JSON).status_code == 404

    def test_slug_check_reveals_nothing_to_those_without_access(self, ann, editor, ids):
        address = f"posts/slug?text=x&id={ids.abes}"
        assert ann.get(address, headers=JSON).status_code == 404
        assert editor("mod").get(address, headers=JSON).status_code == 200
        assert ann.get("pages/slug?text=about", headers=JSON).status_code in (403, 404)


class TestBegin:
    def test_new_post_becomes_a_draft(self, ann, state, client):
        made = ann.begin(seo_title="Knots")
        assert (made.status_code, made.json["version"], made.json["draft_version"]) == (
            200,
            1,
            None,
        )
        assert made.json["edit_url"] == f"/admin/posts/edit/?id={made.json['id']}"
        found = state(POSTS, made.json["id"])
        assert (found["title"], found["status"]) == (NEW["title"], "draft")
        assert found["author"]["username"] == "ann"
        assert client.get("/posts/of-ropes-knots").status_code == 404

    def test_date_is_saved_in_the_draft(self, ann, state):
        made = ann.begin(published_at="2026-02-03T04:05").json
        assert made["draft_version"] == 1
        assert state(POSTS, made["id"])["status"] == "draft"
        assert 'value="2026-02-03T04:05:00"' in ann.get(f"posts/edit/?id={made['id']}").text

    def test_errors_are_reported_by_field(self, ann):
        refused = ann.begin(title="", slug="No slug!")
        assert refused.status_code == 422
        assert {one["field"] for one in refused.json["details"]} == {"title", "slug"}

    def test_lost_response_creates_no_second_record(self, ann, state):
        first, second = (ann.begin(title=title, _page="a1").json for title in ("One", "Two"))
        assert first["id"] == second["id"]
        assert (state(POSTS, first["id"])["title"], second["version"]) == ("Two", 2)
        assert ann.begin(_page="b2").json["id"] != first["id"]

    def test_second_attempt_waits_for_the_first(self, editor):
        tries = [editor("ann") for _ in range(4)]
        with ThreadPoolExecutor(len(tries)) as pool:
            answers = list(pool.map(lambda one: one.begin(slug="bight", _page="a1"), tries))
        assert {(one.status_code, one.json["version"]) for one in answers} == {(200, 1)}

    def test_invalid_page_names_are_ignored(self, ann):
        for name in ("a\0b", "x" * 100_000, "\x1b ü"):
            ids = {ann.begin(_page=name).json["id"] for _ in range(2)}
            assert len(ids) == 1


class TestKeep:
    def test_draft_is_saved_beside_the_live_version(self, ann, ids, state, client):
        kept = ann.keep(ids.live, version="1", body="Half a sen")
        assert kept.status_code == 200
        assert kept.json == {
            "id": ids.live, "version": 1, "draft_version": 1,
            "edit_url": f"/admin/posts/edit/?id={ids.live}",
        }  # fmt: skip
        again = ann.keep(ids.live, version="1", draft_version="1", title="", seo_title="Tides")
        assert again.json["draft_version"] == 2
        page = ann.get(f"posts/edit/?id={ids.live}").text
        assert "Half a sen</textarea>" in page and 'value="Tides"' in page
        assert (state(POSTS, ids.live)["title"], state(POSTS, ids.live)["version"]) == (
            "Tide tables", 1,
        )  # fmt: skip
        assert "Half a sen" not in client.get("/posts/tide-tables").text

    def test_concurrent_publication_is_reported(self, app, ann, ids, people):
        moderator = signed_in(app, people["mod"])
        moderator.patch(f"posts/{ids.live}", json={"title": "Theirs"})
        told = ann.keep(ids.live, version="1", title="Mine").json["conflict"]
        assert [(one["label"], one["yours"], one["theirs"]) for one in told["rows"]] == [
            ("Title", "Mine", "Theirs")
        ]
        assert (told["version"], told["draft_version"]) == (2, None)
        assert "mod saved version 2" in told["words"] and "<" not in told["words"]
        settled = ann.keep(ids.live, version="2", draft_version="1", title="Mine")
        assert "conflict" not in settled.json

    def test_concurrent_draft_is_not_overwritten(self, ann, editor, ids):
        ann.keep(ids.live, version="1", title="Mine")
        late = editor("mod").keep(ids.live, version="1", title="Theirs")
        assert late.status_code == 412
        told = late.json["conflict"]
        assert [(one["yours"], one["theirs"]) for one in told["rows"]] == [("Theirs", "Mine")]
        assert (told["version"], told["draft_version"]) == (1, 1)
        stale = ann.keep(ids.live, version="1", draft_version="7", title="Again")
        assert stale.status_code == 412
        over = editor("mod").keep(ids.live, version="1", draft_version="1", title="Theirs")
        assert over.json["draft_version"] == 2

    @pytest.mark.parametrize(
        ("typed", "field"),
        [({"published_at": "soon"}, "published_at"), ({"author": "abe"}, None)],
    )
    def test_values_that_drafts_cannot_hold_are_refused(self, ann, ids, typed, field):
        answer = ann.keep(ids.live, version="1", **typed)
        if field is None:  # the author's form has no such field
            assert answer.status_code == 200
        else:
            assert answer.status_code == 422
            assert [one["field"] for one in answer.json["details"]] == [field]

    def test_records_of_others_are_404(self, ann, ids):
        assert ann.keep(ids.abes, title="x").status_code == 404
        assert ann.keep(999, title="x").status_code == 404

    def test_record_trashed_meanwhile_is_reported(self, app, ann, ids):
        with app.app_context():
            write.delete(POSTS, SYSTEM, ids.live)
        kept = ann.keep(ids.live, version="1", title="x")
        assert kept.status_code == 409
        assert "is in the trash" in kept.json["message"]
        shown = ann.post(f"posts/edit/?id={ids.live}", {"title": "Typed long", "version": "2"})
        assert shown.status_code == 409
        assert "is in the trash" in shown.text and 'value="Typed long"' in shown.text


@pytest.mark.parametrize("name", ASKED)
def test_signed_out_and_unauthorized_users_are_told(editor, app, ids, name):
    out = editor().ask(name)
    assert (out.status_code, out.json["code"]) == (401, "unauthorized")
    refused = editor("bob").ask(name)
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    with app.app_context():
        assert read.find_id(POSTS, SYSTEM, slug="of-ropes-knots") is None


class TestToken:
    """A page of another site cannot use the editor of a user."""

    @pytest.fixture
    def app(self, guarded):
        return guarded

    @pytest.mark.parametrize("name", [name for name in ASKED if name != "slug"])
    def test_csrf_token_is_required(self, ann, app, ids, state, name):
        refused = ann.ask(name)
        assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
        assert state(POSTS, ids.live)["title"] == "Tide tables"
        with app.app_context():
            assert read.find_id(POSTS, SYSTEM, slug="of-ropes-knots") is None

    def test_csrf_token_may_be_in_a_header(self, ann):
        page = ann.get("posts/new/").text
        token = re.search(r'<meta name="csrf-token" content="([^"]+)"', page)[1]
        headers = {**JSON, "X-CSRFToken": token}
        made = ann.post("posts/rendered/", {"text": "*x*"}, headers=headers)
        assert "<em>x</em>" in made.json["html"]
        assert ann.post("posts/rendered/", {"text": "x"}, headers=JSON).status_code == 403
