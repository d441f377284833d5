"""Measures how much CPU time hostile texts of 100 KB take: `hostile.py` prints the slowest first."""

import time

from quire.declare.markdown import render_markdown
from quire.store.search.documents import document

SIZE = 100_000
REPEATED = (
    "[", "[a](", "![", "*a ", "**a_ ", "*a **a ", "_", "`", "` `` ", "> ", ">", "- ", "1. a\n", "<a ", "<!--",
    "<", "&", "&lt;", "|a|", "|a|b|\n|-|-|\n", "~~a ", "```\n", "[a]: b\n", "[a][b]", "[^a]: b\n[^a]",
    "<http://a", "\\", "\n", "# a\n", "a\n=\n", "](", " ", "слово ", "😀", "<![CDATA[", "<?", "*_`[<&>",
    *(f"<{tag}>" for tag in "b div blockquote table ul span p details svg math select h1 i".split()),
    "<a><b><i><p>", "<b><p></b>", "</div>",
)  # fmt: skip
BUILT = {
    "nested lists": "".join(f"{' ' * depth}- a\n" for depth in range(440)),
    "a wide table": f"|{'a|' * 20_000}\n|{'-|' * 20_000}\n|{'b|' * 10_000}",
    "many references": "".join(f"[r{i}]: u\n" for i in range(5000)) + "[r1]" * 5000,
    "many attributes": f"<a {'b=c ' * 25_000}>",
    "deep, then long": "<span>" * 8000 + "<p>a</p>" * 6000,
}


def milliseconds(text: str) -> float:
    """Return the CPU time of rendering a text and of preparing it for search."""
    begun = time.process_time()
    render_markdown(text)
    document("posts", 1, "", text, "sqlite")
    return (time.process_time() - begun) * 1000


def main() -> None:
    """Print the ten slowest texts."""
    texts = {repr(one): one * (SIZE // len(one)) for one in REPEATED} | BUILT
    best = {name: min(milliseconds(text) for _ in range(9)) for name, text in texts.items()}
    for name in sorted(best, key=best.__getitem__, reverse=True)[:10]:
        print(f"{best[name]:6.0f} ms  {name}")


if __name__ == "__main__":
    main()
