"""WordPress exports: the results for each item, comment and person."""

import pytest

from tests.exchange.conftest import AUTHOR, Load, Rows, add_user, category, comment, item


def meta(key: str, value: str) -> str:
    return f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key><wp:meta_value>{value}</wp:meta_value></wp:postmeta>"


def test_post_with_all_fields(wxr: Load, rows: Rows) -> None:
    extra = (
        category("News", slug="the-news")
        + category("Old", slug="old")
        + category("Red", "post_tag", "red")
        + "<link>https://blog.example/2012/03/04/hello/</link><excerpt:encoded><![CDATA[In <b>short</b>]]></excerpt:encoded>"
        + meta("_wp_old_slug", "hullo")
        + meta("_yoast_wpseo_title", "%%title%% %%sep%% %%sitename%%")
        + meta("_yoast_wpseo_metadesc", "Fine &amp;amp; dry")
    )
    post = item(
        7,
        "A <em>fine</em> day",
        "One\nline\n\n<b>Two</b>",
        extra,
        post_name="hello",
        comment_status="closed",
    )
    head = AUTHOR + (
        "<wp:category><wp:category_nicename>the-news</wp:category_nicename><wp:cat_name>News</wp:cat_name>"
        "<wp:category_description>All of it</wp:category_description></wp:category>"
    )
    assert list(map(str, wxr(head + post).lines)) == ["created posts/hello  (post 7)"]
    found = rows("SELECT * FROM posts")[0]
    assert (found["title"], found["body"], found["excerpt"]) == (
        "A fine day",
        "One  \nline\n\n**Two**",
        "In short",
    )
    assert found["published_at"] == found["created_at"] == "2012-03-04T05:06:07Z"
    assert not found["comments_open"]
    assert (found["seo_title"], found["seo_description"]) == ("", "Fine & dry")
    assert rows("SELECT name, slug, description FROM categories") == [
        {"name": "News", "slug": "the-news", "description": "All of it"}
    ]
    assert [row["name"] for row in rows("SELECT name FROM tags ORDER BY name")] == ["Old", "Red"]
    assert {row["path"]: row["target"] for row in rows("SELECT * FROM redirects")} == {
        "/2012/03/04/hello/": "/posts/hello", "/2012/03/04/hullo/": "/posts/hello",
    }  # fmt: skip
    person = rows(
        "SELECT * FROM users JOIN profiles ON user_id = users.id WHERE username = 'jane'"
    )[0]
    assert (person["display_name"], person["email"], person["role"]) == (
        "Jane & Doe",
        "jane@x.example",
        "author",
    )
    assert (bool(person["is_active"]), person["password"]) == (False, None)


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"status": "publish"}, "published"),
        ({"status": "private"}, "draft"),
        ({"status": "pending"}, "draft"),
        ({"status": "draft"}, "draft"),
        ({"status": "auto-draft"}, "draft"),
        ({"status": "some-plugin"}, "draft"),
        ({"status": "publish", "post_password": "x"}, "draft"),
        ({"status": "future", "post_date_gmt": "2999-01-01 00:00:00"}, "scheduled"),
        ({"status": "future", "post_date_gmt": "0000-00-00 00:00:00"}, "draft"),
        ({"status": "trash"}, "trashed"),
    ],
)
def test_states(wxr: Load, rows: Rows, values: dict[str, str], status: str) -> None:
    wxr(item(1, **values))
    found = rows("SELECT * FROM posts")[0]
    public = status in ("published", "scheduled")
    assert (found["published_at"] is not None) == public
    assert (found["deleted_at"] is not None) == (status == "trashed")
    if status == "draft" and "post_date_gmt" not in values:
        assert found["created_at"] == "2012-03-04T05:06:07Z"


def test_trashed_private_posts_do_not_become_public(wxr: Load, rows: Rows) -> None:
    wxr(
        item(
            1,
            status="trash",
            extra=meta("_wp_trash_meta_status", "private"),
            post_name="a__trashed",
        )
        + item(2, status="trash", extra=meta("_wp_trash_meta_status", "publish"))
        + item(3, status="trash", post_type="page")
    )
    found = rows("SELECT slug, published_at, deleted_at FROM posts ORDER BY id")
    assert [row["published_at"] for row in found] == [None, "2012-03-04T05:06:07Z"]
    assert found[0]["slug"] == "a"
    assert all(row["deleted_at"] for row in found)
    assert rows("SELECT * FROM pages") == []


def test_missing_dates_have_fallbacks(wxr: Load, rows: Rows) -> None:
    none = "0000-00-00 00:00:00"
    report = wxr(
        item(1, post_date_gmt=none, post_date="2011-01-01 01:01:01")
        + item(2, post_date_gmt=none, extra="<pubDate>Tue, 04 Jan 2011 00:00:00 +0000</pubDate>")
        + item(3, post_date_gmt=none)
    )
    dates = [row["published_at"] for row in rows("SELECT published_at FROM posts ORDER BY id")]
    assert dates[:2] == ["2011-01-01T01:01:01Z", "2011-01-04T00:00:00Z"]
    assert report.lines[2].words == "has no date, so it is published now"


def test_schedule_in_the_past_is_public(wxr: Load, rows: Rows) -> None:
    report = wxr(item(1, status="future"))
    assert rows("SELECT published_at FROM posts") == [{"published_at": "2012-03-04T05:06:07Z"}]
    assert report.lines[0].words == ("was scheduled for a time that has passed, so it is published")


def test_too_long_or_too_deep_texts(wxr: Load, rows: Rows) -> None:
    report = wxr(
        item(1, content="x" * (1024 * 1024 + 1))
        + item(2, content="x" * (256 * 1024 + 1))
        + item(3, content="<div>" * 3000 + "words")
    )
    assert [line.words for line in report.lines][:2] == [
        "its text is larger than 1 MB",
        "its text is larger than 256 KB",
    ]
    assert "too deeply" in report.lines[2].words
    assert rows("SELECT body FROM posts") == [{"body": "words"}]


def test_untitled_empty_and_long_posts(wxr: Load, rows: Rows) -> None:
    wxr(
        item(1, "", "<p>First words of it</p>")
        + item(2, "No content", "")
        + item(3, "long " * 99)
        + item(4, "", "")
    )
    found = rows("SELECT title, body FROM posts ORDER BY id")
    assert found[0]["title"] == "First words of it"
    assert found[1]["body"].strip() == ""
    assert found[2]["title"].endswith("long…")
    assert found[3]["title"] == "Untitled"


def test_threads_states_and_dates_of_comments_are_kept(wxr: Load, rows: Rows) -> None:
    comments = (
        comment(3, "Answer", comment_parent="2", comment_user_id="5", comment_author="Jane")
        + comment(2, "First <b>one</b>\nand more")
        + comment(4, "Held", comment_approved="0")
        + comment(5, "Buy", comment_approved="spam")
        + comment(6, "Gone", comment_approved="trash")
        + comment(7, "Orphan", comment_parent="99")
        + comment(8, "Ping", comment_type="pingback")
        + comment(9, "Order", comment_type="order_note")
        + comment(10, "")
    )
    report = wxr(AUTHOR + item(1, extra=comments) + item(2, post_type="page", extra=comment(11)))
    found = {
        row["body"]: row
        for row in rows(
            "SELECT c.*, u.username FROM comments c LEFT JOIN users u ON u.id = author_id"
        )
    }
    first = found["First **one**  \nand more"]
    assert found["Answer"]["parent_id"] == first["id"]
    assert (found["Answer"]["username"], first["username"]) == ("jane", None)
    assert (first["author_name"], first["created_at"]) == ("A guest", "2012-04-03T10:00:00Z")
    assert [found[body]["status"] for body in ("Answer", "Held", "Buy", "Gone")] == [
        "approved", "pending", "spam", "pending",
    ]  # fmt: skip
    assert [body for body, row in found.items() if row["deleted_at"]] == ["Gone"]
    assert found["Orphan"]["parent_id"] is None
    assert str(report.lines[0]) == "created posts/post-1  (post 1): 6 comments"
    assert {str(line) for line in report.lines[2:]} == {
        "skipped 1 pingbacks and trackbacks: not imported",
        "skipped 1 comments from plugins: not imported",
        "skipped 1 empty comments: not imported",
        "skipped 1 comments on pages: pages have no comments here",
    }


def test_comments_of_invisible_characters_are_counted_as_empty(wxr: Load, rows: Rows) -> None:
    comments = comment(2, "One") + comment(3, "\u200b\u2060") + comment(4, "")
    report = wxr(item(1, extra=comments))
    assert [row["body"] for row in rows("SELECT body FROM comments")] == ["One"]
    assert "2 empty comments" in str(report)


def test_guest_is_not_matched_to_a_user_by_address(wxr: Load, rows: Rows) -> None:
    add_user("real", role="author", email="guest@x.example", password="correct horse 7")
    wxr(item(1, extra=comment(2, comment_author="root")))
    assert rows("SELECT author_id, author_name FROM comments") == [
        {"author_id": None, "author_name": "root"}
    ]


def test_authors_are_matched_by_address_or_login(wxr: Load, rows: Rows) -> None:
    id = add_user("someone", role="author", email="jane@x.example", password="correct horse 7")
    wxr(AUTHOR + item(1))
    assert rows("SELECT author_id FROM posts") == [{"author_id": id}]


def test_other_items_are_counted(wxr: Load) -> None:
    report = wxr(
        "".join(
            item(n, post_type=kind)
            for n, kind in enumerate(["attachment", "attachment", "nav_menu_item", "product"])
        )
    )
    assert [str(line) for line in report.lines] == [
        "skipped 2 attachments: not imported",
        "skipped 1 menu items: not supported",
        "skipped 1 items of type product: not supported",
    ]
    assert (report.skipped, report.has_content) == (4, False)


def test_galleries_show_the_images_of_the_export(wxr: Load, rows: Rows) -> None:
    picture = item(
        9,
        "Sea",
        post_type="attachment",
        post_parent="1",
        extra="<wp:attachment_url>https://x.example/a.jpg</wp:attachment_url>",
    )
    wxr(item(1, content="[gallery]") + picture)
    assert rows("SELECT body FROM posts") == [{"body": "![Sea](https://x.example/a.jpg)"}]


def test_block_comments_are_removed(wxr: Load, rows: Rows) -> None:
    wxr(
        item(
            1,
            content='<!-- wp:paragraph {"a":"b"} -->\n<p>One\ntwo</p>\n<!-- /wp:paragraph -->\n<!-- wp:latest-posts /-->',
        )
    )
    assert rows("SELECT body FROM posts")[0]["body"] == "One\ntwo"


def test_pages_keep_position_and_url(wxr: Load, rows: Rows) -> None:
    wxr(
        item(
            1,
            "About",
            post_type="page",
            menu_order="3",
            extra="<link>https://blog.example/x/about/</link>",
            post_name="about",
        )
    )
    found = rows("SELECT * FROM pages")[0]
    assert (found["slug"], found["position"], found["published_at"]) == (
        "about",
        3,
        "2012-03-04T05:06:07Z",
    )
    assert rows("SELECT path, target FROM redirects") == [
        {"path": "/x/about/", "target": "/pages/about"}
    ]


def test_numeric_urls_create_no_redirects(wxr: Load, rows: Rows) -> None:
    wxr(
        item(1, extra="<link>https://blog.example/?p=1</link>")
        + item(2, extra="<link>https://blog.example/posts/post-2/</link>")
    )
    assert rows("SELECT * FROM redirects") == []


def test_slugs_in_other_scripts_are_kept(wxr: Load, rows: Rows) -> None:
    wxr(item(1, post_name="%ce%b5%cf%80%ce%af-2"))
    assert rows("SELECT slug FROM posts") == [{"slug": "επί-2"}]


def test_wxr_1_0_repeats_terms_and_has_no_authors(wxr: Load, rows: Rows) -> None:
    old = (
        "<category><![CDATA[News]]></category>"
        + category("News", slug="news")
        + "<category><![CDATA[Red]]></category>"
        + category("Red", "tag", "red")
    )
    wxr(item(1, extra=old), version="1.0")
    assert rows("SELECT name FROM categories") == [{"name": "News"}]
    assert rows("SELECT name FROM tags") == [{"name": "Red"}]
    assert rows("SELECT username FROM users JOIN posts ON author_id = users.id") == [
        {"username": "jane"}
    ]
