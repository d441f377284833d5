"""The examples of docs/api.md are run and get the responses on the page."""

import json
import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def examples():
    """The command, status, headers and body of each example."""
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, status, *rest = example.strip().splitlines()
            body = json.loads(rest.pop()) if rest and rest[-1].startswith("{") else None
            yield command, int(status.split()[1]), dict(one.split(": ", 1) for one in rest), body


def run(client, command, token):
    """Send the request of a curl command through `client`."""
    words = shlex.split(command.replace("$TOKEN", token).replace("$API", "/api/v1"))[1:]
    method, headers, data, address = "GET", {}, None, None
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            headers.update([words.pop(0).split(": ", 1)])
        elif word == "-d":
            data = words.pop(0)
        else:
            address = word
    return client.open(address, method=method, headers=headers, data=data)


def held(said, real):
    """Return whether the response contains all that the page says; `eyJ...` matches any text that starts so."""
    if isinstance(said, dict):
        return all(held(value, real[name]) for name, value in said.items())
    if isinstance(said, list):
        return len(said) == len(real) and all(map(held, said, real))
    if isinstance(said, str) and said.endswith("..."):
        return str(real).startswith(said.removesuffix("..."))
    return said == real


def test_every_example_runs(client, people):
    token = ""
    for command, status, headers, body in examples():
        answer = run(client, command, token)
        assert answer.status_code == status, (command, answer.text)
        assert headers.items() <= dict(answer.headers).items(), command
        assert body is None or held(body, answer.json), (command, answer.text)
        token = (answer.json or {}).get("access_token", token) if answer.data else token
