"""Encrypted backups use the age v1 format, which detects changes and truncation."""

import io
import json
import zipfile
from base64 import b64decode

import click
import pytest

from quire.backup.age import CHUNK, EncryptedReader, EncryptedWriter, WrongPassphrase
from quire.records import TAGS
from quire.store.files.checked_zip import ArchiveRefused
from tests.backup.conftest import column, opened, tree
from tests.cli.conftest import settle

PHRASE = "correct horse battery"
# by pyrage, the bindings of rage, another implementation: "hello from age", with the phrase above
OF_AGE = b64decode(
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBJRFdJRHExUERTVnJxN0lzWmtXcXd3IDE4CjZkN2VKZ0hq"
    "dURPRE9oYlJvSmd2b05wQ1lVQzBrQ1RzVlZFOEdjS21RYU0KLS0tIDlVbHlBNjgwUmErdzdGbnplL2lQUm5RUU0z"
    "N2RsaDZWM2Q2QVhmQkFGZ28K7eM42PlFDOYm06pLzt8PETIvS07/L100btug3P9sHIvFHxOzsZM4AvmxkUPjIA=="
)


def encrypted(content):
    out = io.BytesIO()
    with EncryptedWriter(out, PHRASE) as writer:
        for start in range(0, len(content), 1000):
            writer.write(content[start : start + 1000])
    return out.getvalue()


def decrypted(data, phrase=PHRASE):
    return io.BufferedReader(EncryptedReader(io.BytesIO(data), phrase)).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_decryption_returns_the_encrypted_content(size):
    content = bytes(index % 251 for index in range(size))
    assert decrypted(encrypted(content)) == content


def test_encrypted_file_can_be_read_from_any_position():
    content = bytes(index % 251 for index in range(200_000))
    reader = io.BufferedReader(EncryptedReader(io.BytesIO(encrypted(content)), PHRASE))
    for start in (150_000, 0, CHUNK - 3, 199_990):
        reader.seek(start)
        assert reader.read(20) == content[start : start + 20]


@pytest.mark.slow  # the key of such a file takes 256 MB
def test_files_written_by_age_can_be_read():
    assert decrypted(OF_AGE) == b"hello from age"


def test_wrong_passphrase_is_refused():
    with pytest.raises(WrongPassphrase):
        decrypted(encrypted(b"secret"), "another passphrase")


def test_changed_or_truncated_files_are_refused():
    data = encrypted(bytes(2 * CHUNK + 100))
    end = len(data)
    chunk = CHUNK + 16
    begin = end - (2 * CHUNK + 100 + 3 * 16)
    spoilt = {
        "cut": data[:-1],
        "cut at a chunk": data[: begin + 2 * chunk],
        "chunks exchanged": data[:begin] + data[begin + chunk : begin + 2 * chunk] + data[begin : begin + chunk] + data[begin + 2 * chunk :],
        "a byte of the content": data[: begin + 5] + bytes([data[begin + 5] ^ 1]) + data[begin + 6 :],
        "the cost of the key": data.replace(b" 8\n", b" 9\n", 1),
        "too high a cost": data.replace(b" 8\n", b" 30\n", 1),
        "a byte of the header": data[:140] + bytes([data[140] ^ 1]) + data[141:],
        "more at the end": data + b"x",
    }  # fmt: skip
    for what, changed in spoilt.items():
        with pytest.raises(ArchiveRefused):
            decrypted(changed)
            pytest.fail(what)


def test_encrypted_backup_contains_the_secret_key(filled, console, monkeypatch, tmp_path):
    monkeypatch.setenv("BACKUP_PASSPHRASE", PHRASE)
    file = tmp_path / "backup.zip.age"
    assert console("backup", file, "--encrypt")[0] == 0
    assert b"PK\x03\x04" not in file.read_bytes()[:300]
    assert console("backup", "--verify", file)[0] == 0
    settle(monkeypatch, tmp_path / "elsewhere")
    before = tree(tmp_path)
    status, output, errors = console(
        "restore", file, "--yes", "--passphrase-stdin", given="wrong words all\n"
    )
    assert (status, output) == (1, "")
    assert errors == f"Error: {file} is encrypted with another passphrase.\n"
    assert {name for name in tree(tmp_path) if "secret_key" not in name} == {
        name for name in before if "secret_key" not in name
    }
    status, _, errors = console("restore", file, "--yes", "--passphrase-stdin", given=f"{PHRASE}\n")
    assert (status, errors) == (0, "")
    keys = [(folder / "secret_key").read_text() for folder in (filled, tmp_path / "elsewhere")]
    assert keys[0] == keys[1]
    with opened():
        assert column(TAGS.table, "name") == ["before"]


def test_cancelled_passphrase_prompt_aborts_without_an_error(
    filled, console, monkeypatch, tmp_path
):
    def no_answer(*_, **__):
        raise click.Abort

    file = tmp_path / "backup.zip.age"
    given = f"{PHRASE}\n"
    assert console("backup", file, "--encrypt", "--passphrase-stdin", given=given)[0] == 0
    monkeypatch.setattr(click, "prompt", no_answer)
    for command in (("backup", "--verify", file), ("restore", file, "--yes")):
        status, output, errors = console(*command)
        assert (status, output, errors.strip()) == (1, "", "Aborted!")


def test_unencrypted_backup_has_no_secret_key(archive, console, monkeypatch, tmp_path):
    with zipfile.ZipFile(archive) as zip:
        assert "secret_key" not in zip.namelist()
        assert "key" in json.loads(zip.read("manifest.json"))
    settle(monkeypatch, tmp_path / "elsewhere")
    status, _, errors = console("restore", archive, "--yes")
    assert status == 0
    assert errors.startswith("Warning: the backup is of an installation with another secret key.")


def test_short_passphrase_is_refused(filled, console, monkeypatch):
    assert console("backup", "--encrypt", "--passphrase-stdin", given="short\n") == (
        1, "", "Error: The passphrase needs at least 12 characters.\n",
    )  # fmt: skip
    monkeypatch.setenv("BACKUP_PASSPHRASE", "short")
    status, _, errors = console("backup")
    assert (status, errors) == (1, "Error: BACKUP_PASSPHRASE: must have at least 12 characters.\n")
