"""The types of every import, independent of source and storage: posts, comments, people, the report."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

Progress = Callable[[int, int], None]
"""Called with (done, total) after each batch of items."""

SUCCESSFUL_OUTCOMES = ("created", "updated", "unchanged", "kept")
"""Outcomes of items that are in the store."""


class Unusable(Exception):
    """One item or file cannot be imported; `reason` is what the report says about it."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImportedPerson:
    """A person in the source: a full name and, if known, login and email."""

    name: str
    username: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedTerm:
    """A category or tag: a name and, if known, slug and description."""

    name: str
    slug: str | None = None
    description: str = ""


@dataclass(slots=True)
class ImportedComment:
    """A comment. `parent` is the key of another comment on the same entry."""

    key: str
    body: str
    author_name: str
    person: ImportedPerson | None = None
    parent: str | None = None
    status: str = "pending"
    trashed: bool = False
    date: datetime | None = None


@dataclass(slots=True)
class ImportedPost:
    """A post or page.

    `key` identifies it permanently within its source, `source` is its name for people. `slug` is the
    one requested, which may not be free. `date` is None if the source has none; `warnings` are for
    the report and not part of the content.
    """

    key: str
    source: str
    title: str
    body: str
    kind: str = "post"
    slug: str | None = None
    excerpt: str = ""
    seo_title: str = ""
    seo_description: str = ""
    category: ImportedTerm | None = None
    tags: list[ImportedTerm] = field(default_factory=list)
    person: ImportedPerson | None = None
    draft: bool = False
    date: datetime | None = None
    unpublish_at: datetime | None = None
    trashed: bool = False
    comments_open: bool = True
    position: int = 0
    old_paths: list[str] = field(default_factory=list)
    comments: list[ImportedComment] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, words: str) -> None:
        """Add a warning for the report, once; an empty one is ignored."""
        if words and words not in self.warnings:
            self.warnings.append(words)


@dataclass(frozen=True, slots=True)
class SkippedItems:
    """Items of a source that are not imported: what, why and how many; 0 for a mere note."""

    what: str
    reason: str
    count: int = 1


def fingerprint(values: Mapping[str, Any]) -> str:
    """A digest of `values`; equal for equal values on every machine."""
    text = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


MAX_LINES = 10_000
"""The most lines of one outcome in a report."""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of the report; `target` is the new path, such as `posts/first-steps`."""

    outcome: str
    source: str
    target: str = ""
    words: str = ""
    count: int = 1

    def __str__(self) -> str:
        subject = f"{self.target}  ({self.source})" if self.target else self.source
        return f"{self.outcome} {subject}" + (f": {self.words}" if self.words else "")


def summary_of(counts: Mapping[str, int], *, dry_run: bool = False) -> str:
    """Counts by outcome in one line such as `102 created, 3 skipped`."""
    words = [
        f"{counts[name]} {name}" for name in (*SUCCESSFUL_OUTCOMES, "skipped") if counts.get(name)
    ]
    return (", ".join(words) or "nothing to import") + (" (dry run)" if dry_run else "")


@dataclass(slots=True)
class ImportReport:
    """The result of an import, item by item, in the order of the source.

    The first MAX_LINES of each outcome are listed, so that no source fills the memory; all are counted.
    """

    lines: list[ReportLine] = field(default_factory=list)
    dry_run: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    """The number of items by outcome."""
    _line_counts: Counter[str] = field(default_factory=Counter)

    def add(
        self, outcome: str, source: str, target: str = "", words: str = "", count: int = 1
    ) -> None:
        """Add one item; `outcome` is one of SUCCESSFUL_OUTCOMES, "skipped" or "noted"."""
        self.counts[outcome] += count
        self._line_counts[outcome] += 1
        if self._line_counts[outcome] <= MAX_LINES:
            self.lines.append(ReportLine(outcome, source, target, words, count))

    def clear(self) -> None:
        """Forget all items."""
        for items in (self.lines, self.counts, self._line_counts):
            items.clear()

    @property
    def has_content(self) -> bool:
        """Whether any item of the source is in the store."""
        return any(self.counts[outcome] for outcome in SUCCESSFUL_OUTCOMES)

    @property
    def created(self) -> int:
        """The number of new records."""
        return self.counts["created"]

    @property
    def updated(self) -> int:
        """The number of changed records."""
        return self.counts["updated"]

    @property
    def skipped(self) -> int:
        """The number of items left out."""
        return self.counts["skipped"]

    def summary(self) -> str:
        """One line such as `102 created, 3 skipped`."""
        return summary_of(self.counts, dry_run=self.dry_run)

    def __str__(self) -> str:
        omitted = self._line_counts.total() - len(self.lines)
        note = [f"(and {omitted} more)"] if omitted else []
        return "\n".join([*map(str, self.lines), *note, self.summary()])
