"""Lists: columns, search, filters, sorting, pages, trash, export, look-ups."""

import csv
import io
import re

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.admin import queries
from quire.admin.list import listing
from quire.declare.clock import now, rfc3339
from quire.declare.record import REGISTRY
from quire.records import CATEGORIES, POSTS, TAGS
from quire.store import write


def titles(text):
    """Return the titles in a list, in order."""
    return [
        part.split(">", 1)[1].split("</a>")[0]
        for part in text.split('class="title')[1:]
        for part in [part.split("<a", 1)[1]]
    ]


@pytest.mark.parametrize("path", [p for p, r in REGISTRY.items() if not r.singleton])
def test_every_type_has_a_list_with_one_heading(admin, path):
    text = admin.get(f"{path}/").text
    assert text.count("<h1>") == 1 and '<html lang="en"' in text


def test_titles_link_to_the_form(admin, ids):
    text = admin.get("posts/").text
    assert f'<a href="/admin/posts/edit/?id={ids.live}">Tide tables</a>' in text


def test_text_is_escaped(admin, app):
    with app.app_context():
        write.create(TAGS, SYSTEM, {"name": "<script>alert(1)</script>"})
    text = admin.get("tags/").text
    assert "<script>alert" not in text and "&lt;script&gt;" in text


def test_full_text_search(admin):
    text = admin.get("posts/?search=tables").text
    assert titles(text) == ["Tide <mark>tables</mark>"] and "1 post" in text


def test_match_in_the_text_is_shown_if_the_title_has_none(admin):
    text = admin.get("posts/?search=comes&author.username=abe").text
    assert '<div class="snippet">The tide <mark>comes</mark> and goes.</div>' in text


def test_highlighted_text_is_escaped(admin, app):
    with app.app_context():
        write.create(POSTS, SYSTEM, {"title": "<b>bold</b> claims", "body": "x", "author": "ann"})
    assert "&lt;b&gt;<mark>bold</mark>" in admin.get("posts/?search=bold").text


def test_search_without_results_says_so(admin):
    text = admin.get("posts/?search=zzzz").text
    assert "No results" in text and "Clear search and filters" in text


def test_empty_list_invites_to_create(admin):
    assert "Nothing here yet" in admin.get("redirects/").text
    assert "imports appear here, and can be undone for a week." in admin.get("batches/").text
    assert "Events that are sent to a webhook appear here" in admin.get("deliveries/").text


def test_empty_trash_explains_itself(admin):
    text = admin.get("posts/?trashed=true").text
    assert "The trash is empty" in text and "appears here and can be restored." in text


def test_profile_without_a_name_shows_its_user(admin, ids):
    assert re.search(
        r'<a href="/admin/profiles/edit/\?id=\d+">ann</a>', admin.get("profiles/").text
    )


def test_singleton_is_titled_by_its_type(admin):
    assert "Revisions of “Appearance”" in admin.get("appearance/history/?id=1").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=draft", {"Half a thought", "=HYPERLINK(1)"}),
        ("author.username=abe&status=published", {"Abe&#39;s nets"}),
        ("category.slug=sea-and-shore", {"Tide tables"}),
        ("tags.name=boats", {"Tide tables"}),
        ("title__icontains=THOUGHT", {"Half a thought"}),
        ("published_at__gte=2050-01-01T00:00", {"Not yet"}),
        ("published_at__isnull=true", {"Half a thought", "=HYPERLINK(1)"}),
        ("title__icontains=&status=&author.username=ann", {"Tide tables", "Half a thought"}),
    ],
)
def test_filters_use_the_parameters_of_the_api(admin, query, found):
    answer = admin.get(f"posts/?{query}", follow_redirects=True)
    assert set(titles(answer.text)) == found


def test_filters_are_shown_in_the_panel_and_as_chips(admin):
    text = admin.get("posts/?title__icontains=tide").text
    assert 'name="title__icontains" type="text" value="tide"' in text
    assert "Title contains tide" in text


def test_other_operators_work_from_the_url_and_as_chips(admin):
    assert "Views is greater than 0" in admin.get("posts/?views__gt=0").text
    assert "Views at least 1" in admin.get("posts/?views__gte=1").text
    text = admin.get("posts/?published_at__gte=2026-01-01T00:00").text
    assert "Published at from 1 Jan 2026, 00:00:00 UTC" in text
    assert "Published at is not empty" in admin.get("posts/?published_at__isnull=false").text
    assert "nothing 1" in admin.get("posts/?nothing=1").text


@pytest.mark.parametrize(
    ("query", "chip"),
    [
        ("author.username=ann", "Autor: ann"),
        ("title__icontains=tide", "Titel enthält „tide“"),
        ("views__gte=1", "Aufrufe: mindestens 1"),
        ("published_at__gte=2026-01-01T00:00", "Veröffentlicht am: ab 01.01.2026, 00:00:00 UTC"),
        ("published_at__within=last_7_days", "Veröffentlicht am: Letzte 7 Tage"),
        ("published_at__isnull=true", "Veröffentlicht am: leer"),
    ],
)
def test_chips_in_german_are_whole_phrases(admin, query, chip):
    text = admin.get(f"posts/?{query}", headers={"Accept-Language": "de"}).text
    page = BeautifulSoup(text, "html.parser")
    assert [one.text for one in page.select(".chip bdi")] == [chip]
    assert " ab" in page.find("label", string="Veröffentlicht am: ab").text


def test_url_contains_only_parameters_with_values(admin):
    answer = admin.get("posts/?search=&title__icontains=tide&views__gte=&sort=title")
    assert answer.location == "/admin/posts/?title__icontains=tide&sort=title"


@pytest.mark.parametrize(
    "link",
    [
        "posts/?sort=title&amp;author.username=ann",
        "posts/?sort=title&amp;tags.name=boats",
        "posts/?sort=title&amp;status=scheduled",
    ],
)
def test_cells_are_links_that_narrow_the_list(admin, link):
    text = admin.get("posts/?sort=title").text
    assert f'href="/admin/{link}"' in text
    assert admin.get(link.replace("&amp;", "&")).status_code == 200


def test_periods_follow_the_current_day(admin, app, ids):
    with app.app_context():
        write.update(POSTS, SYSTEM, ids.draft, {"published_at": rfc3339(now())})
    text = admin.get("posts/?published_at__within=last_7_days").text
    assert titles(text) == ["Half a thought"] and "Published at: last 7 days" in text
    assert '<option value="last_7_days" selected>' in text
    assert admin.get("posts/?published_at__within=someday").status_code == 400
    assert titles(admin.get("posts/?published_at__within=last_month").text) == []


def test_large_totals_are_rounded(admin, monkeypatch):
    monkeypatch.setattr(listing, "MAX_COUNTED", 3)
    text = admin.get("posts/").text
    assert "3+ posts" in text and "5 posts" not in text


def test_tabs_are_the_states(admin):
    text = admin.get("posts/?status=draft&sort=title").text
    assert (
        '<a href="/admin/posts/?sort=title&amp;status=draft" aria-current="page">Draft</a>' in text
    )
    assert '<a href="/admin/posts/?sort=title&amp;trashed=true">Trash</a>' in text


@pytest.mark.parametrize(("sort", "first"), [("title", "=HYPERLINK(1)"), ("-title", "Tide tables")])
def test_sorting(admin, sort, first):
    text = admin.get(f"posts/?sort={sort}").text
    assert titles(text)[0] == first and 'aria-sort="' in text


@pytest.mark.parametrize(
    "query",
    [
        "views__gt=abc",
        "nothing=1",
        "sort=body",
        "status=maybe",
        "cursor=x&page=1",
        "search=" + "x" * 300,
    ],
)
def test_invalid_parameters_are_explained(admin, query):
    answer = admin.get(f"posts/?{query}")
    assert answer.status_code == 400 and 'class="note error"' in answer.text


@pytest.mark.parametrize(
    "page", ["9" * 20, "0", "-1", "abc", "1e3", "%00", "１", "999999", "1&page=2", ""]
)
def test_invalid_page_numbers_cause_no_server_error(admin, page):
    answer = admin.get(f"posts/?page={page}", follow_redirects=True)
    assert answer.status_code in (200, 400)
    assert admin.get(f"posts/?per_page={page}", follow_redirects=True).status_code in (200, 400)


def test_pages(admin, app):
    with app.app_context():
        write.create_many(TAGS, SYSTEM, [{"name": f"tag {n:03}"} for n in range(130)])
    first = admin.get("tags/?sort=name&per_page=10")
    assert "132 tags" in first.text and "1–10 of 132" in first.text
    assert "page=2" in first.text and "page=14" in first.text and "…" in first.text
    last = admin.get("tags/?sort=name&per_page=10&page=14").text
    assert "131–132 of 132" in last and 'rel="next"' not in last
    assert "131–132 of 132" in admin.get("tags/?sort=name&per_page=10&page=900").text


def test_trash_is_a_separate_view(admin, app, ids):
    with app.app_context():
        write.delete(POSTS, SYSTEM, ids.draft)
    assert "Half a thought" not in admin.get("posts/").text
    text = admin.get("posts/?trashed=true").text
    assert titles(text) == ["Half a thought"]
    assert "Delete permanently" in text and "Restore" in text and "Edit Half" not in text


def test_settings_lead_to_their_form(admin):
    assert admin.get("settings/").location == "/admin/settings/edit/?id=1"


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_export_follows_the_filters_and_escapes_formulas(admin):
    answer = admin.get("posts/export/csv/?status=draft")
    assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
    rows = rows_of(answer)
    assert {row["title"] for row in rows} == {"Half a thought", "'=HYPERLINK(1)"}
    assert {row["author"] for row in rows} == {"ann", "abe"}


def test_export_shows_references_by_name(admin):
    row = rows_of(admin.get("posts/export/csv/?title__icontains=tide"))[0]
    assert (row["category"], row["tags"], row["comments_open"]) == (
        "sea-and-shore",
        "boats",
        "true",
    )
    assert "password" not in rows_of(admin.get("users/export/csv/"))[0]


def test_export_reads_in_batches(admin, app):
    with app.app_context():
        write.create_many(TAGS, SYSTEM, [{"name": f"tag {n:03}"} for n in range(130)])
    assert len(rows_of(admin.get("tags/export/csv/"))) == 132


def test_export_of_audit_and_revisions_contains_lists_and_objects(admin):
    assert rows_of(admin.get("audit_events/export/csv/"))[0]["fields"]
    assert rows_of(admin.get("revisions/export/csv/"))[0]["data"].startswith("{")


@pytest.mark.parametrize(
    ("address", "status"), [("export/pdf/", 404), ("export/csv/?views=x", 400)]
)
def test_invalid_exports_are_refused(admin, address, status):
    assert admin.get(f"posts/{address}").status_code == status


def test_lookup_suggests_by_parts_of_names(admin):
    results = admin.get("posts/lookup?field=author&q=ab").json["results"]
    assert results == [{"value": "abe", "label": "abe", "hint": ""}]
    results = admin.get("posts/lookup?field=category&q=shore").json["results"]
    assert results == [
        {"value": "sea-and-shore", "label": "Sea and shore", "hint": "sea-and-shore"}
    ]


def test_lookup_is_limited_and_shows_only_what_may_be_seen(admin, browser, app):
    with app.app_context():
        write.create_many(TAGS, SYSTEM, [{"name": f"tag {n:03}"} for n in range(30)])
    assert len(admin.get("posts/lookup?field=tags").json["results"]) == 20
    assert len(admin.get("posts/lookup?field=tags&q=tag&limit=1000").json["results"]) == 20
    found = browser("ann").get("comments/lookup?field=post").json["results"]
    assert {one["label"] for one in found} == {"Tide tables", "Half a thought", "Abe's nets"}


@pytest.mark.parametrize("field", ["title", "nothing", "", "password"])
def test_lookup_of_a_field_that_is_not_a_reference(admin, field):
    answer = admin.get(f"posts/lookup?field={field}", headers={"Accept": "application/json"})
    assert answer.status_code == 404 and answer.json["code"] == "not_found"


def test_lookup_by_full_text_and_special_characters(admin):
    assert admin.get("comments/lookup?field=parent&q=nice").json["results"]
    assert admin.get("posts/lookup?field=tags&q=%00").json["results"] == []


def test_list_is_small_and_takes_few_statements(admin, app, ids, statements):
    with app.app_context():
        posts = [
            {"title": f"A title of usual length {n}", "body": "x" * 5000, "author": "ann",
             "category": "sea-and-shore", "tags": ["boats", "nets", "weather"]}
            for n in range(20)
        ]  # fmt: skip
        write.create_many(POSTS, SYSTEM, posts)
    path = "posts/?status=draft&search=title&created_at__within=today"
    admin.get(path)
    answer, sent = statements(admin.get, path)
    assert "20 posts" in answer.text or "1–20 of" in answer.text
    assert len(answer.data) < 150_000 and len(sent) <= 6


def test_posts_are_counted_only_if_the_column_is_shown(admin, statements):
    _, sent = statements(admin.get, "tags/")
    assert not any("posts_tags" in one for one in sent)
    answer, sent = statements(admin.get, "tags/?columns=name,post_count")
    assert any("posts_tags" in one for one in sent) and "Post count" in answer.text


@pytest.mark.parametrize(("record", "field"), [(TAGS, "tags"), (CATEGORIES, "category")])
def test_posts_of_a_row_are_counted_up_to_a_limit(
    admin, app, ids, monkeypatch, statements, record, field
):
    with app.app_context():
        id = write.create(record, SYSTEM, {"name": "Shells"}).id
        value = [id] if field == "tags" else id
        for number, at in enumerate(("2026-01-01T00:00:00Z",) * 3 + (None, "2099-01-01T00:00:00Z")):
            raw = {"title": f"S{number}", "body": "b", "author": "ann", "published_at": at}
            write.create(POSTS, SYSTEM, raw | {field: value})
    path = f"{record.path}/?columns=name,post_count&id={id}"

    def shown():
        answer, sent = statements(admin.get, path)
        cells = BeautifulSoup(answer.text, "html.parser").select("tbody td.number")
        return [one.get_text(strip=True) for one in cells], sent

    admin.get(path)
    figures, sent = shown()
    assert figures == ["3"] and len(sent) <= 6
    [counting] = [one for one in sent if "posts" in one]
    assert "LIMIT" in counting
    monkeypatch.setattr(queries, "MAX_COUNTED", 2)
    assert shown()[0] == ["2+"]
