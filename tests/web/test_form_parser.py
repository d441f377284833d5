"""URL-encoded forms: the same fields as by the standard library, in bounded memory."""

import tracemalloc
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quire.errors import BadRequest, TooLarge
from quire.web.form_parser import URL_ENCODED, decode_fields

PIECES = ["%41", "%C3%A9", "%C3", "%FF", "%26", "%3D", "%25", "%0A", "%2b", "é", "a", "=", "&", "+", "\n", "_"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_fields_are_those_of_the_standard_library(text):
    expected = parse_qsl(text, keep_blank_values=True, errors="replace")
    assert decode_fields(text.encode(), None) == expected


@pytest.mark.parametrize("text", ["a=100%", "a=%4", "a=%zz", "%=1", "a=%%41"])
def test_incomplete_escapes_are_refused(text):
    with pytest.raises(BadRequest, match="Write it as %25"):
        decode_fields(text.encode(), None)


@pytest.mark.parametrize("unit", ["%41", "%C3%A9", "%FF", "%41a", "+", "=", "a"])
def test_large_form_takes_at_most_ten_times_its_size(unit):
    body = b"a=" + unit.encode() * (300_000 // len(unit))
    tracemalloc.start()
    try:
        decode_fields(body, 1000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(body)


def test_number_of_fields_is_limited():
    assert len(decode_fields(b"&".join([b"a=b"] * 1000), 1000)) == 1000
    with pytest.raises(TooLarge, match="at most 1,000 fields"):
        decode_fields(b"&" * 1000, 1000)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [("&" * 1000, 413, "at most 1,000 fields"), ("email=100%", 400, "Write it as %25")],
)
def test_error_page_says_what_is_wrong_with_a_form(app, body, status, words):
    response = app.test_client().post("/auth/login", data=body, content_type=URL_ENCODED)
    assert response.status_code == status
    assert words in response.text
