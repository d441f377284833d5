"""Kinds of values: what they accept, and that their JSON schema agrees."""

from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from quire.declare.column_types import decimal, number, text
from quire.declare.sql_types import DecimalNumber
from quire.declare.value_kinds import DAY, FLAG, MARKDOWN, TIME, whole_number
from quire.declare.value_kinds_addresses import EMAIL, URL, URLS
from quire.records import POSTS, REDIRECTS, TAGS, USERS

PRICE = decimal(digits=6, places=2).column.info["kind"]
FEE = decimal(digits=6, places=2, minimum=0, maximum=100).column.info["kind"]
STEPS = decimal(digits=5, places=0).column.info["kind"]
CODE = text(8, pattern="[A-Z]{2}-[0-9]+|X", example="AB-12").column.info["kind"]
PLACES = number(minimum=1, maximum=9).column.info["kind"]
KINDS = {
    "title": POSTS.field("title").kind, "slug": POSTS.field("slug").kind, "excerpt": POSTS.field("excerpt").kind,
    "username": USERS.field("username").kind, "name": TAGS.field("name").kind, "path": REDIRECTS.field("path").kind,
    "target": REDIRECTS.field("target").kind, "email": EMAIL, "url": URL, "urls": URLS, "flag": FLAG, "time": TIME,
    "day": DAY, "price": PRICE, "places": PLACES, "fee": FEE, "steps": STEPS, "code": CODE, "whole": whole_number("whole"), "markdown": MARKDOWN,
}  # fmt: skip
GOOD = {
    "title": ["x", " x ", "x" * 200, "ä 🌊"], "slug": ["a", "a-b.c_d", "größe", "日本語", "नमस्ते", " a "],
    "excerpt": ["", "x" * 1000], "username": ["ann", "a.b-c_d", "x" * 20], "name": ["C++", "x" * 100],
    "path": ["/", "/a/b.html", "/ü"], "target": ["/", "/a?b#c", "https://example.org/a"],
    "email": ["a@b", "Ann.O'Hara+x@example.org", " a@b.de "], "flag": [True, False],
    "url": ["https://example.org", "HTTP://x:80/?a#b", "http://[::1]/", "https://ü.example/ä"],
    "urls": [[], ["https://a.example"]], "time": ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00.123+02:00"],
    "day": ["2026-01-31", "0001-01-01"], "price": ["1", "-1.5", "9999.99"], "places": [1, 9], "fee": ["0", "100.00"],
    "steps": ["0", "-99999"],
    "code": ["AB-1", " X "],
    "whole": [0, -(2**63) + 1, 2**63 - 1], "markdown": ["x", " ", "x" * 262_144],
}  # fmt: skip
BAD = {
    "title": ["", "  ", "\n\t", "x" * 201, 5, None, ["x"]], "slug": ["", "-a", ".a", "a b", "a/b", "a?b", "a\x00", "x" * 201],
    "excerpt": ["x" * 1001, None], "username": ["ab", "x" * 21, "a b c", "änn", "ann!"], "name": ["", "x" * 101],
    "path": ["a", "", "/a b", "/a?b", "/a#b", "/a\n/b"], "target": ["//evil", "/\\evil", "javascript:x", "a", "https://", "/ x"],
    "email": ["", "a", "a@", "@b", "a b@c", "a@b..c", "a@-b", "x" * 65 + "@b"], "flag": [1, "true", None],
    "url": ["", "ftp://x", "http://", "javascript:alert(1)", "http://a b", "http://u@x", "//x", 'http://x"onmouseover=1', "http://<b>", "http://a/\"x"], "urls": ["x", [5], ["x"], None],
    "time": [5, "", "2026-01-31", "2026-01-31 12:00:00", "2026-02-30T00:00:00Z", "20260131T120000Z", "soon", "2026-01-31T25:00:00Z"],
    "day": ["2026-02-30", "2026-1-1", "20260131", "2026-W01-1", 5], "price": ["", "1.555", "12345", "NaN", "1e3", "1,5", 1.5, 1, " 1", "+1"],
    "steps": ["1.5", "100000", "", "x"],
    "fee": ["-0.01", "100.01", "0.001", 5], "code": ["", "ab-1", "AB-1\n2", "XX", "AB-", "AB-1234567"],
    "places": [0, 10, "5", 1.5, True], "whole": ["5", 1.5, True, None, 2**63], "markdown": ["", 5, None],
}  # fmt: skip


def taken(kind, value):
    try:
        TypeAdapter(kind.accepts).validate_python(value)
    except ValidationError:
        return False
    return True


def fits(kind, value):
    schema = TypeAdapter(kind.accepts).json_schema()
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(schema, format_checker=checker).is_valid(value)


@pytest.mark.parametrize("name", KINDS)
def test_kind_and_its_schema_accept_good_values(name):
    for value in GOOD[name]:
        assert taken(KINDS[name], value), value
        assert fits(KINDS[name], value), value


@pytest.mark.parametrize("name", KINDS)
def test_kind_refuses_bad_values(name):
    for value in BAD[name]:
        assert not taken(KINDS[name], value), value


@pytest.mark.parametrize("name", sorted(KINDS.keys() - {"time", "price", "fee"}))
def test_schema_refuses_bad_values(name):
    for value in BAD[name]:
        assert not fits(KINDS[name], value), value


def test_decimal_without_places_is_parsed_in_filters():
    assert STEPS.from_text("-120") == Decimal(-120)
    with pytest.raises(ValueError, match="5 digits and 0 decimal places"):
        STEPS.from_text("1.5")


def test_decimal_needs_a_digit_before_the_point():
    with pytest.raises(ValueError, match="3 digits cannot have 3 decimal places"):
        decimal(digits=3, places=3)


def test_spaces_are_trimmed_and_emails_lowercased():
    assert TypeAdapter(KINDS["title"].accepts).validate_python(" a b \n") == "a b"
    assert TypeAdapter(EMAIL.accepts).validate_python(" Ann@Example.ORG ") == "ann@example.org"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e9", "1.001", "", " 1", "٣"])
def test_invalid_decimals_in_filters_are_refused(text):
    with pytest.raises(ValueError):
        PRICE.from_text(text)


def test_decimals_are_shown_with_all_places():
    assert PRICE.value_out(PRICE.from_text("1.5")) == "1.50"
    stored = DecimalNumber(6, 2)
    dialect = type("Dialect", (), {"name": "sqlite"})
    assert stored.process_bind_param(Decimal("12.5"), dialect) == 1250
    assert stored.process_result_value(1250, dialect) == Decimal("12.50")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("2026-01-31", "2026-01-31T00:00:00Z"), ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
     ("2026-01-31T12:00:00 02:00", "2026-01-31T10:00:00Z"), ("2026-01-31T12:00:00.9Z", "2026-01-31T12:00:00Z")],
)  # fmt: skip
def test_times_in_filters_are_converted_to_utc(text, shown):
    assert TIME.value_out(TIME.from_text(text)) == shown


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-31T12:00:60Z"]
)
def test_times_out_of_range_are_refused(text):
    with pytest.raises(ValueError):
        TIME.from_text(text)


def test_schema_contains_the_bounds_of_decimals():
    schema = TypeAdapter(FEE.accepts).json_schema()
    assert (schema["x-minimum"], schema["x-maximum"]) == ("0", "100")
    assert schema["pattern"] == "^[0-9]{1,4}(\\.[0-9]{1,2})?$"
