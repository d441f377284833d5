"""`manage.py seed` and `manage.py import`."""

import hashlib

import pytest

AMOUNT = ["--users=4", "--tags=5", "--posts=12", "--comments=20"]
TABLES = {
    "users": "username, email, role, bio, created_at",
    "tags": "name, slug, description",
    "posts": "title, slug, body, author_id, published_at, created_at, comment_count",
    "posts_tags": "source_id, target_id",
    "comments": "post_id, parent_id, author_id, author_name, body, status, created_at",
}


def digest(console):
    """Return a hash of all seeded content."""
    rows = [
        console.rows(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
        for table, columns in TABLES.items()
    ]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def counts(console):
    return [
        console.rows(f"SELECT count(*) FROM {name}")[0][0]
        for name in ("users", "tags", "posts", "comments")
    ]


def test_seed_is_deterministic_on_every_machine(console):
    assert console("seed", *AMOUNT)[:2] == (0, "Added 4 users, 5 tags, 12 posts, 20 comments.\n")
    assert counts(console) == [4, 5, 12, 20]
    assert digest(console) == SEEDED


SEEDED = "ba4290651d12ecd9ea9bb6bc3f86f7336897c31635bb3bc6e80c7c840e9224b9"


def test_seed_adds_to_existing_content(console):
    console("seed", *AMOUNT)
    assert console("seed", *AMOUNT)[0] == 0
    assert counts(console) == [8, 10, 24, 40]


def test_another_random_seed_creates_other_content(console):
    assert console("seed", *AMOUNT, "--random-seed=2")[0] == 0
    assert digest(console) != SEEDED


def test_replies_belong_to_the_post_of_their_parent(console):
    console("seed", *AMOUNT)
    strays = "SELECT count(*) FROM comments c JOIN comments p ON p.id = c.parent_id WHERE c.post_id <> p.post_id"
    assert console.rows(strays) == [(0,)]
    assert console.rows("SELECT count(*) FROM comments WHERE parent_id IS NOT NULL") == [(6,)]


def test_seeded_users_have_no_password(console):
    console("seed", *AMOUNT)
    assert console.rows("SELECT DISTINCT password FROM users") == [(None,)]


def test_seed_can_use_existing_users_tags_and_posts(console):
    console("seed", *AMOUNT)
    more = ["--users=0", "--tags=0", "--posts=1", "--comments=4"]
    assert console("seed", *more)[0] == 0
    assert console("seed", "--users=0", "--tags=0", "--posts=0", "--comments=4")[0] == 0
    assert counts(console) == [4, 5, 13, 28]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (["--users=0", "--tags=0", "--posts=1", "--comments=0"], "no users who can write posts"),
        (
            ["--users=0", "--tags=0", "--posts=0", "--comments=1"],
            "no posts or no users to create comments with",
        ),
    ],
)
def test_seed_without_users_or_posts_is_an_error(console, numbers, words):
    status, _, errors = console("seed", *numbers)
    assert status == 1
    assert words in errors


def test_import_markdown(console, tmp_path):
    folder = tmp_path / "blog"
    folder.mkdir()
    (folder / "2024-05-06-hello.md").write_text(
        "---\ntitle: Hello\nauthor: Eve Moss\n---\nText\n", encoding="utf-8"
    )
    status, output, _ = console("import", "markdown", folder, "--dry-run")
    assert (status, counts(console)[2]) == (0, 0)
    status, output, _ = console("import", "markdown", folder)
    assert status == 0
    assert "2024-05-06-hello.md" in output
    assert output.splitlines()[-1].startswith("1 created")
    assert console.rows("SELECT title, slug FROM posts") == [("Hello", "hello")]


def test_import_of_an_empty_folder_is_an_error(console, tmp_path):
    status, _, errors = console("import", "markdown", tmp_path / "instance")
    assert status == 1
    assert errors.endswith("Error: nothing here could be imported.\n")


def test_import_wordpress_refuses_other_files(console, tmp_path):
    (tmp_path / "x.xml").write_text("<a/>", encoding="utf-8")
    status, _, errors = console("import", "wordpress", tmp_path / "x.xml")
    assert status == 1
    assert errors.splitlines()[-1].startswith("Error: ")


def test_import_of_a_missing_folder_is_wrong_usage(console, tmp_path):
    assert console("import", "markdown", tmp_path / "none")[0] == 2


def test_export_and_import_json(console, tmp_path):
    console("seed", *AMOUNT)
    before = digest(console)
    status, output, _ = console("export", tmp_path / "all.zip")
    assert (status, output[:5]) == (0, "Wrote")
    assert [file.name for file in tmp_path.glob("all*")] == ["all.zip"]
    status, output, _ = console("import", "json", tmp_path / "all.zip")
    assert (status, output.splitlines()[-1]) == (0, "47 unchanged")
    assert digest(console) == before
    noted = "SELECT fields FROM audit_events WHERE action = 'export'"
    assert console.rows(noted) == [("[]",)]


def test_export_to_an_unwritable_path_is_an_error(console, tmp_path):
    status, _, errors = console("export", tmp_path / "none" / "all.zip")
    assert status == 1
    assert errors.splitlines()[-1].startswith("Error: Cannot write ")


def test_import_json_refuses_other_files(console, tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK")
    status, output, errors = console("import", "json", tmp_path / "x.zip")
    assert status == 1
    assert "is not a valid ZIP file" in output
    assert errors.endswith("Error: nothing here could be imported.\n")


def test_import_csv(console, tmp_path):
    console(
        "users",
        "create",
        "ann",
        "ann@example.org",
        "--role=author",
        "--password-stdin",
        given="correct horse 7\n",
    )
    (tmp_path / "x.csv").write_text("title,body\nOne,x\nTwo,\n", encoding="utf-8")
    status, output, _ = console("import", "csv", "posts", tmp_path / "x.csv", "--author=ann")
    assert status == 0
    assert output.splitlines()[-2:] == [
        "skipped row 3: body: Body is required",
        "1 created, 1 skipped",
    ]
    assert console("import", "csv", "nothing", tmp_path / "x.csv")[0] == 1
    assert console("import", "xlsx", "posts", tmp_path / "x.csv")[0] == 1


def test_import_ghost_refuses_other_files(console, tmp_path):
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    status, output, _ = console("import", "ghost", tmp_path / "x.json", "--url=https://x.example")
    assert status == 1
    assert "is not a Ghost export" in output
