"""Declared deprecations are announced in headers and in text."""

from datetime import date

import pytest

from quire.declare.deprecation import Deprecation


def test_deprecation_headers_follow_their_rfcs():
    headers = Deprecation(since=date(2023, 6, 30), sunset=date(2024, 12, 1)).headers
    assert headers == {
        "Deprecation": "@1688083200",
        "Sunset": "Sun, 01 Dec 2024 00:00:00 GMT",
        "Link": '</api/v1/docs>; rel="deprecation"; type="text/html"',
    }


def test_deprecation_without_an_end_has_no_sunset_header():
    deprecation = Deprecation(date(2026, 3, 1), replacement="Use `cover`.", link="/news")
    assert "Sunset" not in deprecation.headers
    assert deprecation.headers["Link"].startswith("</news>")
    assert deprecation.description == "Deprecated since 2026-03-01. Use `cover`."


def test_description_contains_the_removal_date():
    words = Deprecation(date(2026, 3, 1), sunset=date(2027, 3, 1)).description
    assert words == "Deprecated since 2026-03-01, to be removed on 2027-03-01."


def test_sunset_before_the_deprecation_is_refused():
    with pytest.raises(ValueError, match="sunset is before since"):
        Deprecation(date(2026, 3, 2), sunset=date(2026, 3, 1))
