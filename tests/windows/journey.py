"""What a newcomer does first, by the Python that runs this: start, a user, GET, POST, stop."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery 9"
READY = "Quire is ready at "
# Not every Windows Python has a console that could send Ctrl-Break to another process. In the
# server's own process, raising the signal does what the console's thread does.
PRESSED = """
import runpy, signal, sys, threading

def press():
    sys.stdin.readline()
    signal.raise_signal(getattr(signal, "SIGBREAK", signal.SIGINT))

threading.Thread(target=press, daemon=True).start()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def start(environment, *flags):
    """serve.py on a free port: the process and its address."""
    command = [sys.executable, "-c", PRESSED, str(ROOT / "serve.py"), "--port", "0", *flags]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen(command, env=environment, text=True, **pipes)
    for line in server.stdout:
        print("server:", line.rstrip(), flush=True)
        if line.startswith(READY):
            return server, line.removeprefix(READY).strip()
    raise SystemExit(f"The server did not start; it ended with {server.wait()}.")


def manage(environment, *arguments, given=""):
    """What a command of manage.py prints."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(
        command, env=environment, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.returncode} {done.stdout} {done.stderr}")
    return done.stdout.strip()


def call(url, body=None, token=None):
    """Status and JSON of a GET, or of a POST of `body`."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def expect(what, found, wanted):
    """Say what was found; end with status 1 when it is not what was wanted."""
    print(f"{what}: {found}", flush=True)
    if found != wanted:
        raise SystemExit(f"{what}: {wanted} was expected.")


def use(api, environment):
    """Make a user, sign in, make a tag, read it."""
    user = ["users", "create", "ann", "ann@example.org", "--role", "admin", "--password-stdin"]
    expect("user", manage(environment, *user, given=PASSWORD + "\n"), "1")
    expect("role", json.loads(manage(environment, "users", "list", "--json"))[0]["role"], "admin")
    expect("posts", call(f"{api}/posts")[1]["posts"], [])
    credentials = {"email": "ann@example.org", "password": PASSWORD}
    status, tokens = call(f"{api}/auth/token", credentials)
    expect("token", status, 200)
    status, tag = call(f"{api}/tags", {"name": "Füße"}, tokens["access_token"])
    expect("tag", status, 201)
    expect("name", call(f"{api}/tags/{tag['id']}")[1]["name"], "Füße")
    status, error = call(f"{api}/tags", {"name": "x" * 2_000_000}, tokens["access_token"])
    expect("too large", (status, error["code"]), (413, "too_large"))


def stop(server):
    """Press Ctrl-Break; the exit status."""
    server.stdin.write("\n")
    server.stdin.flush()
    with contextlib.suppress(subprocess.TimeoutExpired):
        return server.wait(20)
    server.kill()
    return f"killed, {server.wait()}"


def main():
    """The whole journey, twice: the second start finds what the first one made."""
    sys.stdout.reconfigure(encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = os.environ | {"QUIRE_INSTANCE": folder, "PYTHONUTF8": "1"}
        server, address = start(environment)
        try:
            use(f"{address}api/v1", environment)
        finally:
            status = stop(server)
        expect("stop", status, 0)
        begun = time.monotonic()
        server, address = start(environment, "--processes", "2")
        try:
            expect("tags", call(f"{address}api/v1/tags")[1]["total"], 1)
            print(f"second start to first answer: {time.monotonic() - begun:.1f} s", flush=True)
        finally:
            status = stop(server)
        expect("stop", status, 0)
        expect("check", manage(environment, "check").splitlines()[0], "ok   database version")
    print("The journey went well.")


if __name__ == "__main__":
    main()
