"""Ghost exports, as versions 0.7 to 5 write them: posts, pages, people, tags, images."""

import json

import pytest

from quire.exchange.ghost.load import load_ghost
from tests.exchange.conftest import ONE, imported_users, tags

IDS = iter(range(1, 10_000))


def post(**values):
    """Return a row of the table of posts in Ghost 5; `values` replace the usual ones."""
    id = f"{next(IDS):024x}"
    return {
        "id": id, "uuid": f"8a7fd0f8-0000-4000-8000-{id[:12]}{id[-12:]}"[:36] + id[-4:],
        "title": "A post", "slug": f"a-post-{id[-3:]}", "mobiledoc": None,
        "lexical": '{"root":{"children":[],"type":"root","version":1}}',
        "html": "<p>Some <strong>words</strong></p>", "comment_id": id, "plaintext": "Some words",
        "feature_image": None, "featured": 0, "type": "post", "status": "published", "locale": None,
        "visibility": "public", "email_recipient_filter": "all",
        "created_at": "2023-05-01T10:00:00.000Z", "updated_at": "2023-05-02T10:00:00.000Z",
        "published_at": "2023-05-02T11:12:13.000Z", "custom_excerpt": None,
        "codeinjection_head": None, "custom_template": None, "canonical_url": None,
        "newsletter_id": None, "show_title_and_feature_image": 1, **values,
    }  # fmt: skip


USERS = [
    {"id": "1", "name": "Jane Doe", "slug": "jane", "email": "jane@x.example", "password": "$2a$10$x",
     "bio": "Writes", "status": "active", "visibility": "public"},
    {"id": "2", "name": "Joe Bloggs", "slug": "joe", "email": "ghost-author@example.com"},
]  # fmt: skip


@pytest.fixture
def blog(site, tmp_path):
    """`blog(posts, tables...)` writes an export of Ghost 5 and imports it."""

    def load(*posts, meta=None, tables=None, **more):
        data = {"posts": list(posts), "users": USERS, "tags": [], **(tables or {})}
        whole = {
            "db": [
                {"meta": meta or {"exported_on": 1700000000000, "version": "5.82.2"}, "data": data}
            ]
        }
        (tmp_path / "ghost.json").write_text(json.dumps(whole), encoding="utf-8")
        return load_ghost(tmp_path / "ghost.json", **more)

    return load


def link(table, other, *pairs):
    """Return rows that link posts with others, in order."""
    return {table: [
        {"id": str(number), "post_id": a["id"], other: b, "sort_order": number}
        for number, (a, b) in enumerate(pairs)
    ]}  # fmt: skip


def test_post_with_all_fields(blog, rows):
    one = post(title="Hello & welcome", slug="hello", custom_excerpt="In short",
               canonical_url="__GHOST_URL__/first/")  # fmt: skip
    report = blog(one, tables=link("posts_authors", "author_id", (one, "2"), (one, "1")))
    found = rows(ONE)[0]
    assert (found["title"], found["slug"], found["body"]) == (
        "Hello & welcome",
        "hello",
        "Some **words**",
    )
    assert (found["published_at"], found["created_at"]) == ("2023-05-02T11:12:13Z",) * 2
    assert (found["excerpt"], found["username"], found["display_name"]) == (
        "In short",
        "joe",
        "Joe Bloggs",
    )
    assert "was also written by Jane Doe" in str(report)
    assert "named /first/ as its original address" in str(report)
    assert rows("SELECT path, target FROM redirects") == [
        {"path": "/hello/", "target": "/posts/hello"}
    ]


def test_seo_fields(blog, rows):
    whole, shared, old = post(), post(og_title="Then"), post(meta_title="Old", type="page")
    beside = [
        {
            "post_id": whole["id"],
            "meta_title": "Found",
            "meta_description": "a  b",
            "og_title": "x",
        },
        {"post_id": shared["id"], "meta_title": "", "og_title": "Shared", "og_description": None},
    ]
    blog(whole, shared, old, tables={"posts_meta": beside})
    found = rows("SELECT seo_title, seo_description FROM posts ORDER BY id")
    assert [tuple(one.values()) for one in found] == [("Found", "a b"), ("Shared", "")]
    assert rows("SELECT seo_title FROM pages") == [{"seo_title": "Old"}]


@pytest.mark.parametrize(
    ("values", "published", "words"),
    [
        ({"status": "draft", "published_at": None}, None, ""),
        ({"status": "scheduled", "published_at": "2099-01-01T00:00:00.000Z"}, "2099-01-01T00:00:00Z", ""),
        ({"status": "scheduled", "published_at": None, "created_at": None}, None, "without a time"),
        ({"published_at": None, "created_at": None}, ..., "has no date, so it is published now"),
        ({"status": "sent"}, None, "sent by email only"),
        ({"visibility": "members"}, None, "was for members only, imported as a draft"),
        ({"visibility": "paid"}, None, "was for paid only"),
    ],
)  # fmt: skip
def test_states(blog, rows, values, published, words):
    report = blog(post(**values))
    [found] = rows("SELECT published_at FROM posts")
    assert found["published_at"] == published or (published is ... and found["published_at"])
    assert words in str(report)


def test_too_long_texts_and_titles(blog):
    report = blog(post(html=f"<p>{'x' * 300_000}</p>"), post(title="word " * 60))
    assert [line.words for line in report.lines] == [
        "its text is larger than 256 KB", "title shortened to 200 characters",
    ]  # fmt: skip


def test_pages(blog, rows):
    blog(post(type="page", slug="team", title="Team"), post(type=None, page=1, slug="old"))
    assert [one["slug"] for one in rows("SELECT slug FROM pages ORDER BY id")] == ["team", "old"]


def test_tags_keep_their_order_without_internal_ones(blog, rows):
    one = post()
    terms = [
        {
            "id": "a",
            "name": "Sea",
            "slug": "the-sea",
            "description": "Water",
            "visibility": "public",
        },
        {"id": "b", "name": "#photo", "slug": "hash-photo", "visibility": "internal"},
        {"id": "c", "name": "sea", "slug": "sea-2", "visibility": "public"},
    ]
    report = blog(
        one, tables={"tags": terms} | link("posts_tags", "tag_id", *((one, i) for i in "abcx"))
    )
    assert tags(rows) == ["Sea"]
    assert rows("SELECT slug, description FROM tags") == [
        {"slug": "the-sea", "description": "Water"}
    ]
    assert "1 internal tags" in str(report)


def test_image_urls(blog, rows):
    html = (
        '<p><a href="__GHOST_URL__/other/">there</a></p><!--kg-card-begin: html-->'
        '<figure class="kg-card kg-image-card kg-card-hascaption">'
        '<img src="__GHOST_URL__/content/images/2023/05/a.jpg" class="kg-image" alt="A" loading="lazy">'
        "<figcaption>Cap</figcaption></figure><!--kg-card-end: html--><script>alert(1)</script>"
    )
    one = post(html=html, feature_image="__GHOST_URL__/content/images/top.png")
    meta = {"posts_meta": [{"post_id": one["id"], "feature_image_alt": 'The "top"'}]}
    blog(one, tables=meta, url="https://old.example/")
    body = rows("SELECT body FROM posts")[0]["body"]
    assert body.startswith("![The") and "(https://old.example/content/images/top.png)" in body
    assert "https://old.example/content/images/2023/05/a.jpg" in body
    assert "[there](/other/)" in body and "alert" not in body and "GHOST" not in body


def test_plain_text_is_used_without_html(blog, rows):
    report = blog(post(html=None, plaintext="Just words"), post(html="", plaintext=None, title=""))
    assert [one["body"] for one in rows("SELECT body FROM posts ORDER BY id")] == [
        "Just words",
        "\n",
    ]
    assert "its plain text was used" in str(report)


def test_old_export_format(site, tmp_path, rows):
    old = {
        "meta": {"exported_on": 1388805572000, "version": "003"},
        "data": {
            "posts": [{
                "id": 5, "uuid": "0d3f1f7c-1d1c-4b2a-9c3b-2f3c4d5e6f70", "title": "Old", "slug": "old",
                "markdown": "# Old *times*", "html": None, "image": "/content/images/x.png",
                "page": 0, "status": "published", "author_id": 1, "created_at": 1388318310000,
                "published_at": 1388404710000,
            }],
            "users": [{"id": 1, "name": "Jane", "slug": "jane", "email": "jane@x.example"}],
            "tags": [{"id": 3, "name": "Old", "slug": "old"}],
            "posts_tags": [{"id": 1, "post_id": 5, "tag_id": 3}],
        },
    }  # fmt: skip
    (tmp_path / "old.json").write_text(json.dumps(old), encoding="utf-8")
    load_ghost(tmp_path / "old.json")
    found = rows(ONE)[0]
    assert found["published_at"] == "2013-12-30T11:58:30Z"
    assert found["body"].endswith("# Old *times*") and found["body"].startswith("![](")
    assert (found["username"], tags(rows)) == ("jane", ["Old"])


def test_second_run(blog, rows):
    one, two = post(), post()
    assert blog(one, two).created == 2
    assert blog(one, two).counts == {"unchanged": 2}
    assert blog(one | {"title": "Renamed"}, two).counts == {"unchanged": 1, "updated": 1}
    assert imported_users(rows) == []


def test_skipped_content_is_counted(blog):
    report = blog(post(), tables={"members": [{}, {}], "comments": [{}]})
    assert "skipped 2 members: not imported" in str(report)
    assert report.skipped == 3


def test_dry_run(blog, rows):
    assert blog(post(), dry_run=True).created == 1
    assert rows("SELECT id FROM posts") == []


def test_unusual_rows_stop_nothing_else(blog, rows):
    bad = [{}, 5, {"id": [1], "title": 7, "html": 8}, post(html="x" * 2_000_000), post(title=None)]
    tables = {
        "tags": [5], "users": {}, "posts_tags": [{"post_id": {}, "tag_id": [], "sort_order": "x"}],
    }  # fmt: skip
    report = blog(*bad, tables=tables)
    assert report.created == 2 and report.skipped == 2
    assert "its text is larger than 1 MB" in str(report) and "has no id" in str(report)


@pytest.mark.parametrize(
    ("data", "times", "words"),
    [
        (b"", 1, "is not valid JSON"), (b"{", 1, "is not valid JSON"), (b"[]", 1, "it has no posts"),
        (b'{"db": []}', 1, "it has no posts"), (b'{"db": [5]}', 1, "it has no posts"),
        (b'{"data": {"posts": 5}}', 1, "it has no posts"), (b"[", 100_000, "is nested too deeply"),
    ],
)  # fmt: skip
def test_unreadable_files_are_refused(site, tmp_path, data, times, words):
    (tmp_path / "x.json").write_bytes(data * times)
    report = load_ghost(tmp_path / "x.json")
    assert not report.has_content and words in str(report)


def test_empty_posts_are_bounded(blog, monkeypatch):
    monkeypatch.setattr("quire.exchange.ghost.load.MAX_EMPTY_POSTS", 2)
    assert blog({}, {"id": "1"}, post()).counts == {"created": 2, "skipped": 1}
    [line] = blog({}, {"id": "1"}, {"title": "No id"}, post()).lines
    assert (line.outcome, line.words) == (
        "skipped",
        "has more than 2 posts without an id or a text",
    )


@pytest.mark.parametrize(("limit", "value"), [("MAX_ROWS", 3), ("MAX_CHARACTERS", 70)])
def test_tables_in_memory_are_bounded(blog, monkeypatch, limit, value):
    monkeypatch.setattr(f"quire.exchange.ghost.load.{limit}", value)
    assert blog(post()).created == 1  # the columns used have 65 characters for two people
    tables = {"tags": [{"id": "a", "name": "One"}, {"id": "b", "name": "Two", "slug": "two"}]}
    [line] = blog(post(), tables=tables).lines
    assert (line.outcome, line.words[:9]) == ("skipped", "has more ")


def test_unknown_tables_and_columns_are_ignored(blog, monkeypatch):
    monkeypatch.setattr("quire.exchange.ghost.load.MAX_ROWS", 2)
    monkeypatch.setattr("quire.exchange.ghost.load.MAX_CHARACTERS", 70)
    others = {f"table{number}": [{"id": "x" * 100}] for number in range(10)}
    assert blog(post(), tables=others).created == 1
