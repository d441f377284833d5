"""A post has at most fifty tags, wherever it comes from: a file with more is reported and imports no more."""

from quire.exchange.model import ImportReport
from tests.exchange.archive.test_validate import loaded
from tests.exchange.conftest import Folder, Load, Rows, item, tags
from tests.exchange.ghost.test_load import blog, link, post
from tests.exchange.tables.test_load import csv

__all__ = ["blog", "csv", "loaded"]
NAMES = [f"tag {number:02}" for number in range(60)]


def words(report: ImportReport) -> str:
    return "\n".join(line.words for line in report.lines)


def test_markdown(folder: Folder, rows: Rows) -> None:
    folder.add("a.md", f"---\ntitle: A\ntags: [{', '.join(NAMES)}]\n---\nText\n")
    assert "60 tags; only the first 50 were imported" in words(folder.load())
    assert tags(rows) == NAMES[:50]


def test_wordpress(wxr: Load, rows: Rows) -> None:
    form = '<category domain="post_tag" nicename="{0}"><![CDATA[{0}]]></category>'
    report = wxr(item(9, extra="".join(map(form.format, NAMES))))
    assert "60 tags; only the first 50 were imported" in words(report)
    assert tags(rows) == NAMES[:50]


def test_ghost(blog: Load, rows: Rows) -> None:
    one = post()
    labels = [{"id": name, "name": name, "slug": name.replace(" ", "-")} for name in NAMES]
    links = link("posts_tags", "tag_id", *((one, name) for name in NAMES))
    report = blog(one, tables={"tags": labels, **links})
    assert "60 tags; only the first 50 were imported" in words(report)
    assert tags(rows) == NAMES[:50]


def test_csv(csv: Load, rows: Rows) -> None:
    report = csv("posts", f'title,body,author,tags\nA,b,ann,"{", ".join(NAMES)}"\n')
    assert report.counts == {"skipped": 1}
    assert "Tags has more than 50 values" in words(report)
    assert tags(rows) == []


def test_archive(loaded: Load, rows: Rows) -> None:
    past = {
        "version": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }
    ann = past | {"id": 7, "username": "ann", "email": "ann@example.org", "role": "author"}
    labels = [past | {"id": n, "name": name, "slug": f"tag-{n}"} for n, name in enumerate(NAMES, 1)]
    one = past | {"id": 5, "title": "A", "slug": "a", "body": "b", "author": {"id": 7}}
    one["tags"] = [{"id": n} for n in range(1, 61)]
    kinds = {"users": [ann], "tags": labels, "posts": [one]}
    report = loaded({f"records/{kind}.ndjson": lines for kind, lines in kinds.items()})
    assert "has 60 tags; only the first 50 were imported" in words(report)
    assert tags(rows) == NAMES[:50]
