"""`manage.py deploy`: the program for each kind of file accepts it, and it works."""

import http.client
import os
import re
import shutil
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import defusedxml.ElementTree
import pytest
import yaml

from quire.cli.deploy.installation import Installation
from quire.cli.deploy.render import KINDS, render
from quire.config.settings import ROOT
from tests.nginx import nginx_configuration
from tests.running_server import free_port, serving
from tests.waiting import wait_for_port, wait_until

EXAMPLES = ROOT / "deploy"
LINUX = Installation(
    root="/opt/quire",
    python="/opt/quire/.venv/bin/python",
    instance="/opt/quire/instance",
    user="quire",
    public_url="https://blog.example.org",
    port=8000,
    processes=2,
    threads=4,
    body_megabytes=18,
    python_version="3.11",
    folder="/opt/quire/instance/deploy",
)
WINDOWS = replace(
    LINUX,
    root="C:\\Quire",
    python="C:\\Quire\\.venv\\Scripts\\python.exe",
    instance="C:\\Quire\\instance",
    folder="C:\\Quire\\instance\\deploy",
)
ODD = replace(
    LINUX,
    root='/opt/O\'Neil & "sons" 100% $HOME',
    python='/opt/O\'Neil & "sons" 100% $HOME/python',
    instance="/srv/<in> 'stance",
    folder="/srv/<in> 'stance/deploy",
)
EXAMPLE_OF = {kind: WINDOWS if kind in ("iis", "windows-service") else LINUX for kind in KINDS}
HERE = replace(LINUX, root=str(ROOT), python=sys.executable, instance="/tmp", user="root")
NGINX = shutil.which("nginx")
SECONDS = 20


def tool(name):
    """Return the path of a program; skip the test if it is missing."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def written(folder, kind, installation=LINUX):
    """Return the folder with the files of a kind."""
    for name, text in render(kind, installation).items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_committed_examples_match_the_command(kind):
    folder = EXAMPLES / kind
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert texts == render(kind, EXAMPLE_OF[kind])


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("docker", "Dockerfile"), ("compose", "Dockerfile"),
        ("gunicorn", "quire-gunicorn.service"), ("gunicorn", "quire-worker.service"),
    ],
)  # fmt: skip
def test_long_running_processes_are_limited_to_one_memory_pool(kind, name):
    assert "MALLOC_ARENA_MAX=1" in render(kind, LINUX)[name]


@pytest.mark.parametrize("kind", ["nginx", "gunicorn"])
def test_existing_file_is_only_overwritten_with_force(console, monkeypatch, tmp_path, kind):
    monkeypatch.setenv("PUBLIC_URL", "https://blog.example.org")
    monkeypatch.setenv("SECRET_KEY", "0123456789abcdefghijklmnopqrstuv")
    monkeypatch.setenv("MAIL_PASSWORD", "mail-password-7")
    tmp_path /= "out"
    status, output, _ = console("deploy", kind, "--out", tmp_path, "--port", 8123)
    files = [Path(line) for line in output.splitlines()]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert status == 0 and sorted(files) == sorted(tmp_path.iterdir())
    assert not re.search("0123456789abcdef|mail-password", "".join(texts))
    assert console("deploy", kind, "--out", tmp_path, "--port", 8123)[0] == 0
    files[0].write_text("mine", encoding="utf-8")
    status, output, errors = console("deploy", kind, "--out", tmp_path)
    assert (status, output, errors.count("\n")) == (1, "", 1) and "Use --force" in errors
    assert files[0].read_text(encoding="utf-8") == "mine"
    assert console("deploy", kind, "--out", tmp_path, "--port", 8123, "--force")[0] == 0
    assert [file.read_text(encoding="utf-8") for file in files] == texts


def test_files_are_written_to_the_instance_folder_by_default(console):
    _, output, errors = console("deploy", "nginx")
    assert output.strip() == str(console.instance / "deploy" / "quire.conf")
    assert "PUBLIC_URL is not set" in errors and "TRUSTED_PROXY=127.0.0.1" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cobol",), "'cobol' is not one of"),
        (("nginx", "--certificate", "x.pem"), "--certificate and --key together"),
        (("nginx", "--port", "0"), "--port"),
    ],
)
def test_wrong_usage_is_refused(console, arguments, words):
    status, _, errors = console("deploy", *arguments)
    assert status == 2 and words in errors


@pytest.mark.parametrize("kind", ["systemd", "gunicorn"])
def test_systemd_accepts_its_units(tmp_path, kind):
    analyze = tool("systemd-analyze")
    folder = written(tmp_path, kind, replace(HERE, folder=str(tmp_path)))
    units = [path for path in folder.iterdir() if path.suffix in (".service", ".timer")]
    said = subprocess.run([analyze, "verify", *units], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")


def test_systemd_accepts_unusual_paths(tmp_path):
    analyze = tool("systemd-analyze")
    root = tmp_path / "a b 100% $HOME"
    root.mkdir()
    python = root / "python"
    python.symlink_to(sys.executable)
    odd = replace(HERE, root=str(root), python=str(python))
    folder = written(tmp_path, "systemd", odd)
    said = subprocess.run(
        [analyze, "verify", folder / "quire.service"], capture_output=True, text=True
    )
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("secured", [False, True])
def test_haproxy_accepts_its_file(tmp_path, certificate, secured):
    haproxy = tool("haproxy")
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(Path(one).read_bytes() for one in certificate))
    here = replace(LINUX, certificate=str(both) if secured else None)
    file = written(tmp_path, "haproxy", here) / "haproxy.cfg"
    said = subprocess.run([haproxy, "-c", "-f", file], capture_output=True, text=True)
    assert said.returncode == 0 and "WARNING" not in said.stderr, said.stderr


@pytest.mark.parametrize("installation", [WINDOWS, ODD])
def test_windows_files_are_valid_xml(installation):
    service = defusedxml.ElementTree.fromstring(
        render("windows-service", installation)["quire-service.xml"].encode()
    )
    assert service.findtext("executable") == installation.python
    assert service.findtext("workingdirectory") == installation.root
    assert service.findtext("arguments").startswith(f'"{installation.path("serve.py")}" --host')
    config = defusedxml.ElementTree.fromstring(render("iis", installation)["web.config"].encode())
    action = config.find(".//rule/action")
    assert action.get("url") == "http://127.0.0.1:8000{UNENCODED_URL}"
    assert int(config.find(".//requestLimits").get("maxAllowedContentLength")) == 18 * 2**20


@pytest.mark.parametrize("installation", [LINUX, WINDOWS, ODD])
def test_compose_file_is_valid_yaml(installation):
    service = yaml.safe_load(render("compose", installation)["compose.yaml"])["services"]["quire"]
    assert service["build"]["context"] == installation.root
    assert service["build"]["dockerfile"] == installation.file("Dockerfile")
    assert service["environment"]["TRUSTED_HOSTS"] == "blog.example.org"
    assert service["ports"] == ["127.0.0.1:8000:8000"]


def test_docker_image_copies_only_existing_allowed_files():
    files = render("docker", LINUX)
    copied = re.findall(r"^COPY (.*) \S+$", files["Dockerfile"], re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in names)
    allowed = set(re.findall(r"^!(.*)$", files["Dockerfile.dockerignore"], re.MULTILINE))
    assert names == allowed
    words = re.findall(r"^([A-Z]+) ", files["Dockerfile"], re.MULTILINE)
    assert words[0] == "FROM" and words[-1] == "CMD"
    assert words.index("USER") > max(n for n, word in enumerate(words) if word == "RUN")


def test_gunicorn_file_is_valid_python(tmp_path):
    pytest.importorskip("gunicorn")
    for installation in (LINUX, ODD):
        settings = {}
        exec(render("gunicorn", installation)["gunicorn.conf.py"], settings)
        assert settings["chdir"] == installation.root
        assert f"QUIRE_INSTANCE={installation.instance}" in settings["raw_env"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The files of a certificate and its key."""
    openssl = tool("openssl")
    folder = tmp_path_factory.mktemp("certificate")
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-keyout", key, "-out", chain,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return str(chain), str(key)


@pytest.mark.slow
@pytest.mark.parametrize("proxy", ["nginx", "haproxy"])
def test_proxy_passes_on_the_address_and_scheme(make_app, people, tmp_path, certificate, proxy):
    """The client's address and scheme are passed through."""
    program = tool(proxy)
    app = make_app(TRUSTED_PROXY="127.0.0.1", TRUSTED_HOSTS=["localhost"])
    seen = []

    @app.before_request
    def note():
        from flask import request

        seen.append((request.remote_addr, request.scheme, request.host))

    plain, secure = free_port(), free_port()
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(Path(one).read_bytes() for one in certificate))
    with serving(app) as upstream:
        here = replace(
            LINUX,
            public_url="https://localhost",
            port=int(upstream.rpartition(":")[2]),
            certificate=certificate[0] if proxy == "nginx" else str(both),
            key=certificate[1],
        )
        [text] = render(proxy, here).values()
        for documented, used in (
            ("listen [::]:80;", ""),
            ("listen [::]:443 ssl;", ""),
            ("listen 80", f"listen 127.0.0.1:{plain}"),
            ("listen 443", f"listen 127.0.0.1:{secure}"),
            ("bind :80", f"bind 127.0.0.1:{plain}"),
            ("bind :443", f"bind 127.0.0.1:{secure}"),
            ("/var/cache/nginx-quire", f"{tmp_path}/cache"),
        ):
            text = text.replace(documented, used)
        if proxy == "nginx":
            text = nginx_configuration(tmp_path, text)
        file = tmp_path / "configuration"
        file.write_text(text, encoding="utf-8")
        arguments = ["-c", str(file)] if proxy == "nginx" else ["-db", "-f", str(file)]
        log = (tmp_path / "output").open("w", encoding="utf-8")
        process = subprocess.Popen([program, *arguments], stdout=log, stderr=log)
        try:
            wait_for_port(secure, process, tmp_path / "output")
            redirected = ask(http.client.HTTPConnection("127.0.0.1", plain, timeout=SECONDS))
            assert redirected.status == 301
            assert redirected.headers["Location"].startswith("https://localhost")
            trust = ssl._create_unverified_context()
            for _ in range(2):
                answer = ask(
                    http.client.HTTPSConnection(
                        "127.0.0.1", secure, timeout=SECONDS, context=trust
                    ),
                    **{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"},
                )
                assert answer.status == 200
        finally:
            process.terminate()
            process.wait(SECONDS)
            log.close()
    api = [one for one in seen if one[2].startswith("localhost")]
    assert api and set(api) <= {("127.0.0.1", "https", "localhost")} | {
        ("127.0.0.1", "http", "localhost")
    }
    assert ("127.0.0.1", "https", "localhost") in api


def ask(connection, **headers):
    connection.request("GET", "/api/v1/posts", headers={"Host": "localhost", **headers})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def started(folder, unit):
    """Start the command of a systemd unit; return the process and its output file."""
    text = (folder / unit).read_text(encoding="utf-8")
    command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1]
    variables = dict(re.findall(r'^Environment="(\w+)=(.*)"$', text, re.MULTILINE))
    output = folder / f"{unit}.output"
    with output.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [word.strip('"') for word in command.split()],
            cwd=ROOT, env=os.environ | variables, stdout=log, stderr=log,
        )  # fmt: skip
    return process, output


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="gunicorn does not run on Windows")
def test_gunicorn_and_the_worker_start_and_stop(console, tmp_path):
    pytest.importorskip("gunicorn")
    port = free_port()
    here = replace(HERE, port=port, instance=str(console.instance), folder=str(tmp_path))
    written(tmp_path, "gunicorn", here)
    server, said = started(tmp_path, "quire-gunicorn.service")
    worker, words = started(tmp_path, "quire-worker.service")
    try:
        (tmp_path / "output").touch()
        wait_for_port(port, server, tmp_path / "output")
        assert ask(http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)).status == 200
        wait_until(lambda: "worker is ready" in words.read_text(encoding="utf-8"))
    finally:
        server.terminate()
        worker.terminate()
        assert (server.wait(40), worker.wait(40)) == (0, 0)
    assert "ERROR" not in said.read_text(encoding="utf-8")
