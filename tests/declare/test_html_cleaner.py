"""The cleaner returns the same HTML as nh3, but in linear time for any characters."""

import nh3
import pytest

from quire.declare.html_cleaner import HtmlCleaner
from tests.growth import grows_too_fast

CLEANER = HtmlCleaner()
ALL_SLOW = "".join(map(chr, range(0x80, 0xC0)))
MANY = ALL_SLOW * 20


@pytest.mark.parametrize("token", ["\xa0", "« a »", "\x85", "&nbsp;", "<b title='\xab'>", "©\n"])
def test_slow_characters_take_linear_time(token):
    assert not grows_too_fast(CLEANER.clean, token, 1024 * 1024)


@pytest.mark.parametrize(
    "markup",
    [
        f"<p title='{MANY}'>{MANY} é 今 😀 &amp; &amp;nbsp; &nbsp; &lt; <script>{MANY}</script></p>",
        f"<a href='/{MANY}'>{MANY}</a><svg><p>{MANY}", "&amp;" * 3 + MANY + "&laquo; &#171; &#xab",
    ],
)  # fmt: skip
def test_many_slow_characters_give_the_result_of_nh3(markup):
    assert CLEANER.clean(markup) == nh3.clean(markup)


def test_placeholder_characters_in_a_text_are_dropped():
    assert CLEANER.clean(f"a\ufdd0\ufdd1\U0010ffff{MANY}") == nh3.clean(f"a{MANY}")
