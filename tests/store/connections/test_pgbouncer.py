"""Quire behind a real PgBouncer in transaction mode, with fewer connections to the server than threads."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import make_url, text

from quire.app import create_app
from quire.records import TAGS
from quire.store.connections.postgresql import LIMITS, missing_role_settings
from quire.store.db import db, read_connection, snapshot, transaction
from tests.databases import on_postgresql
from tests.running_server import free_port
from tests.users import signed_in
from tests.waiting import wait_for_port

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
SERVER_CONNECTIONS = 2

pytestmark = [
    pytest.mark.skipif(not on_postgresql(), reason="PgBouncer is for PostgreSQL"),
    pytest.mark.skipif(not os.path.exists(PROGRAM), reason="PgBouncer is not installed"),
]


@pytest.fixture
def folder():
    """A folder that others can read: pytest closes its own to them whenever it starts anywhere."""
    with TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def pooled_url(app, folder):
    """The URL of the tests' database, by way of a PgBouncer of our own."""
    with app.app_context():
        url = make_url(str(db.engine.url)).set(password=db.engine.url.password)
    port = free_port()
    config = folder / "pgbouncer.ini"
    (folder / "users.txt").write_text(f'"{url.username}" "{url.password or ""}"\n')
    config.write_text(
        f"[databases]\n{url.database} = host={url.host} port={url.port or 5432}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {folder / 'users.txt'}\npool_mode = transaction\n"
        f"default_pool_size = {SERVER_CONNECTIONS}\nmax_client_conn = 100\n"
    )
    for file in folder.iterdir():
        file.chmod(0o644)  # whatever an earlier test in this process has set for new files
    options = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses to run as root
    output = folder / "output"
    with output.open("w", encoding="utf-8") as log:
        bouncer = subprocess.Popen([PROGRAM, str(config)], **options, stderr=log)
        try:
            wait_for_port(port, bouncer, output)
            yield url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        finally:
            bouncer.terminate()
            bouncer.wait(10)


def test_requests_changes_and_exports_work_behind_pgbouncer(pooled_url, people, make, tmp_path):
    pooled = create_app(
        "testing",
        {"DATABASE_URL": pooled_url, "DATABASE_PGBOUNCER": True, "QUIRE_INSTANCE": tmp_path},
    )
    first = make(TAGS, name="a")
    client = signed_in(pooled, people["root"])

    def work(number):
        one = signed_in(pooled, people["root"])
        made = one.post(
            "/api/v1/tags", json={"name": f"tag {number}"}, headers={"Idempotency-Key": f"{number}"}
        )
        answers = [one.get("/api/v1/tags?sort=name").status_code for _ in range(12)]
        changed = one.patch(f"/api/v1/tags/{made.json['id']}", json={"description": "x"})
        return {made.status_code, changed.status_code, *answers}

    with ThreadPoolExecutor(6) as threads:
        for statuses in threads.map(work, range(12)):
            assert statuses == {200, 201}
    assert client.get("/api/v1/tags").json["total"] == 13
    assert client.get(f"/api/v1/tags/{first}").status_code == 200
    with pooled.app_context():
        with snapshot() as connection:
            assert connection.execute(text("SELECT count(*) FROM tags")).scalar() == 13
        with transaction() as connection:
            assert (
                connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar()
                == 0
            )
        with read_connection() as connection:  # nothing of the snapshot is left on its connection
            asked = "SELECT source FROM pg_settings WHERE name = 'statement_timeout'"
            assert connection.execute(text(asked)).scalar() != "session"
            assert {name for name, _ in missing_role_settings(connection)} >= set(LIMITS)
        db.engine.dispose()
