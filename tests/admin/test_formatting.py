"""Functions of the panel that need no browser: labels of values, text for values, the chart."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from quire.actor import Actor
from quire.admin import actions, local_time
from quire.admin import format as formatting
from quire.admin.dashboard import chart
from quire.admin.dashboard.counts import SERIES
from quire.admin.list import columns, presets
from quire.admin.results import result_message
from quire.admin.urls import local_url
from quire.declare import text_values
from quire.declare.clock import rfc3339
from quire.declare.references import Many
from quire.declare.value_kinds import FLAG, OBJECT, TEXT, TIME, WHOLE, Kind
from quire.declare.value_kinds_addresses import URL, URLS
from quire.exchange.tables import cells, export
from quire.records import AUDIT_EVENTS, CATEGORIES, COMMENTS, POSTS, TAGS, USERS
from quire.web.language import in_language


def field(kind, **more):
    given = {"name": "x", "label": "X", "nullable": False, "readable": True, "default_from": None}
    return SimpleNamespace(
        **given | {"kind": kind, "choices": (), "target": None, "many": None} | more
    )


def nowhere(record, id):
    return None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TEXT, " a ", "a"),
        (TEXT, "", ""),
        (WHOLE, "12", 12),
        (WHOLE, "12.5", "12.5"),
        (WHOLE, "", None),
        (TIME, "2026-01-02T03:04", "2026-01-02T03:04:00Z"),
        (TIME, "2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05+02:00"),
        (TIME, "soon", "soon"),
        (TIME, "", None),
        (URLS, "https://a.example/\r\n\r\n", ["https://a.example/"]),
        (OBJECT, '{"a": [1]}', {"a": [1]}),
        (OBJECT, "{", "{"),
        (OBJECT, "", None),
        (Kind("decimal", str, "decimal"), "1.50", "1.50"),
        (Kind("decimal", str, "decimal"), "", None),
        (Kind("day", str, "date"), "2026-01-31", "2026-01-31"),
    ],
)
def test_typed_text_becomes_json(kind, text, value):
    assert text_values.decode_value(field(kind), text, creating=False) == value


def test_line_breaks_rewritten_by_browsers_are_unchanged():
    assert text_values.is_same_text(field(TIME), "2026-01-02T03:04", "2026-01-02T03:04:00")
    assert text_values.is_same_text(POSTS.field("body"), "a\r\nb", "a\nb")
    assert not text_values.is_same_text(field(TEXT), "a", "b")
    assert not text_values.is_same_text(field(WHOLE), "1", "")


def test_null_and_omitted_values():
    assert text_values.decode_value(field(TEXT, nullable=True), "", creating=False) is None
    assert text_values.decode_value(field(TEXT), "", creating=True) is text_values.OMITTED
    assert (
        text_values.decode_value(field(TEXT, readable=False), "", creating=False)
        is text_values.OMITTED
    )
    assert text_values.decode_value(field(FLAG), True, creating=True) is True


def test_references_by_name_and_by_number():
    tags = POSTS.field("tags")
    assert text_values.decode_value(tags, 'a, "b, c",, #7, 2024', creating=False) == [
        "a",
        "b, c",
        7,
        "2024",
    ]
    assert text_values.decode_value(COMMENTS.field("parent"), "7", creating=False) == 7
    assert text_values.decode_value(COMMENTS.field("parent"), "x", creating=False) == "x"
    assert text_values.decode_value(POSTS.field("category"), "", creating=False) is None


@pytest.mark.parametrize("names", [["a"], ["a", "b c"], ["a, b", "c"], ['say "hi"', "d"], []])
def test_names_survive_a_round_trip(names):
    tags = POSTS.field("tags")
    text = text_values.encode_value(tags, [{"id": n, "name": name} for n, name in enumerate(names)])
    assert text_values.decode_value(tags, text, creating=False) == names


def test_values_as_text():
    assert text_values.encode_value(field(OBJECT), {"a": 1}) == '{\n  "a": 1\n}'
    assert text_values.encode_value(field(FLAG), None) is False
    assert text_values.encode_value(POSTS.field("author"), 7) == "7"
    assert text_values.encode_value(COMMENTS.field("parent"), {"id": 7}) == "7"
    assert text_values.reference_key({"id": 7}, POSTS.field("category")) == "#7"


@pytest.mark.parametrize(
    ("kind", "value", "html"),
    [
        (TEXT, "<b>", "&lt;b&gt;"),
        (TEXT, "x" * 200, "x" * 89 + "…"),
        (FLAG, False, '<span class="badge ">No</span>'),
        (WHOLE, 0, "0"),
        (URLS, ["https://a.example/", "<b>"], "https://a.example/<br>&lt;b&gt;"),
        (OBJECT, {"a": 1}, "{ &#34;a&#34;: 1 }"),
        (
            URL,
            "https://a.example/",
            '<a href="https://a.example/" rel="noopener noreferrer">https://a.example/</a>',
        ),
        (
            Kind("day", str, "date"),
            "2026-01-31",
            '<time datetime="2026-01-31" class="nowrap">31 Jan 2026</time>',
        ),
        (TEXT, None, ""),
        (URLS, [], ""),
    ],
)
def test_cells(kind, value, html):
    assert formatting.cell_html(field(kind), value, nowhere) == html


def test_long_texts_and_objects_in_full():
    assert formatting.cell_html(field(OBJECT), {"a": 1}, nowhere, full=True).startswith("<pre>{")
    prose = POSTS.field("body")
    assert (
        formatting.cell_html(prose, "<script>", nowhere, full=True) == "<pre>&lt;script&gt;</pre>"
    )
    assert formatting.cell_html(field(TEXT), "x" * 200, nowhere, full=True) == "x" * 200


def test_references_are_links_if_they_lead_somewhere():
    category, small = POSTS.field("category"), {"id": 3, "name": "Sea", "slug": "sea"}
    assert formatting.cell_html(category, small, nowhere) == "Sea"
    assert (
        formatting.cell_html(category, small, lambda record, number: f"/{record.path}/{number}")
        == '<a href="/categories/3">Sea</a>'
    )
    assert formatting.cell_html(category, 3, nowhere) == "#3"


def test_titles():
    assert formatting.record_title(TAGS, {"id": 3, "name": ""}) == "#3"
    assert formatting.record_title(TAGS, {"id": 3, "name": "x"}) == "x"
    odd = SimpleNamespace(title=TAGS.title, title_field="category", field=POSTS.field)
    assert (
        formatting.record_title(odd, {"id": 1, "category": {"id": 3, "name": "Sea", "slug": "sea"}})
        == "Sea"
    )


def test_chart_describes_itself():
    days = [chart.Day(date(2026, 1, 1) + timedelta(days=n), n % 4, n * 3) for n in range(30)]
    drawn = chart.chart(days, SERIES)
    assert drawn["description"].startswith(
        "From 1 Jan to 30 Jan: 43 posts, 1,305 comments, 0 new users."
    )
    assert drawn["lines"][-1]["label"] >= 87
    assert all(bar["y"] >= 0 and bar["height"] > 0 for bar in drawn["bars"])
    assert drawn["ticks"][-1]["label"] == "30 Jan"


def test_chart_of_one_series_has_one_bar_per_day():
    days = [chart.Day(date(2026, 1, 1) + timedelta(days=n), 5, 5, views=n) for n in range(30)]
    drawn = chart.chart(days, ("views",))
    assert len(drawn["bars"]) == 29 and {one["series"] for one in drawn["bars"]} == {"views"}
    assert drawn["description"].startswith("From 1 Jan to 30 Jan: 435 views.")
    assert all(one["x"] + one["width"] <= drawn["width"] for one in drawn["bars"])


def test_empty_chart_has_no_bars():
    days = [chart.Day(date(2026, 1, 1), 0, 0)]
    assert chart.chart(days, SERIES)["bars"] == []


@pytest.mark.parametrize("highest", [0, 1, 3, 4, 5, 9, 40, 41, 99, 12345])
def test_grid_lines_exceed_the_highest_bar(highest):
    drawn = chart.chart([chart.Day(date(2026, 1, 1), highest, 0)], SERIES)
    assert drawn["lines"][-1]["label"] >= highest and len(drawn["lines"]) == 5


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", " =1"])
def test_formulas_are_escaped(text):
    assert cells.escape_formula(text) == f"'{text}"


def test_plain_text_is_unchanged():
    assert cells.escape_formula("a=1") == "a=1"
    assert export._writer(field(WHOLE))(-3) == "-3"
    assert export._writer(field(Kind("decimal", str, "decimal")))("-3.50") == "-3.50"


@pytest.mark.parametrize(
    "address",
    [None, "", "/", "/admin", "//x/admin/", "/admin/\\x", "/admin/ x", "https://x/admin/"],
)
def test_foreign_urls_are_rejected(address):
    assert local_url(address) is None


def test_words_for_deletion():
    assert actions.delete_choice(POSTS, destroy=False).label == "Move to trash"
    assert actions.delete_choice(TAGS, destroy=False).label == "Delete"
    assert result_message(TAGS, "delete", 2) == "2 tags deleted."
    assert result_message(POSTS, "destroy", 1) == "1 post permanently deleted."


@pytest.mark.parametrize("record", [POSTS, USERS, CATEGORIES, AUDIT_EVENTS, COMMENTS])
def test_lists_fit_on_a_screen(record):
    fields = columns.shown_fields(record, Actor("admin", 1, "ada"))
    assert 2 <= len(fields) <= columns.MAX_COLUMNS and fields[0].name == record.title_field
    assert not any(isinstance(one.many, Many) and one.name == "id" for one in fields)


MOMENT = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)


@pytest.fixture
def berlin(app, monkeypatch):
    """A request from Berlin at MOMENT, when it is half past midnight in April there."""
    for module in (local_time, presets):
        monkeypatch.setattr(module, "now", lambda: MOMENT)
    with app.test_request_context("/admin/", headers={"Cookie": "time_zone=Europe/Berlin"}):
        yield


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (-60, "1 minute ago"),
        (-7300, "2 hours ago"),
        (-86_400 * 29, "29 days ago"),
        (90, "in 1 minute"),
        (-86_400 * 40, "19 Feb 2026"),
    ],
)
def test_times_are_relative_with_the_exact_time_in_the_persons_zone(berlin, seconds, words):
    html = local_time.format_relative(rfc3339(MOMENT + timedelta(seconds=seconds)))
    assert f">{words}</time>" in html and 'title="' in html


def test_exact_times_name_their_zone(berlin):
    assert local_time.exact("2026-03-31T22:30:00Z") == "1 Apr 2026, 00:30:00 CEST"
    assert local_time.to_utc_text("2026-04-01T00:30") == "2026-03-31T22:30:00Z"
    with in_language("de"):
        assert local_time.exact("2026-03-31T22:30:00Z") == "01.04.2026, 00:30:00 MESZ"
        assert local_time.exact("2026-01-31T22:30:00Z") == "31.01.2026, 23:30:00 MEZ"
    assert local_time.to_local_text("2026-03-31T22:30:00Z") == "2026-04-01T00:30:00"
    assert local_time.to_utc_text("soon") == local_time.to_local_text("soon") == "soon"


@pytest.mark.parametrize(
    ("word", "first", "after"),
    [
        ("today", "2026-03-31T22:00:00Z", "2026-04-01T22:00:00Z"),
        ("last_7_days", "2026-03-25T23:00:00Z", "2026-04-01T22:00:00Z"),
        ("this_month", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"),
        ("last_month", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
    ],
)
def test_periods_are_whole_days_in_the_zone(berlin, word, first, after):
    assert presets.expand([("created_at__within", word)]) == [
        ("created_at__gte", first), ("created_at__lt", after)
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_ends_of_the_calendar_are_shown_unconverted(berlin, value):
    assert local_time.exact(value).startswith(("1 Jan 1", "31 Dec 9999"))
    assert "title=" in local_time.format_relative(value)
    assert local_time.to_local_text(value)[:10] == value[:10]


def test_link_around_an_image_has_a_name(app):
    cover = next(one for one in POSTS.fields if one.name == "cover")
    small = {"id": 3, "url": "/uploads/a.png", "alt": "Hills"}
    with app.test_request_context():
        html = formatting.reference(small, cover, lambda *record: "/there")
        assert 'aria-label="Hills"' in html and "<img" in html
        html = formatting.reference({**small, "alt": ""}, cover, lambda *record: "/there")
        assert 'aria-label="Media file 3"' in html
