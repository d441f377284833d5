"""What an import reads, before anyone knows how it is stored: neutral items and the report."""

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
"""Outcomes of an item that is, or already was, in the store."""


class Unusable(Exception):
    """One item or file cannot be imported; `reason` is what the report says about it."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImportedPerson:
    """Somebody who wrote something: a full name and, where the source has them, login and e-mail."""

    name: str
    username: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ImportedTerm:
    """A category or a tag by name; slug and description where the source has them."""

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
    """A post or a page.

    `key` names it within its source for ever, `source` is what a person calls it. `slug` is what
    the source wants, not what it gets. `date` is None when the source has none; `warnings` are
    words for the report and no part of the value.
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
        """Adds words for the report, once; none when there are none."""
        if words and words not in self.warnings:
            self.warnings.append(words)


@dataclass(frozen=True, slots=True)
class SkippedItems:
    """Items that a source leaves out: what they are, why, and how many; none for a mere note."""

    what: str
    reason: str
    count: int = 1


def fingerprint(values: Mapping[str, Any]) -> str:
    """A digest of `values`; equal for equal values on every machine."""
    text = json.dumps(values, sort_keys=True, default=str, ensure_ascii=False)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of the report: `target` is where it is now, as `posts/first-steps`."""

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
    """What an import did, item by item, in the order of the source."""

    lines: list[ReportLine] = field(default_factory=list)
    dry_run: bool = False

    def add(
        self, outcome: str, source: str, target: str = "", words: str = "", count: int = 1
    ) -> None:
        """Notes one item; `outcome` is a word of USABLE, or "skipped", or "noted"."""
        self.lines.append(ReportLine(outcome, source, target, words, count))

    @property
    def counts(self) -> Counter[str]:
        """How many items had each outcome."""
        counted: Counter[str] = Counter()
        for line in self.lines:
            counted[line.outcome] += line.count
        return counted

    @property
    def has_content(self) -> bool:
        """Whether anything of the source is in the store now, or was already."""
        return any(self.counts[outcome] for outcome in SUCCESSFUL_OUTCOMES)

    @property
    def created(self) -> int:
        """How many records are new."""
        return self.counts["created"]

    @property
    def updated(self) -> int:
        """How many records were changed."""
        return self.counts["updated"]

    @property
    def skipped(self) -> int:
        """How many items were left out."""
        return self.counts["skipped"]

    def summary(self) -> str:
        """One line such as `102 created, 3 skipped`."""
        return summary_of(self.counts, dry_run=self.dry_run)

    def __str__(self) -> str:
        return "\n".join([*(str(line) for line in self.lines), self.summary()])
