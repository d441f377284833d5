"""Every setting of Quire: name, type, default and description."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from quire.config.pool_settings import PoolSettings, seconds, setting
from quire.config.types import (
    Address,
    BrokerUrl,
    DatabaseUrl,
    Duration,
    HostNames,
    Origins,
    Passphrase,
    Proxy,
    Rate,
    RedisUrl,
    Sender,
    SiteAddress,
    Token,
)

SOURCE_TREE = Path(__file__).resolve().parents[3]
ROOT = SOURCE_TREE if (SOURCE_TREE / "serve.py").exists() else Path.cwd()


Environment = Literal["development", "testing", "production"]


def default_environment() -> Environment:
    """Return the environment if none is set: production, unless Flask runs in debug mode."""
    debug = os.environ.get("FLASK_DEBUG", "").lower() not in {"", "0", "false", "no"}
    return "development" if debug else "production"


class Settings(PoolSettings):
    """All settings that an operator can change, read from the environment or from `.env`."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    QUIRE_ENV: Environment = Field(
        default_factory=default_environment,
        description="The environment; `flask run --debug` sets it to development.",
    )
    QUIRE_INSTANCE: Path = setting(
        ROOT / "instance", "Folder for the database, secrets and uploads."
    )
    SECRET_KEY: str = setting(
        "",
        "Signs sessions and tokens. If empty, it is generated on the first run and stored in the "
        "instance folder.",
        repr=False,
    )
    DATABASE_URL: DatabaseUrl = setting(
        "",
        "Database URL. If empty, SQLite in the instance folder is used. "
        "PostgreSQL: `postgresql://user:password@host/name`.",
        repr=False,
    )
    REDIS_URL: RedisUrl = setting(
        "", "Redis URL for rate limits. If empty, they are counted in memory.", repr=False
    )
    CELERY_BROKER_URL: BrokerUrl = setting(
        "", "Celery broker for jobs. If empty, jobs run inside the server.", repr=False
    )
    JOB_THREADS: int = setting(
        1,
        "Concurrent jobs per server process. With 0, only `manage.py worker` runs jobs.",
        ge=0,
        le=16,
    )
    PUBLIC_URL: SiteAddress = setting(
        "",
        "Public address of the site, such as `https://example.org`, without a path. Required if other "
        "machines can connect. With https, cookies are sent over https only.",
    )
    TRUSTED_HOSTS: HostNames = setting(
        [],
        "Allowed host names of requests, separated by commas; `.example.org` includes all subdomains. "
        "Others are rejected (400). Required if other machines can connect. If empty, `localhost`, "
        "the loopback addresses and the host of `PUBLIC_URL` are allowed.",
    )
    TRUSTED_PROXY: Proxy = setting(
        "", "Address of the proxy whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted."
    )
    CORS_ORIGINS: Origins = setting(
        [],
        "Origins whose scripts may use the API with tokens and API keys, separated by commas, such "
        "as `https://app.example.org`.",
    )
    COMPAT_JSON_SERVER: bool = setting(
        False,
        "Whether clients of json-server, such as react-admin with `ra-data-json-server`, may use the "
        "API at `/api/compat/json-server`.",
    )
    COMPAT_GHOST: bool = setting(
        False,
        "Whether clients of the Ghost Content API, such as `@tryghost/content-api`, may read public "
        "content at `/ghost/api/content` by a key with the scope `content:read`.",
    )
    THREADS: int = setting(4, "Concurrent requests per server process.", ge=1, le=64)
    ONE_PROCESSOR: bool = setting(
        True,
        "Whether the threads of each server process share one CPU core (Linux), so that they spend "
        "less time waiting for each other.",
    )
    MAX_CONTENT_LENGTH: int = setting(
        1024 * 1024, "Maximum request body size in bytes, except for uploads.", ge=16 * 1024
    )
    RESPONSE_BYTES: int = setting(
        8 * 1024 * 1024,
        "Maximum API response size in bytes; requests for more are rejected (400).",
        ge=1024 * 1024,
    )
    RESPONSE_CACHE_BYTES: int = setting(
        8 * 1024 * 1024,
        "Memory of each server process in bytes for finished responses to anonymous requests; 0 for none.",
        ge=0,
    )
    REQUEST_STATEMENT_SECONDS: float = setting(
        10,
        "Maximum time in seconds that a request may take in the database, over all its statements; "
        "it is then stopped (503). Jobs and commands have no such limit.",
        gt=0,
        le=30,
    )
    MAX_UPLOAD_BYTES: int = setting(
        16 * 1024 * 1024, "Maximum size of an uploaded file in bytes.", ge=64 * 1024, le=2**31 - 1
    )
    UPLOAD_QUOTA_BYTES: int = setting(
        5 * 1024**3, "Maximum total size of the files of one user in bytes; 0 for no limit.", ge=0
    )
    S3_BUCKET: str = setting(
        "",
        "Bucket for uploads, on S3 or compatible storage, used for nothing else. If empty, uploads "
        "are stored in the instance folder.",
    )
    S3_ENDPOINT: Address = setting(
        "", "Endpoint URL of the storage, such as `https://s3.example.org`. If empty, AWS is used."
    )
    S3_REGION: str = setting("", "Region of the bucket. If empty, `us-east-1` is used.")
    S3_ACCESS_KEY: str = setting(
        "",
        "Access key ID. If empty, the `AWS_` variables or the instance role are used.",
        repr=False,
    )
    S3_SECRET_KEY: str = setting("", "Secret access key.", repr=False)
    REQUIRE_IF_MATCH: bool = setting(
        False, "Whether changes without `If-Match` or `version` are rejected (428)."
    )
    REQUIRE_EMAIL_VERIFICATION: bool = setting(
        False, "Whether new members must verify their email address before they can sign in."
    )
    REQUIRE_ADMIN_TWO_FACTOR: bool = setting(
        False,
        "Whether administrators must set up two-factor authentication or a passkey. Until then, they "
        "have the permissions of members.",
    )
    RATELIMIT_ENABLED: bool = setting(
        True, "Whether too many attempts or requests are delayed or rejected (429)."
    )
    RATELIMIT_API: Rate = setting(
        "",
        "API rate limit for each account, and for each network of anonymous clients, such as "
        "`600/minute`. If empty, there is no limit.",
    )
    PASSWORD_MIN_LENGTH: int = setting(8, "Minimum password length in characters.", ge=8, le=128)
    PASSWORD_REFUSE_COMMON: bool = setting(True, "Whether common passwords are rejected.")
    BCRYPT_LOG_ROUNDS: int = setting(
        12,
        "Cost of password hashes; each additional round doubles the time. Existing hashes are updated "
        "at the next sign-in.",
        ge=4,
        le=16,
    )
    PASSWORD_HASHES_AT_ONCE: int = setting(
        2, "Passwords that each server process hashes concurrently.", ge=1, le=64
    )
    SESSION_IDLE_SECONDS: int = seconds(
        12 * 3600, "Seconds without activity after which a browser is signed out.", ge=300
    )
    SESSION_SECONDS: int = seconds(
        7 * 86400, "Seconds after which a browser is signed out even if it is active.", ge=300
    )
    REMEMBER_SECONDS: int = seconds(
        30 * 86400, "Seconds after which a browser with “Keep me signed in” is signed out.", ge=3600
    )
    JWT_CACHE_SECONDS: int = setting(
        0,
        "Seconds for which the account of an access token is cached. During this time, other "
        "processes may still accept tokens of an account that was deactivated.",
        ge=0,
        le=5,
    )
    JWT_ACCESS_TOKEN_EXPIRES: int = setting(
        15 * 60, "Lifetime of access tokens in seconds.", ge=60, le=3600
    )
    JWT_REFRESH_TOKEN_EXPIRES: int = seconds(
        14 * 86400, "Lifetime of refresh tokens in seconds.", ge=3600
    )
    RESET_LINK_SECONDS: int = setting(
        3600, "Lifetime of password reset links in seconds.", ge=300, le=86400
    )
    VERIFY_LINK_SECONDS: int = seconds(
        3 * 86400, "Lifetime of email verification links in seconds.", ge=3600
    )
    INVITE_LINK_SECONDS: int = seconds(7 * 86400, "Lifetime of invitations in seconds.", ge=3600)
    PREVIEW_LINK_SECONDS: int = setting(
        86400, "Lifetime of preview links in seconds.", ge=300, le=2592000
    )
    CHANGES_DAYS: int = setting(
        30, "Days for which clients can ask what has changed.", ge=1, le=3650
    )
    CHANGES_WAITING: int = setting(
        200,
        "Requests for changes that can wait in each server process; others get a response immediately.",
        ge=0,
        le=10_000,
    )
    WEBHOOK_PRIVATE_NETWORKS: bool = setting(
        False,
        "Whether webhooks may send to loopback and private addresses. Administrators can then reach "
        "every service inside your network. Link-local and cloud metadata addresses are always refused.",
    )
    TRASH_DAYS: int = setting(30, "Days after which the trash is emptied.", ge=1, le=3650)
    REVISION_DAYS: int = setting(30, "Days for which all revisions are stored.", ge=1, le=3650)
    REVISION_DAILY_DAYS: int = setting(
        365, "Days for which the last revision of each day is stored.", ge=1, le=36500
    )
    AUDIT_DAYS: int = setting(730, "Days for which the audit log is stored.", ge=1, le=36500)
    DEVICE_DAYS: int = setting(730, "Days after which a device counts as new.", ge=1, le=36500)
    IMPORT_MEMORY_DAYS: int = setting(
        365, "Days for which imports do not bring back what was deleted here.", ge=1, le=36500
    )
    BACKUP_EVERY: Duration = setting(
        0,
        "How often a worker makes a backup: hours, or a duration such as `30m`, `12h` or `7d`; 0 for never.",
    )
    BACKUP_PASSPHRASE: Passphrase = setting(
        "",
        "Encrypts backups that are made on schedule, before an upgrade, or with `--encrypt`; at least 12 "
        "characters. Keep a copy elsewhere: backups cannot be read without it.",
        repr=False,
    )
    BACKUP_KEEP: int = setting(
        7,
        "Backups kept in `backups/` of the instance folder; older ones are deleted.",
        ge=1,
        le=10_000,
    )
    LOG_FORMAT: Literal["text", "json"] = setting(
        "text", "Format of the log: text for people, or one JSON object per line for programs."
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "INFO", "The lowest level that is logged."
    )
    LOG_ACTIVITY: Literal["json", "always", "never"] = setting(
        "json",
        "Whether each request and each job is logged: only if `LOG_FORMAT=json`, always, never.",
    )
    LOG_FILE: str = setting(
        "",
        "File for the log, in the instance folder unless it is an absolute path; further processes write "
        "to `quire.2.log` and so on. If empty, the log goes to standard error.",
    )
    LOG_FILE_BYTES: int = setting(
        10 * 1024**2, "Size in bytes at which a log file is rotated; 0 for never.", ge=0
    )
    LOG_FILE_KEEP: int = setting(5, "Rotated log files that are kept.", ge=1, le=1000)
    SLOW_SQL_MS: int = setting(
        1000,
        "Milliseconds from which an SQL statement is logged, without its values; 0 for never.",
        ge=0,
    )
    METRICS_TOKEN: Token = setting(
        "",
        "Bearer token that `/metrics` requires, of at least 16 characters. If empty, only programs on the "
        "same machine can read the metrics.",
        repr=False,
    )
    MAIL_SERVER: str = setting(
        "", "SMTP server. If empty, emails are written to `outbox/` in the instance folder."
    )
    MAIL_PORT: int = setting(25, "Port of the SMTP server.", ge=1, le=65535)
    MAIL_USE_TLS: bool = setting(False, "Whether to use STARTTLS.")
    MAIL_USE_SSL: bool = setting(False, "Whether to use implicit TLS (SMTPS).")
    MAIL_USERNAME: str = setting("", "User name for the SMTP server.")
    MAIL_PASSWORD: str = setting("", "Password for the SMTP server.", repr=False)
    MAIL_DEFAULT_SENDER: Sender = setting("", "Sender address of emails.")
    MAIL_TIMEOUT: int = setting(15, "Timeout for the SMTP server in seconds.", ge=1, le=60)
