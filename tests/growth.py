"""Measures whether time grows linearly or quadratically with a text, by ratios and never by absolute times."""

import time
from collections.abc import Callable

FLOOR = 0.1
"""Seconds below which nobody waits, and a ratio would tell of noise."""
RATIO = 3.5
"""Twice the text may take so many times the time; a square takes four times."""

TOKENS = (
    "a", "é", "слово ", "日本", "😀", " ", "\t", "\n", "a\n", "a\n\n", "\r", "\xa0", "\u2028", "\u0301", "\ufdd0",
    "[", "]", "[]", "![", "[a](", "[a](<", "[a](<b", "[a](b", '[a](b "', "[a][", "[[", "](", "(", ")", "[a]: b\n",
    "[a]: <", "[^a]", "[^a]: b\n", "[^a]: b\n[^a]", "[^a]:", "![l", "[a][b]", "[x](y)(", "*", "_", "**a", "*a_ ",
    "*a**a_", "a**b", "a*_", "~", "~~a", "~a~", "`", "`a", "` `` ", "```\n", "~~~\n", "- ", "- a\n", "* a\n\n", "+ ",
    "1. ", "1. a\n", "1) ", "> ", ">", "> a\n", "# ", "# a\n", "#", "a\n=\n", "a\n-\n", "=", "-", "---\n", "***\n", "=\n",
    "|", "|a", "|a|\n", "a|b\n-|-\n", "*|", "|-", "\\", "\\\n", "  \n", "    a\n", "{#a}", "{#", "{:.a ", "{% raw %}",
    "{% highlight a %}", "{% endraw %}", "{%", "{{", "&", "&amp;", "&lt;", "&#0;", "&#x", "&nbsp", "<", "</", "<a", "<a ",
    "<a b=", '<a b="', "<a b='", "<!--", "<!-", "-->", "<?", "<![CDATA[", "<!A", "<http://a", "<http://a>", "<a@b",
    "http://a(", "(http://", "http://", "https://a.b/(", "www.", "www.a ", "http://a\n", "a@b.c ", "a@", "@", "@a",
    "mailto:a", "<b>", "</b>", "<i><b>", "</a><b>", "<div>", "<div>\n\n", "</div>", "<p>", "<p>a</p>", "<p>\n", "<br>",
    "<hr", "<table><tr><td>", "<td>", "<li>", "<ul><li>", "<ol><li>", "<pre>", "<code>", "<script>", "<style>", "<svg>",
    "<math>", "<select>", "<template>", "<textarea>", "<h2>a</h2>", "<h2 id=a>", "<a id=a>", "<a name=a>", "<img src=a>",
    "<img", "<iframe src=//a>", "<font>", "<button>", "<details><summary>", "<figure>", "<blockquote>", "<span>",
    "[caption]", "[/caption]", "[caption]<img>[/caption]", "[gallery ", "[gallery ids=1]", "[embed]", "[/embed]",
    "[code]", "[/code]", "[[code]]", "[video a=", "[youtube a='", 'a="', "a=b ", "='", "\n<p", "\n\n<p>",
    "12:00 ", "2026-", "jan ", "a\u200b", ":", "::", "---\na: b\n", "a: b\n", "+++\n", ", ", "/", "%20", "..", "./",
)  # fmt: skip
"""What texts repeat that are made to be slow: marks of Markdown, HTML, shortcodes, addresses."""


def repeated(token: str, size: int) -> str:
    """Return a token repeated to at most `size` bytes."""
    return token * (size // len(token.encode()))


def slow_tokens(work: Callable[[str], object], size: int) -> list[str]:
    """Return the tokens whose repetition up to `size` bytes takes `work` more than linear time."""
    return [token for token in TOKENS if grows_too_fast(work, token, size)]


def grows_too_fast(work: Callable[[str], object], token: str, size: int) -> bool:
    """Return whether twice as many of a token take much more than twice the time."""
    for length in (size // 16, size):
        texts = repeated(token, length // 2), repeated(token, length)
        if _is_out_of_step(seconds, work, texts) and _is_out_of_step(best, work, texts):
            return True
    return False


def _is_out_of_step(
    measure: Callable[..., float], work: Callable[[str], object], texts: tuple[str, str]
) -> bool:
    whole = measure(work, texts[1])
    return whole > FLOOR and whole > RATIO * measure(work, texts[0])


def best(work: Callable[[str], object], text: str) -> float:
    """Return the smallest of three measurements."""
    return min(seconds(work, text) for _ in range(3))


def seconds(work: Callable[[str], object], text: str) -> float:
    """Return the CPU time of `work(text)`."""
    begun = time.process_time()
    work(text)
    return time.process_time() - begun
