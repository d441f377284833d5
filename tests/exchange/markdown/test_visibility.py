"""Pages that a site generator hides from the public stay hidden: in doubt, they become drafts."""

import json

import pytest

from tests.exchange.conftest import Folder, Rows

PAGE = "---\ntitle: Plans\ndate: 2020-01-01\n---\nPRIVATE"
PLAIN = "---\ntitle: Plans\n---\nPRIVATE"


def head(lines: str) -> str:
    return f"---\ntitle: Plans\ndate: 2020-01-01\n{lines}\n---\nPRIVATE"


def states(rows: Rows) -> dict[str, bool]:
    """Return whether each post is public, by its slug."""
    found = rows("SELECT slug, published_at FROM posts")
    return {row["slug"]: row["published_at"] is not None for row in found}


HUGO = {
    "cascade": {"a/_index.md": head("cascade:\n  draft: true"), "a/b/page.md": PAGE},
    "cascade of build": {
        "a/_index.md": head("cascade:\n  build:\n    render: never"),
        "a/page.md": PAGE,
    },
    "cascade of list": {
        "a/_index.md": head("cascade:\n  _build:\n    list: never"),
        "a/p.md": PAGE,
    },
    "cascade with a target": {
        "content/a/_index.md": head('cascade:\n- _target:\n    path: "/a/**"\n  draft: true'),
        "content/a/page.md": PAGE,
    },
    "cascade in TOML": {
        "a/_index.md": '+++\n[[cascade]]\ndraft = true\n[cascade.target]\nkind = "page"\n+++\n',
        "a/page.md": PAGE,
    },
    "cascade of the site": {"hugo.toml": "[cascade]\ndraft = true\n", "content/page.md": PAGE},
    "cascade of a section in HTML": {
        "a/_index.html": head("cascade:\n  build:\n    render: link"),
        "a/page.md": PAGE,
    },
    "draft section": {"a/_index.md": '+++\ntitle = "x"\ndraft = true\n+++\n', "a/page.md": PAGE},
    "draft section above": {"a/_index.md": head("draft: true"), "a/b/c/page.md": PAGE},
    "broken section": {"a/_index.md": "---\ntitle: x: y\n---\n", "a/page.md": PAGE},
    "leaf bundle": {"a/index.md": head(""), "a/notes.md": "PRIVATE"},
    "leaf bundle of a site": {
        "hugo.toml": "baseURL = 'x'",
        "content/a/index.md": PLAIN,
        "content/a/notes.md": PLAIN,
    },
    "deep in a leaf bundle": {"a/index.md": head(""), "a/b/index.md": PLAIN},
    "cascade of the site in JSON": {
        "hugo.json": '{"cascade": {"draft": true}}',
        "content/page.md": PAGE,
    },
    "cascade with one of several targets": {
        "a/_index.md": head("cascade:\n- target: [{path: /b/**}, {path: /a/**}]\n  draft: true"),
        "a/page.md": PAGE,
    },
    "cascade with a pattern that is not read here": {
        "a/_index.md": head('cascade:\n- target: {path: "/{b,c}/**"}\n  draft: true'),
        "a/page.md": PAGE,
    },
    "headless bundle": {"a/index.md": "---\nheadless: true\n---\n", "a/part.md": PLAIN},
}
OTHERS = {
    "jekyll defaults": {
        "_config.yml": 'defaults:\n- scope:\n    path: ""\n  values:\n    published: false\n',
        "_posts/2020-01-01-page.md": PLAIN,
    },
    "jekyll defaults of a type": {
        "_config.yml": "defaults:\n- scope: {path: '', type: notes}\n  values: {draft: true}\n"
        "collections: {notes: {output: true}}\n",
        "_notes/page.md": PAGE,
    },
    "jekyll defaults of a folder": {
        "_config.yml": 'defaults:\n- scope: {path: "a[1]"}\n  values: {published: false}\n',
        "a[1]/b/page.md": PAGE,
    },
    "jekyll exclude": {"_config.yml": "exclude: [internal/]\n", "internal/page.md": PAGE},
    "jekyll exclude by pattern": {"_config.yml": "exclude: ['*.note.md']\n", "a/x.note.md": PAGE},
    "jekyll collection": {"_config.yml": "collections: {staff: {}}\n", "_staff/ann.md": PAGE},
    "drafts": {"_drafts/page.md": PAGE},
    "a folder called drafts": {"Drafts/page.md": PAGE},
    "a folder with an underscore": {"_partials/page.md": PAGE},
    "a name with an underscore": {"_page.md": PAGE},
    "eleventy data": {"a/a.json": '{"permalink": false}', "a/page.md": PAGE},
    "eleventy data above": {"a/a.11tydata.json": '{"draft": true}', "a/b/page.md": PAGE},
    "eleventy data of a file": {"page.11tydata.json": '{"permalink": false}', "page.md": PAGE},
    "eleventy program": {
        "a/a.11tydata.js": "export default {permalink: (data) => data.x}",
        "a/page.md": PAGE,
    },
    "eleventy computed": {
        "a/a.json": json.dumps({"eleventyComputed": {"permalink": "{% if draft %}{% endif %}"}}),
        "a/page.md": PAGE,
    },
    "eleventy ignored": {".eleventyignore": "# no\ninternal/\n", "internal/page.md": PAGE},
}


@pytest.mark.parametrize("files", [*HUGO.values(), *OTHERS.values()], ids=[*HUGO, *OTHERS])
def test_pages_hidden_by_their_folder_are_drafts(
    files: dict[str, str], folder: Folder, rows: Rows
) -> None:
    for name, content in files.items():
        folder.add(name, content)
    report = folder.load()
    hidden = rows("SELECT title FROM posts WHERE published_at IS NULL AND body LIKE '%PRIVATE%'")
    assert hidden, str(report)
    last = [name for name in files if name.endswith(".md")][-1]
    line = next(line for line in report.lines if line.source == last)
    assert "imported as a draft" in line.words or last.startswith("_drafts"), str(report)


@pytest.mark.parametrize(
    "lines",
    [
        "permalink: false",
        "permalink: {build: false}",
        "eleventyExcludeFromCollections: true",
        "build: {render: never}",
        "build: {list: never}",
        "_build: {render: link}",
        "outputs: []",
        "unlisted: true",
        "publish: false",
        "visibility: members",
        "access: [paid]",
        "status: private",
        "eleventyComputed: {permalink: \"{{ 'x' if live else false }}\"}",
        "extra: {members_only: true}",
        "tiers: [gold]",
        "is_published: false",
    ],
)
def test_pages_hidden_by_their_front_matter_are_drafts(
    lines: str, folder: Folder, rows: Rows
) -> None:
    folder.add("page.md", head(lines))
    report = folder.load()
    assert states(rows) == {"page": False}
    assert report.lines[0].words.endswith("imported as a draft")


@pytest.mark.parametrize(
    "files",
    [
        {"docs/index.md": PLAIN, "docs/page.md": PLAIN},
        {"_config.yml": "x: 1", "a/index.md": PAGE, "a/page.md": PAGE},
        {"a/_index.md": head("hidden: true\nrender: false"), "a/page.md": PAGE},
        {"a/_index.md": head("cascade:\n  draft: true"), "a/page.md": head("draft: false")},
        {
            "a/_index.md": head("cascade:\n- target: {path: /b/**}\n  draft: true"),
            "a/page.md": PAGE,
        },
        {
            "a/_index.md": head("cascade:\n- target: {kind: section}\n  draft: true"),
            "a/page.md": PAGE,
        },
        {
            "a/_index.md": head("cascade:\n- target: {environment: staging}\n  draft: true"),
            "a/page.md": PAGE,
        },
        {"_config.yml": "exclude: [vendor]\n", "_posts/2020-01-01-page.md": PLAIN},
        {"_config.yml": "collections: {recipes: {output: true}}", "_recipes/page.md": PAGE},
        {
            "a/a.11tydata.js": 'module.exports = {tags: ["posts"], layout: "post.njk"}',
            "a/p.md": PAGE,
        },
        {"a/a.json": '{"tags": "posts", "permalink": "/{{ page.fileSlug }}/"}', "a/page.md": PAGE},
        {"page.md": head("permalink: /x/\npublished: true\ndraft: no\nvisibility: public")},
        {"a/index.md": PAGE, "a/index.de.md": PAGE},
        {"eleventy.config.js": "", "a/index.md": PAGE, "a/page.md": PAGE},
        {"_config.yml": "exclude: a: b", "_posts/2020-01-01-page.md": PLAIN},
        {"a/a.json": "{", "a/page.md": PAGE},
    ],
)
def test_public_pages_stay_public(files: dict[str, str], folder: Folder, rows: Rows) -> None:
    for name, content in files.items():
        folder.add(name, content)
    report = folder.load()
    assert states(rows) and all(states(rows).values()), str(report)


def test_configuration_above_the_folder_is_found(folder: Folder, rows: Rows) -> None:
    folder.add("_config.yml", "exclude: [_posts/2020-01-02-b.md]\n")
    folder.add("_posts/2020-01-01-a.md", PLAIN)
    folder.add("_posts/2020-01-02-b.md", PLAIN)
    Folder(folder.path / "_posts").load()
    assert states(rows) == {"a": True, "b": False}


def test_folder_sets_the_expiry_of_its_pages(folder: Folder, rows: Rows) -> None:
    folder.add("a/_index.md", head("cascade:\n  expiryDate: 2020-06-01"))
    folder.add("a/page.md", PAGE)
    folder.load()
    assert [row["unpublish_at"] for row in rows("SELECT * FROM posts")] == ["2020-06-01T00:00:00Z"]


def test_folder_of_drafts_is_recognized_if_imported_itself(folder: Folder, rows: Rows) -> None:
    folder.add("_drafts/page.md", PAGE)
    Folder(folder.path / "_drafts").load()
    assert states(rows) == {"page": False}


def test_permalink_that_is_not_a_path_is_ignored(folder: Folder, rows: Rows) -> None:
    folder.add("tpl.md", head('permalink: "/blog/{{ title | slugify }}/index.html"'))
    folder.add("no.md", head("permalink: false"))
    folder.add("yes.md", head("permalink: true\nslug: false"))
    folder.load()
    assert states(rows) == {"tpl": True, "no": False, "yes": True}
    assert rows("SELECT path FROM redirects") == []


@pytest.mark.parametrize("body", ["", " \n\n", "\u00a0\u200b\n", "\ufeff\u2060"])
def test_file_with_only_front_matter_is_a_draft(folder: Folder, rows: Rows, body: str) -> None:
    folder.add("page.md", f"---\ntitle: Only a head\ndate: 2020-01-01\n---\n{body}")
    report = folder.load()
    assert states(rows) == {"page": False}
    assert report.lines[0].words == "has no text, imported as a draft"


@pytest.mark.parametrize(
    "text",
    [
        "Title: Plans\nDate: 2020-01-01\nStatus: draft\n\nPRIVATE",
        "---json\n{\"title\": \"Plans\", \"draft\": true}\n---\nPRIVATE",
        "---toml\ntitle = 'Plans'\ndraft = true\n---\nPRIVATE",
    ],
)  # fmt: skip
def test_other_front_matter_formats_hide_a_page_too(text: str, folder: Folder, rows: Rows) -> None:
    folder.add("page.md", text)
    folder.load()
    found = rows("SELECT title, body, published_at FROM posts")
    assert found == [{"title": "Plans", "body": "PRIVATE", "published_at": None}]


def test_executable_front_matter_is_not_text(folder: Folder, rows: Rows) -> None:
    folder.add("page.md", "---js\n{draft: true}\n---\nPRIVATE")
    words = ["skipped page.md: its front matter is js, which is not supported"]
    assert [str(line) for line in folder.load().lines] == words


def test_text_that_begins_with_a_colon_is_not_front_matter(folder: Folder, rows: Rows) -> None:
    folder.add("page.md", "Note: this is text.\n\nMore")
    folder.load()
    assert rows("SELECT body FROM posts")[0]["body"].startswith("Note: this is text.")
