"""Markdown as plain words on one line: markup is removed, similar characters stay."""

import pytest

from quire.declare.markdown import plain_words


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("see the [archive](https://example.org/a).", "see the archive."),
        ("![a boat](boat.png) and [more][1]", "a boat and more"),
        ("# Head\n\n> said\n- one\n2. two", "Head said one two"),
        ("with **salt water**, *really* _so_ ~~not~~", "with salt water, really so not"),
        ("`code` and ``more``", "code and more"),
        ("```python\nx = 1\n```", "x = 1"),
        ("a <b>bold</b> word<br>", "a bold word"),
        (r"5 \* 3 is \#15", "5 * 3 is #15"),
        ("2 * 3 * 4 and snake_case_name, a < b > c", "2 * 3 * 4 and snake_case_name, a < b > c"),
        ("", ""),
    ],
)
def test_markdown_markup_is_removed(markdown, words):
    assert plain_words(markdown) == words


def test_only_the_beginning_of_a_text_is_read():
    assert len(plain_words("word " * 100_000)) <= 1000
    assert plain_words("[" * 100_000) and plain_words("*" * 100_000)
