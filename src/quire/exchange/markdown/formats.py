"""Recognises pages of a site by their file names, and reports all other files."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from quire.exchange.model import SkippedItems

MARKDOWN = frozenset(
    (".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdwn", ".mkdown", ".mdtxt", ".mdtext")
)
HTML = frozenset((".html", ".htm", ".xhtml"))
MDX = ".mdx"
READ = MARKDOWN | HTML | {MDX}
_UNREAD = {
    **dict.fromkeys((".textile",), "Textile"),
    **dict.fromkeys((".adoc", ".asciidoc", ".asc", ".ad"), "AsciiDoc"),
    **dict.fromkeys((".rst", ".rest"), "reStructuredText"),
    **dict.fromkeys((".org",), "Org"),
    **dict.fromkeys((".rmd", ".qmd", ".rmarkdown"), "R Markdown"),
    **dict.fromkeys((".wiki", ".mediawiki", ".creole", ".rdoc", ".pod", ".pdc"), "wiki markup"),
    **dict.fromkeys((".ipynb",), "a notebook"),
    **dict.fromkeys((".docx", ".doc", ".odt", ".rtf", ".pages"), "a word processor document"),
    **dict.fromkeys((".tex", ".typ"), "TeX or Typst"),
    **dict.fromkeys((".erb", ".njk", ".liquid", ".hbs", ".ejs", ".haml", ".slim", ".pug", ".jade",
                     ".mustache", ".jinja", ".jinja2", ".j2", ".astro", ".svx", ".mdoc", ".vue",
                     ".svelte", ".webc", ".11ty.js"), "a template"),
}  # fmt: skip
_MAX_NAMED = 200
"""The most files of one format that are reported by name; further ones are counted."""


def suffix_of(path: str) -> str:
    """The suffix of a file name, which identifies its format, in lower case."""
    return PurePosixPath(path).suffix.lower()


def unread_files(paths: Iterable[str]) -> Iterator[SkippedItems]:
    """Report lines for files that are not imported: text files by name, all others counted."""
    others: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for path in paths:
        format = _UNREAD.get(suffix_of(path))
        if format is None:
            others[suffix_of(path).removeprefix(".") or "no suffix"] += 1
            continue
        counts[format] += 1
        if counts[format] <= _MAX_NAMED:
            yield SkippedItems(path, f"is {format}, which is not supported")
    for format, count in counts.items():
        if count > _MAX_NAMED:
            more = count - _MAX_NAMED
            files, are = ("1 more file", "is") if more == 1 else (f"{more:,} more files", "are")
            yield SkippedItems(files, f"{are} {format}, which is not supported", more)
    if others:
        yield _count_other_files(others)


def _count_other_files(others: Counter[str]) -> SkippedItems:
    total = others.total()
    ordered = sorted(others.items(), key=lambda one: (-one[1], one[0]))
    kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in ordered[:6])
    noun = "file that is not a page" if total == 1 else "files that are not pages"
    return SkippedItems(f"{total:,} {noun}", kinds + (" ..." if len(others) > 6 else ""), count=0)
