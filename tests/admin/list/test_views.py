"""Saved views: stored under a name, shared with roles, opened by slug or by default."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import update

from quire.actor import SYSTEM, Actor
from quire.admin.list.preferences import preferences_of
from quire.declare.query import Query
from quire.declare.record import REGISTRY
from quire.records import PROFILES, SAVED_VIEWS
from quire.store import read, write
from quire.store.db import transaction
from quire.store.read import find_id

DRAFTS = "/admin/posts/?status=draft&sort=title"


def save(browser, name="My drafts", url=DRAFTS, path="posts", **more):
    form = {"do": "save", "name": name, "url": url, **more}
    return browser.post(f"{path}/views/", form)


def titles(text):
    return [
        re.sub("<.*?>", "", one) for one in re.findall(r'class="title.*?<a [^>]*>(.*?)</a>', text)
    ]


@pytest.fixture
def stored(app):
    """`stored("my-drafts")` is the stored view."""

    def find(slug):
        with app.app_context():
            id = find_id(SAVED_VIEWS, SYSTEM, slug=slug)
            return read.get_record(SAVED_VIEWS, SYSTEM, id) if id else None

    return find


@pytest.fixture
def view(app, ids):
    """`view(parameters="...")` creates a view of root's and returns its slug."""

    def make(owner="root", **more):
        raw = {"name": "Made", "type": "posts", "owner": getattr(ids, owner), **more}
        with app.app_context():
            return write.create(SAVED_VIEWS, SYSTEM, raw).state["slug"]

    return make


def test_list_is_saved_and_opened_by_its_slug(admin, stored):
    answer = save(admin, url=f"{DRAFTS}&page=1&columns=title,author")
    assert answer.location == "/admin/posts/?view=my-drafts"
    view = stored("my-drafts")
    assert view["parameters"] == "status=draft&sort=title"
    assert (view["columns"], view["shared_with"]) == (["title", "author"], "nobody")
    text = admin.get("posts/?view=my-drafts").text
    assert titles(text) == ["=HYPERLINK(1)", "Half a thought"]
    assert 'data-label="Author"' in text and 'data-label="Published at"' not in text
    assert 'aria-current="page"><svg' in text and "View changed" not in text


def test_duplicate_name_in_a_list_is_refused(admin, browser, stored):
    save(admin)
    answer = save(admin, " MY drafts")
    assert answer.status_code == 409
    assert "This list already has a view called “MY drafts”. Choose another name." in answer.text
    assert 'value=" MY drafts"' in answer.text or 'value="MY drafts"' in answer.text
    assert stored("my-drafts-2") is None
    assert save(admin, url="/admin/pages/", path="pages").status_code == 302, "another list"
    answer = save(browser("mod"))
    assert answer.location == "/admin/posts/?view=my-drafts-3", "another person, another address"
    assert browser("mod").get("posts/?view=my-drafts").status_code == 404


def test_names_of_shared_views_are_unique_in_a_list(admin, browser, stored):
    save(admin, shared_with="authors")
    mod = browser("mod")
    assert save(mod, shared_with="moderators").status_code == 409
    assert save(mod).status_code == 302, "a view of one's own is told apart by whose it is"
    own = stored("my-drafts-2")
    form = {"name": "My drafts", "slug": "my-drafts-2", "shared_with": "authors"}
    answer = mod.post(f"saved_views/edit/?id={own['id']}", form)
    assert answer.status_code == 409 and "already has a view called" in answer.text
    assert stored("my-drafts-2")["shared_with"] == "nobody"


def test_views_with_the_same_name_stay_editable(app, admin, view, stored):
    first, second = view(), view(name="Other")
    with app.app_context(), transaction() as connection:
        table = SAVED_VIEWS.table
        connection.execute(update(table).where(table.c.slug == second).values(name="Made"))
        write.update(SAVED_VIEWS, SYSTEM, stored(second)["id"], {"parameters": "status=draft"})
    assert stored(second)["parameters"] == "status=draft" and stored(first)["parameters"] == ""


def test_taken_slug_is_reported_on_the_name(app, as_, view):
    slug = view()
    answer = as_("root").post("saved_views", json={"name": "B", "type": "posts", "slug": slug})
    assert answer.status_code == 409
    assert [one["field"] for one in answer.json["details"]] == ["slug"]


def test_invalid_parameters_are_refused(as_):
    def refused(**more):
        raw = {"name": "A", "type": "posts", **more}
        answer = as_("root").post("saved_views", json=raw)
        assert answer.status_code == 422
        return [(one["field"], one["code"]) for one in answer.json["details"]]

    assert refused(type="nonsense") == [("type", "not_allowed")]
    assert refused(slug="all") == [("slug", "not_allowed")]
    assert refused(columns=["title"] * 100) == [("columns", "too_long")]
    many = "&".join(f"a{number}=b" for number in range(200))
    assert refused(parameters=many) == [("parameters", "too_long")]


def test_name_without_letters_gets_a_slug(admin):
    assert save(admin, "!!!").location == "/admin/posts/?view=saved-view"


def test_views_have_audit_and_revisions_like_every_record(admin, app, stored):
    save(admin)
    id = stored("my-drafts")["id"]
    text = admin.get(f"saved_views/details/?id={id}").text
    assert "My drafts" in text and "created" in text
    assert "saved_views" in admin.get("audit_events/?type=saved_views").text


def test_search_and_dates_are_saved_too(admin, stored):
    save(admin, "Recent", "/admin/posts/?search=tide&created_at__within=last_7_days")
    assert stored("recent")["parameters"] == "search=tide&created_at__within=last_7_days"
    text = admin.get("posts/?view=recent").text
    assert titles(text)[0] == "Tide tables" and "Created at: last 7 days" in text


def test_modified_view_says_so_and_can_be_updated(admin, stored):
    save(admin)
    changed = "/admin/posts/?view=my-drafts&status=draft&sort=-title"
    text = admin.get(changed.removeprefix("/admin/")).text
    assert "View changed" in text and "Update this view" in text
    assert titles(text) == ["Half a thought", "=HYPERLINK(1)"]
    answer = admin.post("posts/views/", {"do": "update", "url": changed})
    assert answer.location == "/admin/posts/?view=my-drafts"
    view = stored("my-drafts")
    assert (view["parameters"], view["version"]) == ("status=draft&sort=-title", 2)


def test_links_of_an_open_view_carry_its_parameters(admin):
    save(admin, url="/admin/posts/?title__icontains=t&author.username=abe")
    text = admin.get("posts/?view=my-drafts").text
    chips = re.findall(r'class="chip".*?href="([^"]*)"', text)
    assert [dict(parse_qsl(urlsplit(one.replace("&amp;", "&")).query)) for one in chips] == [
        {"view": "my-drafts", "author.username": "abe"},
        {"view": "my-drafts", "title__icontains": "t"},
    ]


def test_removing_the_last_filter_leaves_the_whole_list(admin):
    save(admin, url="/admin/posts/?title__icontains=tide")
    text = admin.get("posts/?view=my-drafts").text
    assert re.findall(r'class="chip".*?href="([^"]*)"', text) == ["/admin/posts/?view=all"]
    answer = admin.get("posts/?view=my-drafts&search=&title__icontains=")
    assert answer.location == "/admin/posts/?view=all"
    assert len(titles(admin.get("posts/?view=all").text)) == 5


def test_default_view_opens_first(admin, browser, app, ids):
    assert save(admin, opens_first="1").status_code == 302
    assert admin.get("posts/").location == "/admin/posts/?view=my-drafts"
    assert browser("mod").get("posts/").status_code == 200
    text = admin.get("posts/?view=my-drafts").text
    assert "Do not open by default" in text
    assert '<a href="/admin/posts/?view=all">All</a>' in text
    assert admin.get("posts/?search=").location == "/admin/posts/?view=all"
    assert len(titles(admin.get("posts/?view=all").text)) == 5
    admin.post("posts/views/", {"do": "default", "url": "/admin/posts/?view=my-drafts"})
    assert admin.get("posts/").status_code == 200
    with app.app_context():
        rows = read.list_records(PROFILES, SYSTEM, Query(fields=("id", "version"))).rows
    assert {one["version"] for one in rows} == {1}, "no editor of a profile is disturbed"


def test_deleted_default_view_is_ignored(admin, app, stored):
    save(admin, opens_first="1")
    with app.app_context():
        write.delete(SAVED_VIEWS, SYSTEM, stored("my-drafts")["id"])
    assert admin.get("posts/").status_code == 200
    answer = admin.get("posts/?view=my-drafts")
    assert answer.status_code == 404 and "This view does not exist" in answer.text
    assert len(titles(answer.text)) == 5


@pytest.mark.parametrize(
    ("shared_with", "seen_by"),
    [
        ("nobody", set()),
        ("authors", {"ann", "mod"}),
        ("moderators", {"mod"}),
        ("admins", set()),
    ],
)
def test_views_are_shared_with_a_role_and_higher_ones(browser, admin, shared_with, seen_by):
    save(admin, shared_with=shared_with)
    found = {name for name in ("ann", "mod") if "My drafts" in browser(name).get("posts/").text}
    assert found == seen_by
    for name in ("ann", "mod"):
        status = browser(name).get("posts/?view=my-drafts").status_code
        assert status == (200 if name in seen_by else 404)


def test_private_views_of_others_are_not_in_an_administrators_lists(browser, admin):
    save(browser("mod"))
    assert "My drafts" not in admin.get("posts/").text
    text = admin.get("saved_views/").text
    assert "My drafts" in text and "Open this view" not in text


def test_only_moderators_share(browser, stored):
    ann = browser("ann")
    assert 'name="shared_with"' not in ann.get("posts/").text
    answer = save(ann, shared_with="authors")
    assert answer.status_code == 422 and stored("my-drafts") is None
    assert save(browser("mod"), shared_with="authors").status_code == 302


def test_only_administrators_change_views_of_others(browser, as_, stored):
    save(browser("mod"), shared_with="authors")
    save(browser("mod"), "Private")
    shared, private = (stored(slug)["id"] for slug in ("my-drafts", "private"))
    assert as_("ann").patch(f"saved_views/{shared}", json={"name": "X"}).status_code == 403
    assert as_("ann").patch(f"saved_views/{private}", json={"name": "X"}).status_code == 404
    for id in (private, shared):
        assert as_("root").patch(f"saved_views/{id}", json={"name": f"X{id}"}).status_code == 200


def test_shared_view_omits_what_its_reader_cannot_see(admin, browser):
    save(admin, "Mails", "/admin/posts/?sort=title&columns=title,views", shared_with="authors")
    text = browser("ann").get("posts/?view=mails").text
    assert 'data-label="Views"' in text and "Left out" not in text


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("status=retired&sort=title", "“Status is retired”"),
        ("colour=red&sort=title", "“colour red”"),
        ("sort=colour", "“sort colour”"),
        ("views__gt=many", "“Views is greater than many”"),
    ],
)
def test_missing_parts_of_a_view_are_omitted_and_named(admin, view, parameters, words):
    slug = view(parameters=parameters, columns=["title", "colour"])
    answer = admin.get(f"posts/?view={slug}")
    assert answer.status_code == 200 and len(titles(answer.text)) == 5
    assert f"{words}, column “colour”." in answer.text
    assert "View changed" not in answer.text


def test_refused_name_is_kept(admin):
    answer = save(admin, "All")
    assert answer.status_code == 422
    assert 'value="All"' in answer.text and "This name is reserved" in answer.text
    assert titles(answer.text) == ["=HYPERLINK(1)", "Half a thought"]


def test_other_inputs_of_a_refused_view_are_kept(admin):
    answer = save(admin, " ", shared_with="moderators", opens_first="1")
    assert answer.status_code == 422
    assert '<option value="moderators" selected>Moderators and above</option>' in answer.text
    assert 'name="opens_first" value="1" checked>' in answer.text


def test_refusal_is_in_the_language_of_the_page(admin):
    form = {"do": "save", "name": " ", "url": DRAFTS}
    answer = admin.post("posts/views/", form, headers={"Accept-Language": "de"})
    assert "Name: bitte ausfüllen." in answer.text and ">Moderatoren und höher<" in answer.text


def test_views_name_their_list_and_audience(admin, view):
    view(shared_with="moderators")
    text = admin.get("saved_views/").text
    assert '<a class="narrow" href="/admin/saved_views/?type=posts">Posts</a>' in text
    assert ">Moderators and above</span>" in text
    assert '<a href="/admin/posts/?view=made">Open this view</a>' in text
    form = admin.get("saved_views/new/").text
    assert '<option value="audit_events">Audit events</option>' in form
    assert '<option value="settings">' not in form
    chips = admin.get("saved_views/?type=posts").text.partition('class="chips"')[2]
    assert "List is Posts" in chips


@pytest.mark.parametrize(
    "form",
    [
        {"do": "save", "name": "X", "url": "/admin/tags/"},
        {"do": "explode", "url": "/admin/posts/"},
        {"do": "update", "url": "/admin/posts/"},
    ],
)
def test_invalid_requests_are_refused(admin, form):
    assert admin.post("posts/views/", form).status_code == 400


def test_all_rows_of_a_view_can_be_changed_or_exported(admin, ids, state):
    save(admin, url="/admin/posts/?title__icontains=thought")
    here = "/admin/posts/?view=my-drafts"
    form = {"action": "publish", "matching": "1", "confirmed": "1", "url": here}
    assert "1 post published." in admin.post("posts/action/", form, follow_redirects=True).text
    text = admin.get("posts/?view=my-drafts").text
    assert 'href="/admin/posts/export/csv/?title__icontains=thought"' in text


@pytest.mark.parametrize("record", [r for r in REGISTRY.values() if not r.singleton], ids=lambda r: r.path)  # fmt: skip
def test_every_list_can_be_saved_and_opened(admin, record):
    if admin.get(f"{record.path}/").status_code == 403:
        return
    url = f"/admin/{record.path}/?sort=-created_at"
    location = save(admin, "Newest", url, record.path).location
    answer = admin.get(location.removeprefix("/admin/"))
    assert answer.status_code == 200 and "Left out" not in answer.text


def test_api_returns_views_too(as_):
    client = as_("ann")
    raw = {"name": "Mine", "type": "posts", "parameters": "author.username=ann"}
    made = client.post("saved_views", json=raw)
    assert made.status_code == 201 and made.json["slug"] == "mine"
    for wrong in ({"type": "settings"}, {"type": "nothing"}, {"slug": "all"}, {"parameters": "??"}):
        assert client.post("saved_views", json={**raw, **wrong}).status_code == 422
    assert client.delete(f"saved_views/{made.json['id']}").status_code == 204


def test_own_records_have_a_tab_if_others_are_visible(admin, browser):
    text = admin.get("posts/").text
    assert '<a href="/admin/posts/?author.username=root">Mine</a>' in text
    assert ">Mine</a>" not in browser("ann").get("posts/").text
    text = admin.get("posts/?author.username=root&sort=title").text
    assert 'aria-current="page">Mine</a>' in text
    assert '<a href="/admin/posts/?sort=title&amp;status=draft">Draft</a>' in text


def test_tabs_have_the_labels_of_the_declaration(admin):
    text = admin.get("comments/?status=pending").text
    assert 'aria-current="page">Needs review</a>' in text and ">Pending</a>" not in text
    text = admin.get("users/?is_active=false").text
    assert 'aria-current="page">Inactive</a>' in text and ">Administrators</a>" in text


def test_author_list_takes_two_more_statements(browser, statements, view):
    ann = browser("ann")
    ann.get("posts/")
    _, sent = statements(ann.get, "posts/")
    assert len(sent) <= 6
    slug = view("ann")
    ann.get("posts/")
    _, sent = statements(ann.get, f"posts/?view={slug}")
    assert len(sent) <= 6


def test_users_without_an_account_have_no_preferences(app):
    with app.app_context():
        assert preferences_of(Actor("admin")).profile is None
