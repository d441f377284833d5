"""Types of settings: how the text of an environment variable is parsed and validated."""

import re
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

PORTS = {"http": 80, "https": 443}
"""Default ports, which browsers omit from an origin."""
SHORTEST_PASSPHRASE = 12
"""The minimum length of a passphrase: with the file, anyone can try to guess it."""
UNITS = {"": 3600, "m": 60, "h": 3600, "d": 86_400}
"""Seconds in each unit; a bare number means hours."""
SHORTEST_PERIOD, LONGEST_PERIOD = 600, 366 * 86_400
_HOST = r"([^:/@]*(:[^@]*)?@)?(\[[^/?\s]+\]|[^:/?\s]*)(:\d{1,5})?"
"""A host with optional user and password, which may contain unescaped symbols and spaces, and port."""
POSTGRESQL = rf"postgres(ql)?(\+psycopg)?://{_HOST}([/?].*)?"
SITE_ADDRESS_FORM = "must look like https://example.org"


def _split(value: Any) -> Any:
    return re.findall(r"[^,\s]+", value) if isinstance(value, str) else value


def _web_address(value: str) -> str:
    if value and not re.match(r"https?://[^/\s?#]+(/[^\s?#]*)?$", value):
        raise ValueError("must look like https://example.org")
    return value.rstrip("/")


def _site_address(value: str) -> str:
    """Return scheme, host and port of `value` in the form in which browsers write an origin (RFC 6454 section 6.1)."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(SITE_ADDRESS_FORM) from None
    if parts.scheme not in PORTS or not parts.hostname or "\\" in value:
        raise ValueError(SITE_ADDRESS_FORM)
    _require_origin_only(parts)
    name = parts.hostname
    name = f"[{name}]" if ":" in name else _host_name(name)
    return f"{parts.scheme}://{name}" + (
        f":{port}" if port not in (None, PORTS[parts.scheme]) else ""
    )


def _require_origin_only(parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise ValueError(f"{SITE_ADDRESS_FORM}, without a user name or password")
    if parts.path.strip("/"):
        raise ValueError(
            f"{SITE_ADDRESS_FORM}; Quire cannot be served below a path such as {parts.path}: "
            "use a separate host name or port"
        )
    if parts.query or parts.fragment:
        raise ValueError(f"{SITE_ADDRESS_FORM}, without a query or fragment")


def _host_name(value: str) -> str:
    """Return a host name as requests have it: lower case, IDNA; a leading dot stays."""
    dot, bare = ("." if value.startswith(".") else ""), value.removeprefix(".").removesuffix(".")
    try:
        name = bare.encode("idna").decode("ascii").lower()
    except UnicodeError:
        name = ""
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name):
        raise ValueError(
            f"must be a host name such as blog.example.org, without scheme or port, not {value}"
        )
    return dot + name


def _trusted_host(value: str) -> str:
    if "*" in value:
        host = value.removeprefix("*") if value.startswith("*.") else ".example.org"
        raise ValueError(
            "must be host names such as blog.example.org, "
            f"or {host} for a domain and its subdomains, not {value}"
        )
    return value.lower() if re.fullmatch(r"\[[0-9a-fA-F:.]+\]", value) else _host_name(value)


def _trusted_hosts(value: list[str]) -> list[str]:
    return [_trusted_host(one) for one in value]


def _proxy(value: str) -> str:
    try:
        return value and str(ip_address(value))
    except ValueError:
        raise ValueError(
            f"must be the IP address of the proxy, such as 127.0.0.1, not {value}"
        ) from None


def _exact_origins(value: list[str]) -> list[str]:
    # as browsers send it: lower case, no path; no wildcards
    for one in value:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s/?#@*A-Z]+", one):
            raise ValueError(f"must be exact origins such as https://app.example.org, not {one}")
    return value


def _url(pattern: str, form: str) -> AfterValidator:
    """Return a validator of URLs whose errors do not quote them, since they contain passwords."""

    def check(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise ValueError(f"must look like {form}")
        return value

    return AfterValidator(check)


def _rate(value: str) -> str:
    if value and not re.fullmatch(r"[1-9]\d{0,8}/(second|minute|hour|day)", value):
        raise ValueError("must look like 600/minute")
    return value


def _token(value: str) -> str:
    if value and not re.fullmatch(r"[\x21-\x7e]{16,}", value):
        raise ValueError("must be at least 16 characters without spaces, from a random generator")
    return value


def _passphrase(value: str) -> str:
    if value and len(value) < SHORTEST_PASSPHRASE:
        raise ValueError(f"must have at least {SHORTEST_PASSPHRASE} characters")
    return value


def _sender(value: str) -> str:
    """Return `value`, an address or a name with one, if every mail server accepts it as the sender."""
    if value and (re.search(r"[\r\n]", value) or not _is_deliverable(parseaddr(value)[1])):
        raise ValueError(
            "must be an email address such as quire@example.org or Quire <quire@example.org>; "
            "letters such as ä or é can stand only after the @"
        )
    return value


def _is_deliverable(address: str) -> bool:
    if address.isascii():  # any host name, such as localhost
        return bool(re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]+", address))
    try:
        validate_email(
            address, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False
        )
    except EmailNotValidError:
        return False
    return True


def _duration(value: Any) -> Any:
    """Return the seconds of a number of hours, or of a number with a unit."""
    match = re.fullmatch(r"(\d{1,6})([mhd]?)", str(value).strip())
    seconds = int(match[1]) * UNITS[match[2]] if match else -1
    if seconds and not SHORTEST_PERIOD <= seconds <= LONGEST_PERIOD:
        raise ValueError("must be hours or a duration such as 30m, 12h or 7d, at least 10m, or 0")
    return seconds


Words = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""Words, separated by commas or spaces."""
Origins = Annotated[Words, AfterValidator(_exact_origins)]
"""Origins of web pages."""
HostNames = Annotated[Words, AfterValidator(_trusted_hosts)]
"""Host names; a leading dot includes all subdomains."""
Proxy = Annotated[str, AfterValidator(_proxy)]
"""The IP address of a proxy; empty for none."""
SiteAddress = Annotated[str, BeforeValidator(_site_address)]
"""The address of a site: scheme and host, with the port if it is not the default."""
Address = Annotated[str, BeforeValidator(_web_address)]
"""The URL of a site, without a trailing slash."""
Rate = Annotated[str, AfterValidator(_rate)]
"""A number per second, minute, hour or day."""
Token = Annotated[str, AfterValidator(_token)]
"""A secret that another program sends."""
Sender = Annotated[str, AfterValidator(_sender)]
"""The sender of emails, alone or as `Name <address>`; empty for none."""
Duration = Annotated[int, BeforeValidator(_duration)]
"""A duration in seconds, written in hours or with a unit."""
Passphrase = Annotated[str, AfterValidator(_passphrase)]
"""The passphrase of a file; empty for none."""
DatabaseUrl = Annotated[
    str,
    _url(
        rf"{POSTGRESQL}|sqlite(\+pysqlite)?://(/.*)?",
        "postgresql://user:password@host/name or sqlite:///quire.db",
    ),
]
"""The URL of the database; empty for the default."""
RedisUrl = Annotated[
    str, _url(rf"rediss?://{_HOST}([/?].*)?|redis\+unix://\S+", "redis://:password@host:6379/0")
]
"""The URL of Redis; empty for none."""
BrokerUrl = Annotated[str, _url(r"[a-z][a-z+]*://.*", "redis://host:6379/1 or amqp://user@host//")]
"""The URL of Celery's broker; empty for none."""
