"""`manage.py db`, `check`, `openapi`, `routes`, `shell`, `settings`, and the first use of a folder."""

import json
import logging
import shutil
import sqlite3
import sys
import zipfile
from contextlib import closing

import pytest

from quire.cli import main
from quire.config import docs
from quire.store import migrations
from quire.store.db import db
from quire.store.instance_locks import backing_up


def execute(instance, sql):
    with closing(sqlite3.connect(instance / "quire.db")) as connection, connection:
        return connection.execute(sql).fetchall()


def shape(path):
    """Return all columns of all tables, and all indexes, as SQLite reports them."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%alembic%'"
            " AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'search_index%' ORDER BY name"
        ).fetchall()
        columns = {
            name: sorted(
                row[1:4] + row[6:] for row in connection.execute(f"PRAGMA table_xinfo({name})")
            )
            for (name,) in names
        }
        others = (
            "SELECT type, name FROM sqlite_master WHERE type <> 'table'"
            " AND name NOT LIKE '%alembic%' ORDER BY type, name"
        )
        return columns, connection.execute(others).fetchall()


SCRIPT = '''"""A test's migration: copies two tables."""
import sqlalchemy as sa
from alembic import op
revision = "{name}"
down_revision = "{before}"
branch_labels = depends_on = None
def upgrade():
    for name in ("posts", "search_documents"):
        with op.batch_alter_table(name, recreate="always") as batch:
            batch.add_column(sa.Column("extra", sa.Integer()))
    {more}
def downgrade():
    pass
'''


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A copy of the migrations that tests may add to."""
    folder = tmp_path / "scripts"
    shutil.copytree(migrations.SCRIPTS, folder)
    monkeypatch.setattr(migrations, "SCRIPTS", folder)
    return folder


def add_script(folder, name, more=""):
    """Add a migration after the newest one."""
    text = SCRIPT.format(name=name, before=migrations.newest_revision(), more=more)
    (folder / "versions" / f"{name}.py").write_text(text, encoding="utf-8")
    migrations.revisions.cache_clear()


def test_first_command_creates_the_database(new_console):
    assert new_console("users", "list") == (0, "", "")
    assert new_console("users", "list", "--json")[1] == "[]\n"
    assert new_console.rows("SELECT site_name FROM settings") == [("Quire",)]


def test_migrations_create_the_tables_of_the_models(instance, tmp_path):
    from quire.app import create_app

    app = create_app("testing", {"DATABASE_URL": f"sqlite:///{(tmp_path / 'made.db').as_posix()}"})
    with app.app_context():
        db.create_all()
        db.engine.dispose()
    assert shape(instance / "quire.db") == shape(tmp_path / "made.db")


def test_models_and_migrations_agree(console):
    assert console("db", "check")[0] == 0


def test_upgrade_makes_a_backup_first(console, instance, scripts, tmp_path):
    add_script(scripts, "newer")
    assert console("users", "list")[0] == 1
    status, _, errors = console("db", "upgrade")
    (backup,) = (instance / "backups").iterdir()
    assert status == 0 and f"Backup: {backup}\n" in errors
    assert execute(instance, "SELECT version_num FROM alembic_version") == [("newer",)]
    with zipfile.ZipFile(backup) as archive:
        archive.extract("database.sqlite", tmp_path)
    with closing(sqlite3.connect(tmp_path / "database.sqlite")) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert found != [("newer",)]
    assert console("db", "upgrade")[0] == 0
    assert console("db", "current")[0] == console("db", "history")[0] == 0
    assert len(list((instance / "backups").iterdir())) == 1


def test_upgrade_stops_if_the_backup_fails(console, instance, scripts):
    add_script(scripts, "newer")
    with main.bare_application().app_context(), backing_up():
        status, _, errors = console("db", "upgrade")
    assert (status, errors) == (
        1,
        "Error: No backup was made, and nothing was migrated. Another backup is running. Try again "
        "when it is done. To leave it out: --no-backup\n",
    )
    assert execute(instance, "SELECT version_num FROM alembic_version") != [("newer",)]


def test_upgrade_can_skip_the_backup(console, instance, scripts):
    add_script(scripts, "newer")
    assert console("db", "upgrade", "--no-backup")[0] == 0
    assert execute(instance, "SELECT version_num FROM alembic_version") == [("newer",)]
    assert not (instance / "backups").exists()


def test_downgrade_to_base_is_upgraded_by_the_next_command(console, instance):
    assert console("db", "downgrade", "base")[0] == 0
    assert execute(instance, "SELECT * FROM alembic_version") == []
    assert console("users", "list") == (0, "", "")


def test_migrate_without_a_change_writes_nothing(console):
    before = sorted(migrations.SCRIPTS.rglob("*.py"))
    status, output, _ = console("db", "migrate", "-m", "Nothing")
    assert status == 0
    assert "Nothing has changed" in output
    assert sorted(migrations.SCRIPTS.rglob("*.py")) == before


@pytest.mark.parametrize("command", [("migrate", "-m", "Nothing"), ("check",)])
def test_migrate_and_check_create_a_missing_database(console, instance, command):
    (instance / "quire.db").unlink()
    assert console("db", *command)[0] == 0
    assert console("users", "list") == (0, "", "")


@pytest.mark.parametrize("command", [("migrate", "-m", "Nothing"), ("check",)])
def test_migrate_and_check_refuse_an_older_database(console, scripts, command):
    add_script(scripts, "newer")
    status, _, errors = console("db", *command)
    assert status == 1
    assert "Error: The database is older than this code. Run: manage.py db upgrade\n" in errors


def test_failing_db_command_exits_with_1(console, instance):
    execute(instance, "UPDATE alembic_version SET version_num = 'fff'")
    assert console("db", "check")[0] == 1


def test_older_database_is_refused(console, scripts):
    add_script(scripts, "newer")
    status, _, errors = console("users", "list")
    assert (status, errors) == (
        1,
        "Error: The database is older than this code. Run: manage.py db upgrade\n",
    )


def test_newer_database_is_refused(console, instance):
    execute(instance, "UPDATE alembic_version SET version_num = 'fff'")
    status, _, errors = console("users", "list")
    assert status == 1
    assert errors.startswith("Error: This code is too old for the database (revision fff).")


def test_database_without_a_revision_is_refused(console, instance):
    execute(instance, "DROP TABLE alembic_version")
    status, _, errors = console("users", "list")
    assert status == 1
    assert "manage.py db stamp head" in errors


def test_database_that_cannot_be_opened_is_a_one_line_error(console, monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{(tmp_path / 'no' / 'x.db').as_posix()}")
    status, _, errors = console("users", "list")
    assert (status, errors) == (
        1,
        "Error: The database cannot be opened: unable to open database file\n",
    )


def test_several_newest_revisions_are_refused(tmp_path):
    (tmp_path / "versions").mkdir()
    for name in "ab":
        text = f'revision = "{name}"\ndown_revision = None\n'
        (tmp_path / "versions" / f"{name}.py").write_text(text, encoding="utf-8")
    with pytest.raises(migrations.SchemaMismatch, match="2 newest revisions"):
        migrations.revisions(tmp_path)
    (tmp_path / "versions" / "b.py").write_text(
        'revision: str = "b"\ndown_revision: str | None = "a"\n', encoding="utf-8"
    )
    assert migrations.revisions(tmp_path) == ("b", {"a", "b"})


def test_migration_keeps_rows_that_refer_to_a_copied_table(console, instance, scripts):
    console("seed", "--users=2", "--tags=2", "--posts=3", "--comments=5")
    add_script(scripts, "newer")
    assert console("db", "upgrade")[0] == 0
    assert console.rows("SELECT count(*) FROM comments") == [(5,)]
    execute(
        instance,
        "UPDATE search_documents SET title = 'zanzibar' WHERE type = 'posts' AND record_id = 1",
    )
    match = (
        "SELECT type, record_id FROM search_documents WHERE id IN "
        "(SELECT rowid FROM search_index WHERE search_index MATCH 'zanzibar')"
    )
    assert console.rows(match) == [("posts", 1)]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("nonsense", 'Error: The migration failed and changed nothing: near "nonsense"'),
        (
            "INSERT INTO posts_tags (source_id, target_id) VALUES (7, 8)",
            "Error: Row None of posts_tags refers to nothing",
        ),
    ],
)
def test_failing_migration_changes_nothing(console, instance, scripts, statement, words, caplog):
    add_script(scripts, "broken", f"op.execute({statement!r})")
    before = shape(instance / "quire.db")
    status, _, errors = console("db", "upgrade")
    assert status == 1
    assert words in errors + caplog.text
    assert shape(instance / "quire.db") == before
    assert execute(instance, "SELECT * FROM posts_tags") == []


def test_check_fails_only_for_errors(console):
    status, output, errors = console("check")
    assert (status, errors) == (1, "Error: 1 of the checks failed.\n")
    assert "error    administrator: There is no active administrator." in output
    console(
        "users",
        "create",
        "ann",
        "a@b.org",
        "--role=admin",
        "--password-stdin",
        given="correct horse 9\n",
    )
    status, output, _ = console("check")
    assert status == 0
    assert {line.split()[0] for line in output.splitlines()} == {"ok", "warning"}


def test_check_reports_dangling_references_and_wrong_revisions(console, instance):
    execute(instance, "INSERT INTO posts_tags (source_id, target_id) VALUES (7, 8)")
    assert (
        "error    database integrity: A row in posts_tags refers to a missing row in"
        in console("check")[1]
    )
    execute(instance, "UPDATE alembic_version SET version_num = 'fff'")
    assert "error    database: This code is too old" in console("check")[1]


def test_check_reports_jobs_without_a_worker(console, instance):
    console("check")
    execute(
        instance,
        "INSERT INTO outbox (event, type, record_id, data, created_at, due_at, attempts)"
        " VALUES ('x', 'posts', 1, '{}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 0)",
    )
    assert "error    background jobs: The oldest job has been waiting for " in console("check")[1]


def test_check_reports_a_damaged_index(console, instance):
    path = instance / "quire.db"
    data = bytearray(path.read_bytes())
    root = execute(
        instance, "SELECT rootpage FROM sqlite_master WHERE name = 'ix_outbox_position'"
    )[0][0]
    data[(root - 1) * 4096 + 1 : (root - 1) * 4096 + 8] = b"\xff" * 7
    path.write_bytes(data)
    assert "error    database integrity: " in console("check")[1]


def test_check_deploy_checks_public_settings(console, monkeypatch):
    output = console("check", "--deploy")[1]
    assert "error    public address: PUBLIC_URL is not an https address" in output
    assert "warning  mail: MAIL_SERVER is not set" in output
    monkeypatch.setenv("PUBLIC_URL", "https://a.org")
    monkeypatch.setenv("MAIL_SERVER", "127.0.0.1")
    output = console("check", "--deploy")[1]
    assert "error    public address: TRUSTED_HOSTS is not set. Set TRUSTED_HOSTS=a.org.\n" in output
    assert "error    mail: MAIL_DEFAULT_SENDER is not set" in output
    monkeypatch.setenv("TRUSTED_HOSTS", "a.org")
    monkeypatch.setenv("QUIRE_ENV", "development")
    output = console("check", "--deploy")[1]
    assert "ok       public address\n" in output
    assert "error    environment: QUIRE_ENV is development" in output


def test_check_deploy_succeeds_with_warnings_only(console, monkeypatch):
    words = ("ann", "a@b.org", "--role=admin", "--password-stdin")
    console("users", "create", *words, given="correct horse 9\n")
    monkeypatch.setenv("PUBLIC_URL", "https://a.org")
    monkeypatch.setenv("TRUSTED_HOSTS", "a.org")
    status, output, errors = console("check", "--deploy")
    assert (status, errors) == (0, "")
    assert "warning  second factors: Administrators without a second factor: ann." in output


def test_openapi_is_printed_or_written_to_a_file(console, tmp_path):
    printed = console("openapi")[1]
    assert json.loads(printed)["openapi"].startswith("3.1")
    assert console("openapi", tmp_path / "api.json") == (0, "", "")
    assert (tmp_path / "api.json").read_text(encoding="utf-8") == printed


def test_routes_and_shell_run(console, monkeypatch):
    monkeypatch.setitem(sys.modules, "readline", None)  # which would hold the application
    assert "/api/v1/posts" in console("routes")[1]
    assert "<Quire 'quire'>" in console("shell", given="print(app)\n")[1]


def test_settings_are_written(console, monkeypatch, tmp_path):
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    assert len(console("settings")[1].splitlines()) == 2
    assert (tmp_path / ".env.example").read_text(encoding="utf-8") == docs.env_example()


def test_help_lists_every_command(console):
    status, output, _ = console("--help")
    assert status == 0
    assert [name for name in main.COMMANDS if f"\n  {name} " not in output] == []


def test_unsafe_settings_are_a_one_line_error(console, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "short")
    status, _, errors = console("users", "list")
    assert (status, errors.count("\n")) == (1, 1)
    assert errors.startswith("Error: SECRET_KEY is too short")


def test_migration_does_not_change_log_levels(console):
    console("db", "upgrade")
    assert logging.getLogger("alembic").level == logging.NOTSET
