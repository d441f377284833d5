"""Adds Quire to a folder of peers and runs their driver: `run.py --bench DIR -- ...`."""

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SECRET = "benchmark-secret-of-forty-eight-characters-000000"
PASSWORD = "password"  # the password of every account in the common data set


def load(folder: Path):
    """Return the driver as a module."""
    spec = importlib.util.spec_from_file_location("bench", folder / "bench.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    return bench


def add_quire(bench, folder: Path, instance: Path) -> None:
    """Add Quire's command, addresses and expected responses to the driver."""
    plain_url, plain_normal, plain_server = bench.url, bench.normal, bench.Server

    def url(flavour, kind, deep):
        if flavour != "quire":
            return plain_url(flavour, kind, deep)
        page = {"list": 1, "deep": deep, "cond": 1}.get(kind)
        if page:
            return f"/api/v1/posts?page={page}", "", None
        comment = '{"body":"a comment from the bench"}'
        return {
            "tag": ("/api/v1/posts?tags.name=tag-{n}", "tag", None),
            "one": ("/api/v1/posts/{n}", "post", None),
            "comment": ("/api/v1/posts/{n}/comments", "post", comment),
        }[kind]

    def normal(flavour, data):
        if flavour == "quire" and "posts" in data:
            data = {"items": data["posts"], "total": data["total"]}
        return plain_normal(flavour, data)

    class Server(plain_server):
        def __init__(self, name, port, args):
            super().__init__(name, port, args)
            if self.flavour == "quire":
                self.db = str(instance / f"{name}.db")
                shutil.copy(instance / "base.db", self.db)
                self.env = {**self.env, "DATABASE_URL": f"sqlite:///{self.db}"}

        def token(self):
            body = json.dumps({"email": "user0003@example.org", "password": PASSWORD}).encode()
            asked = urllib.request.Request(
                f"http://127.0.0.1:{self.port}/api/v1/auth/token",
                body,
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(asked) as answer:
                return json.load(answer)["access_token"]

        def get(self, path, headers=None, method="GET", body=None):
            headers = dict(headers or {})
            if self.flavour == "quire" and body:
                headers["Authorization"] = f"Bearer {self.token()}"
            return super().get(path, headers, method, body)

        def wrk(self, kind, seconds, conns, truth):
            if self.flavour == "quire" and kind == "comment":
                os.environ["B_TOKEN"] = self.token()
            return super().wrk(kind, seconds, conns, truth)

    bench.url, bench.normal, bench.Server = url, normal, Server
    bench.HERE = str(HERE)
    os.environ["B_DRIVER"] = str(folder / "wrk.lua")
    command = [sys.executable, str(ROOT / "serve.py"), "--port", "{port}", "--threads", "4"]
    settings = {"QUIRE_INSTANCE": str(instance), "SECRET_KEY": SECRET, "QUIRE_ENV": "production"}
    bench.SERVERS["quire"] = (command, "quire", settings)


def compile_modules(bench) -> None:
    """Compile the modules where the driver stores them: a server that compiles them itself uses 8 MB more."""
    cache = {**os.environ, "PYTHONPYCACHEPREFIX": f"{bench.WORK}/pycache"}
    subprocess.run([sys.executable, ROOT / "serve.py", "--version"], env=cache, check=True)


def main() -> None:
    """Convert the data once, then run the driver."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="folder that has bench.py")
    options, rest = parser.parse_known_args()
    rest = [word for word in rest if word != "--"]
    bench = load(options.bench.resolve())
    with tempfile.TemporaryDirectory(prefix="quire-bench-") as folder:
        instance = Path(folder)
        base = next((rest[i + 1] for i, word in enumerate(rest) if word == "--db"), None)
        base = base or f"{bench.WORK}/base-10k.db"
        make = f"{sys.executable} {HERE / 'convert.py'} {base} {instance / 'base.db'}"
        if os.system(f"PYTHONPATH={ROOT / 'src'} {make}"):
            sys.exit("The data could not be converted.")
        compile_modules(bench)
        add_quire(bench, options.bench.resolve(), instance)
        sys.argv = [str(options.bench / "bench.py"), *rest]
        bench.main()


if __name__ == "__main__":
    main()
