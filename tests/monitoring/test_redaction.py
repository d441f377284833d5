"""Text that looks like a secret is removed from log lines; all other text stays."""

import pytest

from quire.monitoring.redaction import loggable_path, redact

SECRET = "S3cr3tS3cr3tS3cr3t"
TEXTS = [
    "Exception on /auth/reset/{} [GET]",
    "'/auth/verify/{}'",
    "/auth/setup/{} and more",
    "/AUTH/unsubscribe/{}",
    "http://x.org/preview/{}",
    "/admin/imports/{}/run",
    "Authorization: Bearer {}",
    "authorization: basic {}==",
    "'HTTP_AUTHORIZATION': 'Bearer {}'",
    "Cookie: quire={}; theme=dark",
    "Set-Cookie: quire={}; HttpOnly",
    "'HTTP_COOKIE': 'quire={}'",
    "X-API-Key: {}",
    "'HTTP_X_API_KEY': '{}'",
    "X-CSRFToken: {}",
    "a key qk_{} of somebody",
    "eyJhbGciOi.eyJzdWIi{}.c2ln",
    "postgresql://quire:{}@db.example/x",
    "redis://:{}@127.0.0.1/0",
    "/?token={}&page=2",
    "/x?a=1&api_key={}",
    "?reset_token={}",
    '{{"password": "{} with spaces"}}',
    "{{'refresh_token': '{}'}}",
    "password='{}'",
    "client_secret = \"{}\"",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_is_taken_out(text):
    assert SECRET not in redact(text.format(SECRET))


@pytest.mark.parametrize(
    "text",
    [
        "Job 5 (mail.reset) failed, next try in 10 s: the token has expired",
        "GET /posts/authors-and-keys 200",
        "File \"/srv/quire/auth/tokens.py\", line 3, in new_secret",
        "    token = request.args.get(name)",
        "The password is too short.",
        "Broker at amqp://guest@127.0.0.1 does not answer",
        "http://127.0.0.1:8000/auth/login",
    ],
)  # fmt: skip
def test_stays(text):
    assert redact(text) == text


def test_known_secrets_are_taken_out_wherever_they_stand():
    assert redact("prefix-plain-suffix plain", ["plain"]) == "prefix-***-suffix ***"


@pytest.mark.parametrize(
    ("path", "query", "shown"),
    [
        ("/posts/a", "", "/posts/a"),
        ("/", "page=2&sort=-title&fields=id", "/?page=2&sort=-title&fields=id"),
        ("/search", "q=private+words&page=1", "/search?q=***&page=1"),
        ("/", "token=abc&TOKEN=abc&page=2", "/?token=***&TOKEN=***&page=2"),
        ("/", "S3cr3t", "/?***"),
        ("/", f"page={SECRET * 3}", "/?page=***"),
        ("/auth/reset/abc/", "", "/auth/reset/***/"),
        ("/auth/reset", "", "/auth/reset"),
    ],
)
def test_paths(path, query, shown):
    assert loggable_path(path, query) == shown
