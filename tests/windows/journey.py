"""The first steps of a new user, with the Python that runs this: start, a user, GET, POST, a backup, stop, a restore.

TEST_REDIS_URL names a broker for the worker, which is optional.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery 9"
NAMES = {
    "lake.png": "lake.png",
    "CON.png": "CON.png",
    "C:\\\\pictures\\\\NUL .png": "NUL .png",
    "é" * 300 + ".png": "é" * 251 + ".png",
}
"""What files are called, as a multipart body has it, and what is kept of that."""
READY, WORKING = "Quire is ready at ", "Quire's worker is ready."
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


def begin(environment, *command):
    """Start a process that ends when Ctrl-Break is pressed."""
    command = [sys.executable, "-c", PRESSED, *command]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **pipes)


def ready(process, words):
    """Return the text that a process prints after `words`."""
    for line in process.stdout:
        print("it says:", line.rstrip(), flush=True)
        if line.startswith(words):
            return line.removeprefix(words).strip()
    raise SystemExit(f"It did not start; it ended with {process.wait()}.")


def start(environment, *flags):
    """Start serve.py on a free port; return the process and its address."""
    server = begin(environment, str(ROOT / "serve.py"), "--port", "0", *flags)
    return server, ready(server, READY)


def manage(environment, *arguments, given=""):
    """Return the output of a command of manage.py."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(
        command, env=environment, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.returncode} {done.stdout} {done.stderr}")
    return done.stdout.strip()


def call(url, body=None, token=None, kind="application/json"):
    """Return status and JSON of a GET, or of a POST of `body`: JSON, or bytes of another `kind`."""
    headers = {"Content-Type": kind}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        is_json = error.headers.get_content_type() == "application/json"
        return error.code, json.load(error) if is_json else error.read()


def expect(what, found, wanted):
    """Print the value found; exit with status 1 if it is not the expected one."""
    print(f"{what}: {found}", flush=True)
    if found != wanted:
        raise SystemExit(f"{what}: {wanted} was expected.")


def use(api, environment):
    """Create a user, sign in, create a tag, read it."""
    user = ["users", "create", "ann", "ann@example.org", "--role", "admin", "--password-stdin"]
    expect("user", manage(environment, *user, given=PASSWORD + "\n"), "1")
    expect("role", json.loads(manage(environment, "users", "list", "--json"))[0]["role"], "admin")
    expect("posts", call(f"{api}/posts")[1]["posts"], [])
    token = sign_in(api)
    status, tag = call(f"{api}/tags", {"name": "Füße"}, token)
    expect("tag", status, 201)
    expect("name", call(f"{api}/tags/{tag['id']}")[1]["name"], "Füße")
    status, error = call(f"{api}/tags", {"name": "x" * 2_000_000}, token)
    expect("too large", (status, error["code"]), (413, "too_large"))
    for name, kept in NAMES.items():
        expect("name of the file", upload(api, token, name)["original_name"], kept)
    for name in ("CON", "NUL.png", "aux%3A", "..%5Cquire.db"):
        expect(f"file {name}", call(f"{api.removesuffix('/api/v1')}/uploads/{name}")[0], 404)


def sign_in(api):
    """Return an access token."""
    status, tokens = call(f"{api}/auth/token", {"email": "ann@example.org", "password": PASSWORD})
    expect("token", status, 200)
    return tokens["access_token"]


def upload(api, token, name):
    """Upload an image called `name`, wait until it is processed, and fetch a variant; return its record."""
    out = io.BytesIO()
    Image.new("RGB", (700, 350), (7, len(name) % 256, 99)).save(out, "PNG")  # each its own
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + out.getvalue() + b"\r\n--x--\r\n"
    status, made = call(f"{api}/media", body, token, "multipart/form-data; boundary=x")
    expect("upload", status, 201)
    begun = time.monotonic()
    while not made["variants"] and time.monotonic() < begun + 40:
        time.sleep(0.2)
        made = call(f"{api}/media/{made['id']}", token=token)[1]
    print(f"drawn within {time.monotonic() - begun:.1f} s", flush=True)
    expect("variants", list(made["variants"]), ["160", "640"])
    with urllib.request.urlopen(
        api.removesuffix("/api/v1") + made["variants"]["640"]["webp"]
    ) as file:
        expect("variant", Image.open(io.BytesIO(file.read())).size, (640, 320))
    return made


def back_up(environment, api, folder):
    """Back up while the server runs, change something, and check that a restore is refused meanwhile."""
    archive = str(Path(folder) / "saved" / "backup.zip")
    environment = environment | {"BACKUP_PASSPHRASE": PASSWORD}
    print(manage(environment, "backup", archive, "--encrypt"), flush=True)
    print(manage(environment, "backup", "--verify", archive), flush=True)
    expect("tag", call(f"{api}/tags", {"name": "later"}, sign_in(api))[0], 201)
    command = [sys.executable, str(ROOT / "manage.py"), "restore", archive, "--yes"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    expect("restore while it runs", (refused.returncode, "is running" in refused.stderr), (1, True))


def bring_back(environment, folder):
    """Restore in the same place and in another one."""
    archive = str(Path(folder) / "saved" / "backup.zip")
    environment = environment | {"BACKUP_PASSPHRASE": PASSWORD}
    for place in (folder, str(Path(folder) / "elsewhere")):
        there = environment | {"QUIRE_INSTANCE": place}
        print(manage(there, "restore", archive, "--yes"), flush=True)
        expect("people", json.loads(manage(there, "users", "list", "--json"))[0]["id"], 1)


def stop(process):
    """Press Ctrl-Break; return the exit status."""
    process.stdin.write("\n")
    process.stdin.flush()
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(20)
    process.kill()
    return f"killed, {process.wait()}"


def restart(environment, address):
    """Replace the processes while requests are being sent."""
    answers, done = [], threading.Event()

    def ask():
        while not done.is_set():
            answers.append(call(f"{address}api/v1/tags")[0])

    client = threading.Thread(target=ask)
    client.start()
    try:
        expect("restart", manage(environment, "restart"), f"{address} has restarted.")
    finally:
        done.set()
        client.join()
    expect("answers during a restart", set(answers), {200})
    print(f"{len(answers)} answers during a restart", flush=True)


def work(environment):
    """Run two servers without jobs, and a worker that runs them."""
    more = {"JOB_THREADS": "0", "CELERY_BROKER_URL": os.environ.get("TEST_REDIS_URL", "")}
    worker = begin(environment | more, str(ROOT / "manage.py"), "worker")
    begun = time.monotonic()
    server, address = start(environment | more, "--processes", "2")
    try:
        api = f"{address}api/v1"
        expect("tags", call(f"{api}/tags")[1]["total"], 1)
        print(f"second start to first answer: {time.monotonic() - begun:.1f} s", flush=True)
        ready(worker, WORKING)
        upload(api, sign_in(api), "worked.png")
        restart(environment | more, address)
    finally:
        ends = stop(server), stop(worker)
    expect("stop", ends, (0, 0))


def main():
    """Run the whole journey twice: the second start finds what the first one created."""
    sys.stdout.reconfigure(encoding="utf-8")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = os.environ | {"QUIRE_INSTANCE": folder, "PYTHONUTF8": "1"}
        server, address = start(environment)
        try:
            use(f"{address}api/v1", environment)
            back_up(environment, f"{address}api/v1", folder)
            restart(environment, address)
        finally:
            status = stop(server)
        expect("stop", status, 0)
        bring_back(environment, folder)
        work(environment)
        expect("check", manage(environment, "check").splitlines()[0][:18], "ok       database:")
    print("The journey went well.")


if __name__ == "__main__":
    main()
