"""`manage.py maintenance`: on, off and status."""

import re

import pytest


def test_maintenance_is_turned_on_and_off_and_shown(console):
    assert console("maintenance", "status") == (0, "Maintenance is off.\n", "")
    _, begun, _ = console("maintenance", "on", "  New\ndisk. ")
    assert re.fullmatch(
        r"Maintenance is on since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: New disk\.\n", begun
    )
    assert console("maintenance", "status") == (0, begun, "")
    assert console("maintenance", "off") == (0, "Maintenance is off.\n", "")
    assert console("maintenance", "off") == (0, "Maintenance was not on.\n", "")
    actions = console.rows("SELECT action FROM audit_events WHERE type = 'maintenance' ORDER BY id")
    assert actions == [("maintenance_on",), ("maintenance_off",)]


def test_message_is_optional(console):
    assert re.fullmatch(r"Maintenance is on since \S+Z\.\n", console("maintenance", "on")[1])


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("on", "x" * 501), 1, "Error: The message is longer than 500 characters.\n"),
        (("on", "a", "b"), 2, "unexpected extra argument"),
        (("maybe",), 2, "No such command 'maybe'"),
    ],
)
def test_invalid_arguments_are_refused(console, arguments, status, words):
    got, output, errors = console("maintenance", *arguments)
    assert (got, output) == (status, "") and words in errors
