"""Create and edit forms: input is kept, errors are shown next to their fields, nothing is lost."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.declare.query import Query
from quire.records import COMMENTS, PAGES, POSTS, PROFILES, REDIRECTS, SETTINGS, TAGS, USERS
from quire.store import read, write


def new_id(answer):
    """Return the id in the address that a form leads to with "Save and continue"."""
    assert answer.status_code == 302, answer.text
    return int(answer.location.partition("id=")[2].partition("&")[0])


def test_create(admin, state):
    answer = admin.post(
        "posts/new/",
        {
            "title": "A new one",
            "body": "# Hello\r\nthere",
            "slug": "",
            "excerpt": "",
            "author": "abe",
            "category": "sea-and-shore",
            "tags": 'boats, "nets, fishing", brand new',
            "published_at": "2026-02-03T04:05",
            "unpublish_at": "",
            "comments_open": "",
            "_continue_editing": "1",
        },
    )
    post = state(POSTS, new_id(answer))
    assert (post["slug"], post["author"]["username"]) == ("a-new-one", "abe")
    assert post["body"] == "# Hello\nthere"
    assert {tag["name"] for tag in post["tags"]} == {"boats", "nets, fishing", "brand new"}
    assert (post["published_at"], post["comments_open"]) == ("2026-02-03T04:05:00Z", False)
    assert "Post published." in admin.get("posts/").text


def test_create_leads_to_the_list_or_the_previous_page(admin):
    assert admin.post("tags/new/", {"name": "one"}).location == "/admin/tags/"
    assert (
        admin.post("tags/new/", {"name": "two", "url": "/admin/posts/?page=2"}).location
        == "/admin/posts/?page=2"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example/admin/",
        "/auth/logout",
        "/\\evil.example",
        "/admin/\nx",
    ],
)
def test_forms_never_redirect_to_other_sites(admin, url):
    assert admin.post("tags/new/", {"name": "one", "url": url}).location == "/admin/tags/"


def test_all_errors_are_shown_and_all_text_is_kept(admin, app):
    answer = admin.post(
        "posts/new/",
        {
            "title": "x" * 201,
            "body": "Typed for an hour",
            "published_at": "soon",
            "author": "nobody",
        },
    )
    assert answer.status_code == 422
    text = answer.text
    assert "Title is longer than 200 characters." in text and "Published at" in text
    assert "x" * 201 in text and "Typed for an hour" in text and 'value="soon"' in text
    assert 'aria-invalid="true"' in text and 'aria-describedby="in-title-errors"' in text


def test_invalid_references_are_refused(admin):
    answer = admin.post(
        "posts/new/", {"title": "T", "body": "B", "author": "nobody", "category": "#77"}
    )
    assert answer.status_code == 422
    assert (
        "Author nobody does not exist." in answer.text
        and "Category 77 does not exist." in answer.text
    )


def test_required_fields_are_marked_and_checked(admin):
    assert 'title="required"' in admin.get("posts/new/").text
    answer = admin.post("posts/new/", {"title": " ", "body": ""})
    assert answer.status_code == 422
    assert "Title is required." in answer.text and "Body is required." in answer.text
    assert "</a>: Title is required." not in answer.text  # its label is not repeated


def test_taken_slug_is_a_conflict_on_its_field(admin):
    answer = admin.post("posts/new/", {"title": "T", "body": "B", "slug": "tide-tables"})
    assert answer.status_code == 409
    assert (
        '<ul class="errors" id="in-slug-errors"><li>Slug is already taken.</li></ul>' in answer.text
    )


def test_new_form_is_filled_from_the_url(admin):
    text = admin.get("comments/new/?post=tide-tables").text
    assert (
        'name="post" type="text" value="tide-tables"' in text.replace("  ", " ")
        or 'value="tide-tables"' in text
    )


def test_new_form_has_defaults(admin):
    text = admin.get("posts/new/").text
    assert (
        "checked" in text.partition('name="comments_open" type="checkbox"')[2][:40]
        or "checked" in text
    )


def test_edit_shows_and_saves(admin, ids, state):
    text = admin.get(f"posts/edit/?id={ids.live}").text
    assert 'value="Tide tables"' in text and 'name="version" value="1"' in text
    assert 'value="2026-01-01T10:00:00"' in text and 'value="sea-and-shore"' in text
    answer = admin.post(f"posts/edit/?id={ids.live}", {"title": "Tides", "version": "1"})
    assert (answer.status_code, answer.location) == (302, "/admin/posts/")
    post = state(POSTS, ids.live)
    assert (post["title"], post["version"], post["category"]["slug"]) == (
        "Tides",
        2,
        "sea-and-shore",
    )


def every_input(text):
    """Return the names and values of the inputs of a form, as a browser would send them."""
    form = BeautifulSoup(text, "html.parser").find("form", attrs={"data-unsaved-guard": True})
    sent = {}
    for one in form.find_all(["input", "textarea", "select"]):
        if one.get("type") == "checkbox" and not one.has_attr("checked"):
            continue
        if one.name == "select":
            chosen = one.find("option", selected=True) or one.find("option")
            sent.setdefault(one["name"], []).append(chosen["value"])
        elif one.name == "textarea":
            sent[one["name"]] = [one.text.removeprefix("\r\n").removeprefix("\n")]
        elif one.get("name"):
            sent.setdefault(one["name"], []).append(one.get("value", ""))
    return sent


@pytest.mark.parametrize(
    ("record", "id"),
    [
        (POSTS, 1),
        (POSTS, 2),
        (POSTS, 3),
        (PAGES, 1),
        (COMMENTS, 1),
        (TAGS, 1),
        (PROFILES, 1),
        (SETTINGS, 1),
        (USERS, 2),
    ],
    ids=lambda one: getattr(one, "path", one),
)
def test_saving_an_untouched_form_changes_nothing(admin, app, record, id):
    with app.app_context():
        before = read.get_record(record, SYSTEM, id)
    answer = admin.post(
        f"{record.path}/edit/?id={id}", every_input(admin.get(f"{record.path}/edit/?id={id}").text)
    )
    assert answer.status_code == 302, answer.text
    with app.app_context():
        assert read.get_record(record, SYSTEM, id) == before


def test_cleared_fields_are_saved_empty(admin, ids, state):
    admin.post(
        f"posts/edit/?id={ids.live}",
        {"category": "", "tags": "", "published_at": "", "excerpt": ""},
    )
    post = state(POSTS, ids.live)
    assert (post["category"], post["tags"], post["published_at"]) == (None, [], None)


def test_validation_error_on_edit_keeps_text_and_version(admin, ids, state):
    answer = admin.post(
        f"posts/edit/?id={ids.live}", {"title": "", "body": "Long text", "version": "1"}
    )
    assert answer.status_code == 422
    assert "Long text" in answer.text and 'name="version" value="1"' in answer.text
    assert state(POSTS, ids.live)["title"] == "Tide tables"


def test_stale_save_shows_both_versions(admin, browser, ids, state):
    browser("ann").post(f"posts/edit/?id={ids.live}", {"title": "Ann's title", "version": "1"})
    answer = admin.post(
        f"posts/edit/?id={ids.live}", {"title": "My title", "body": "My text", "version": "1"}
    )
    assert answer.status_code == 409
    text = answer.text
    assert "My title" in text and "Ann&#39;s title" in text and "My text" in text
    assert "ann saved version 2" in text and "differ" in text
    assert 'name="version" value="2"' in text
    assert state(POSTS, ids.live)["title"] == "Ann's title"


def test_conflict_can_be_overwritten_knowingly(admin, browser, ids, state):
    browser("ann").post(f"posts/edit/?id={ids.live}", {"title": "Ann's title", "version": "1"})
    form = every_input(
        admin.post(f"posts/edit/?id={ids.live}", {"title": "Mine", "version": "1"}).text
    )
    assert admin.post(f"posts/edit/?id={ids.live}", form).status_code == 302
    assert state(POSTS, ids.live)["title"] == "Mine"


@pytest.mark.parametrize("version", ["abc", "-1", "9" * 30, "１"])
def test_invalid_version_is_stale(admin, ids, version):
    assert (
        admin.post(f"posts/edit/?id={ids.live}", {"title": "X", "version": version}).status_code
        == 409
    )


def test_conflict_shows_no_secrets(admin, app, ids):
    with app.app_context():
        write.update(USERS, SYSTEM, ids.abe, {"bio": "new"})
    answer = admin.post(
        f"users/edit/?id={ids.abe}", {"bio": "mine", "password": "another long one", "version": "1"}
    )
    assert answer.status_code == 409 and "another long one" not in answer.text


def test_record_in_the_trash_is_read_only(admin, app, ids):
    with app.app_context():
        write.delete(POSTS, SYSTEM, ids.draft)
    answer = admin.get(f"posts/edit/?id={ids.draft}")
    assert answer.location == f"/admin/posts/details/?id={ids.draft}"
    text = admin.get(f"posts/details/?id={ids.draft}").text
    assert "Restore" in text and ">Edit<" not in text


def test_new_user_and_new_password(admin, state, app):
    answer = admin.post(
        "users/new/",
        {
            "username": "cleo",
            "email": "cleo@example.org",
            "password": "long enough one",
            "role": "author",
            "is_active": "y",
            "_continue_editing": "1",
        },
    )
    id = new_id(answer)
    assert state(USERS, id)["role"] == "author"
    assert (
        admin.post(
            f"users/edit/?id={id}", {"password": "", "bio": "Hi", "version": "1"}
        ).status_code
        == 302
    )
    answer = admin.post(f"users/edit/?id={id}", {"password": "pw-1234", "version": "2"})
    assert answer.status_code == 422 and "Password needs at least" in answer.text
    assert "pw-1234" not in answer.text.partition('<form method="post"')[2]


def test_own_password_change_needs_the_current_one(admin, ids):
    answer = admin.post(
        f"users/edit/?id={ids.root}", {"password": "another long one", "version": "1"}
    )
    assert answer.status_code == 422 and "Current password is required." in answer.text


def test_last_administrator_stays(admin, ids):
    answer = admin.post(f"users/edit/?id={ids.root}", {"role": "author", "version": "1"})
    assert (
        answer.status_code == 409
        and "You cannot demote or deactivate the last administrator." in answer.text
    )


def test_settings_stay_on_their_form(admin, state):
    answer = admin.post(
        "settings/edit/?id=1", {"site_name": "Harbour", "posts_per_page": "x", "version": "1"}
    )
    assert answer.status_code == 422 and "Posts per page must be a whole number." in answer.text
    answer = admin.post(
        "settings/edit/?id=1", {"site_name": "Harbour", "posts_per_page": "20", "version": "1"}
    )
    assert answer.location == "/admin/settings/edit/?id=1"
    assert "Harbour" in admin.get().text


def test_profile_links_are_one_per_line(browser, app, ids):
    ann = browser("ann")
    with app.app_context():
        id = read.find_id(PROFILES, SYSTEM, user_id=ids.ann)
    links = "https://a.example/\r\n\r\n https://b.example/ "
    assert (
        ann.post(f"profiles/edit/?id={id}", {"display_name": "Ann", "links": links}).status_code
        == 302
    )
    with app.app_context():
        assert read.get_record(PROFILES, SYSTEM, id)["links"] == [
            "https://a.example/",
            "https://b.example/",
        ]
    answer = ann.post(f"profiles/edit/?id={id}", {"links": "javascript:alert(1)"})
    assert answer.status_code == 422


def test_comment_in_reply(admin, ids, state):
    answer = admin.post(
        "comments/new/",
        {
            "post": "tide-tables",
            "parent": str(ids.comment),
            "body": "Thanks",
            "_continue_editing": "1",
        },
    )
    assert state(COMMENTS, new_id(answer))["parent"]["id"] == ids.comment


def test_details_show_history_and_audit(admin, browser, ids):
    admin.post(f"posts/edit/?id={ids.live}", {"title": "Tides", "version": "1"})
    text = admin.get(f"posts/details/?id={ids.live}").text
    assert (
        "Revision 2: changed" in text
        and "by root" in text
        and "1 field changed" in text
        and "Audit" in text
    )
    assert 'href="/posts/tide-tables"' in text
    text = browser("ann").get(f"posts/details/?id={ids.live}").text
    assert "Revision 2: changed" in text and "Audit" not in text


@pytest.mark.parametrize("path", ["redirects", "audit_events", "revisions", "users", "categories"])
def test_details_of_every_kind(admin, app, path):
    with app.app_context():
        write.create(REDIRECTS, SYSTEM, {"path": "/old", "target": "https://new.example/"})
    assert admin.get(f"{path}/details/?id=1").status_code == 200


@pytest.mark.parametrize("path", ["audit_events", "revisions"])
def test_read_only_types_have_no_form(admin, path):
    assert admin.get(f"{path}/new/").status_code == 403
    assert admin.get(f"{path}/edit/?id=1").status_code == 403
    assert admin.post(f"{path}/delete/", {"id": "1"}).status_code == 403
    assert "New " not in admin.get(f"{path}/").text.partition("<main")[2]


def test_conflict_on_a_type_without_a_visible_change_date(admin, app, ids):
    with app.app_context():
        id = read.find_id(PROFILES, SYSTEM, user_id=ids.ann)
        write.update(PROFILES, SYSTEM, id, {"location": "Harbour"})
    answer = admin.post(f"profiles/edit/?id={id}", {"location": "Hill", "version": "1"})
    assert answer.status_code == 409 and "saved version 2" in answer.text


def test_long_text_in_any_script_fits(admin, ids, state):
    body = "ب" * 100_000
    answer = admin.post(
        f"posts/edit/?id={ids.live}", {"body": body}, content_type="multipart/form-data"
    )
    assert answer.status_code == 302 and state(POSTS, ids.live)["body"] == body
    assert 'enctype="multipart/form-data"' in admin.get(f"posts/edit/?id={ids.live}").text


def test_links_to_an_old_slug_keep_working(admin, ids):
    admin.post(f"posts/edit/?id={ids.live}", {"slug": "tides", "version": "1"})
    text = admin.get("redirects/").text
    assert "/posts/tide-tables" in text and "1 redirect" in text


SECTION = "Search engines and sharing"


def section(answer):
    """Return the collapsible part of a form."""
    page = BeautifulSoup(answer.text, "html.parser")
    return next(one for one in page.find_all("details") if SECTION in one.summary.text)


@pytest.mark.parametrize(("path", "name"), [("posts", "live"), ("pages", "page")])
def test_seo_fields_are_collapsed_while_empty(admin, app, ids, path, name):
    id, record = getattr(ids, name), {"posts": POSTS, "pages": PAGES}[path]
    shown = section(admin.get(f"{path}/edit/?id={id}"))
    assert not shown.has_attr("open")
    assert shown.find("input")["data-recommended-length"] == "60"
    assert shown.find("textarea")["data-recommended-length"] == "160"
    refused = admin.post(f"{path}/edit/?id={id}", {"seo_title": "x" * 201, "version": "1"})
    assert refused.status_code == 422
    assert section(refused).has_attr("open")
    assert "SEO title is longer than 200 characters." in section(refused).text
    kept = {"seo_title": "Tides", "seo_description": "High and low.", "version": "1"}
    assert admin.post(f"{path}/edit/?id={id}", kept).status_code == 302
    filled = section(admin.get(f"{path}/edit/?id={id}"))
    assert filled.has_attr("open")
    assert filled.find("input")["value"] == "Tides"
    with app.app_context():
        found = read.get_record(record, SYSTEM, id, Query(fields=record.field_names))
    assert (found["seo_description"], found["version"]) == ("High and low.", 2)
    assert "SEO title" in admin.get(f"{path}/details/?id={id}").text
    assert "SEO title" in admin.get(f"{path}/history/?id={id}&from=1&to=2").text
    assert 'data-label="SEO title"' not in admin.get(f"{path}/").text
    assert "High and low." in admin.get(f"{path}/export/csv/").text


def test_only_a_new_account_needs_a_password(admin, ids):
    for address, must in (("users/new/", True), (f"users/edit/?id={ids.abe}", False)):
        page = BeautifulSoup(admin.get(address).text, "html.parser")
        assert bool(page.select("#field-password .required")) is must
        assert page.select("#field-username .required")


def test_texts_have_the_direction_of_their_language(admin, ids):
    page = BeautifulSoup(admin.get(f"posts/edit/?id={ids.live}").text, "html.parser")
    for name in ("title", "body", "excerpt", "tags", "seo_title"):
        assert page.find(attrs={"name": name})["dir"] == "auto", name
    assert page.find("h1").parent["dir"] == "auto"
    assert not page.find(attrs={"name": "published_at"}).has_attr("dir")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"accent_color": "blue"}, "Accent color must be a color such as #0b6b5f, or empty."),
        ({"language": "deutsch"}, "Language must be a language code such as en, de or pt-BR."),
        ({"language": "xx"}, "Language must be a language code such as en, de or pt-BR."),
        ({"menu": "A = /a\n = /b"}, "Menu entry 2 needs a label of at most 50 characters"),
        ({"menu": "A = /a\nB"}, "Menu entry 2 needs a path such as /about"),
        ({"menu": "A = javascript:alert(1)"}, "Menu entry 1 needs a path such as /about"),
    ],
)
def test_invalid_appearance_is_explained(admin, typed, said):
    answer = admin.post("appearance/edit/?id=1", {**typed, "version": "1"})
    assert answer.status_code == 422
    assert said in answer.text
