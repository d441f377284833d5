"""Runs Schemathesis against a running Quire: `python -m tests.fuzz.run [--examples 100] [--role ann ...]`.

Every check is enabled. Exits with 0 if all responses match the document and none is a server error.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from quire.actor import SYSTEM
from quire.app import create_app
from quire.records import COMMENTS, PAGES, POSTS, REDIRECTS, USERS
from quire.store.db import db
from quire.store.write import create, create_many
from tests.running_server import serving
from tests.users import ROLES, enrol, token_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PLACES = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
PEOPLE = (None, *ROLES)


def filled(folder):
    """Create an application with records of every type; the ids of the accounts in use are hard to guess."""
    app = create_app("testing", {"DATABASE_URL": f"sqlite:///{(folder / 'fuzz.db').as_posix()}"})
    with app.app_context():
        db.create_all()
        others = [{"username": f"person{i}", "email": f"p{i}@example.org", "password": "not needed", "role": "author"}
                  for i in range(60)]  # fmt: skip
        create_many(USERS, SYSTEM, others)
    people = enrol(app)
    with app.app_context():
        for i, name in enumerate(["ann", "abe", "person1"] * 10):
            raw = {"title": f"Post {i}", "body": "*Text*", "author": name, "tags": [f"tag{i % 5}"]}
            post = create(POSTS, SYSTEM, raw | ({"published": True} if i % 3 else {})).id
            create(
                COMMENTS,
                SYSTEM,
                {"post": post, "author": "bob", "body": "Hi", "status": "approved"},
            )
            create(PAGES, SYSTEM, {"title": f"Page {i}", "body": "x", "published": True})
            create(REDIRECTS, SYSTEM, {"path": f"/old{i}", "target": "/new"})
    return app, people


def fuzz(name, examples, more=()):
    """Run Schemathesis as `name` on a fresh database; return its exit status."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        app, people = filled(Path(folder))
        with serving(app) as address:
            command = [
                sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"),
                "run", f"{address}/api/v1/openapi.json", "--url", f"{address}/api/v1",
                "--checks", "all", "--max-examples", str(examples), "--no-color", *more,
            ]  # fmt: skip
            if name is not None:
                command += ["--header", f"Authorization: Bearer {token_of(app, people[name])}"]
            env = {**os.environ, "FUZZ_ROLE": ROLES.get(name, "anonymous"), "PYTHONPATH": PLACES}
            status = subprocess.run(command, check=False, cwd=ROOT, env=env).returncode
        with app.app_context():
            db.engine.dispose()
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="per operation and phase")
    parser.add_argument("--role", action="append", choices=[*ROLES, "anonymous"])
    known, more = parser.parse_known_args()
    names = [None if name == "anonymous" else name for name in known.role] if known.role else PEOPLE
    failed = [str(name) for name in names if fuzz(name, known.examples, more)]
    if failed:
        print("Refused or broken as:", ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
