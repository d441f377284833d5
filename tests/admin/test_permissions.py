"""Access to the panel: every role, every view."""

import pytest

from quire.declare.record import REGISTRY

OPEN = {
    "admin": set(REGISTRY),
    "moderator": {
        "posts", "pages", "comments", "categories", "tags", "profiles", "api_keys", "redirects",
        "media", "batches", "saved_views",
    },
    "author": {
        "posts", "comments", "tags", "media", "profiles", "api_keys", "batches", "saved_views",
    },
}  # fmt: skip
WHO = {"root": "admin", "mod": "moderator", "ann": "author"}


@pytest.mark.parametrize(
    "path", ["", *(f"{p}/" for p in REGISTRY), "posts/new/", "posts/edit/?id=1"]
)
def test_anonymous_user_is_sent_to_sign_in_and_back(browser, path):
    answer = browser().get(path)
    assert answer.status_code == 302
    assert answer.location.startswith("/auth/login?next=/admin/" + path.partition("?")[0])


def test_anonymous_change_leads_to_sign_in_and_then_home(browser, ids):
    answer = browser().post("posts/delete/", {"id": ids.live})
    assert (answer.status_code, answer.location) == (302, "/auth/login?next=/admin/")


@pytest.mark.parametrize("path", ["", *(f"{p}/" for p in REGISTRY)])
def test_members_have_no_access(browser, path):
    assert browser("bob").get(path).status_code == 403


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("path", REGISTRY)
def test_each_role_opens_its_own_lists(browser, who, path):
    answer = browser(who).get(f"{path}/")
    expected = (200, 302) if path in OPEN[WHO[who]] else (403,)
    assert answer.status_code in expected


@pytest.mark.parametrize("who", WHO)
def test_menu_shows_only_accessible_views(browser, who):
    text = browser(who).get().text
    shown = {path for path in REGISTRY if f'href="/admin/{path}/"' in text.split("<main")[0]}
    assert shown == OPEN[WHO[who]]


def test_authors_see_only_their_own_posts(browser, ids):
    ann = browser("ann")
    text = ann.get("posts/").text
    assert "Tide tables" in text and "Abe&#39;s nets" not in text
    for view in ("edit", "details", "delete"):
        assert ann.get(f"posts/{view}/?id={ids.abes}").status_code == 404
        assert ann.get(f"posts/{view}/?id={ids.live}").status_code == 200


def test_authors_see_comments_on_their_own_posts(browser, ids):
    ann = browser("ann")
    assert "Nice one" in ann.get("comments/").text
    assert "So so" not in ann.get("comments/").text
    assert ann.get(f"comments/details/?id={ids.comment}").status_code == 200
    assert ann.get(f"comments/edit/?id={ids.comment}").status_code == 403
    assert f"comments/edit/?id={ids.comment}" not in ann.get("comments/").text


def test_authors_see_their_own_profile(browser, app):
    text = browser("ann").get("profiles/").text
    assert "1 profile" in text


def test_authors_cannot_change_tags(browser):
    ann = browser("ann")
    assert ann.get("tags/edit/?id=1").status_code == 403
    assert ann.post("tags/edit/?id=1", {"name": "x"}).status_code == 403
    assert ann.get("tags/new/").status_code == 200


def test_authors_have_no_field_to_give_a_post_away(browser):
    assert 'name="author"' not in browser("ann").get("posts/new/").text
    assert 'name="author"' in browser("mod").get("posts/new/").text


@pytest.mark.parametrize("view", ["new/", "edit/?id=1"])
def test_moderators_cannot_change_users(browser, view):
    assert browser("mod").get(f"users/{view}").status_code == 403


@pytest.mark.parametrize(
    "id", ["", "abc", "0", "-1", "99999999999999999999999", "9" * 18, "1' OR 1", "%00", "１"]
)
@pytest.mark.parametrize("view", ["edit", "details", "delete"])
def test_invalid_ids_are_404(admin, view, id):
    assert admin.get(f"posts/{view}/?id={id}").status_code == 404


def test_hidden_email_appears_nowhere_for_authors(browser):
    for path in (
        "posts/",
        "comments/",
        "profiles/",
        "posts/export/csv/",
        "posts/lookup?field=author&q=a",
    ):
        assert "@example.org" not in browser("ann").get(path).text
