"""Generates sample content, the same for the same seed on every machine."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Raw = dict[str, Any]

LATEST = datetime(2026, 1, 1, tzinfo=UTC)
"""The latest date of a sample: fixed, so that all machines get the same content."""
DAYS = 1095

FIRST = "Ada Ben Chloe Dario Elif Femi Greta Hugo Ines Jun Kofi Lena Mira Noor Otto Priya".split()
LAST = (
    "Abel Brandt Costa Diaz Eriksen Fischer Grant Haddad Ito Jensen Kaya Lopez Moreau Novak".split()
)
TOPICS = (
    "gardens bread bicycles maps tides lanterns beehives weaving printing rivers observatories "
    "kites ferries orchards pottery bridges libraries mushrooms radios sundials trams quilts"
).split()
VERBS = (
    "Repairing Understanding Rediscovering Measuring Painting Sharing Planning Listening-to".split()
)
TURNS = (
    "in a small town", "without a budget", "after the storm", "for beginners", "by hand",
    "one winter later", "with old tools", "before sunrise", "on the coast", "in ten steps",
)  # fmt: skip
SENTENCES = (
    "The first attempt taught us more than the three that followed.",
    "Nobody had written down how it was done, so we asked the people who remembered.",
    "A cheap notebook and a pencil turned out to be the best instruments.",
    "What looked like a fault was the maker's answer to a colder climate.",
    "We measured twice, argued once, and then measured again.",
    "Half of the work was waiting, and the waiting was the pleasant half.",
    "The neighbours came to look and stayed to help.",
    "Every part that we replaced is listed below with its price.",
    "It rained, of course, and the paint had to wait for another week.",
    "Some of this will be wrong for your place; try it on a small piece first.",
    "The old drawings are in the town archive and may be copied freely.",
    "In the end the simplest joint held longest.",
)
COMMENT_TEXTS = (
    "Thank you, this is what I was looking for.",
    "We did the same last year and would use thinner wood next time.",
    "Could you say where the measurements come from?",
    "The second picture shows it the other way round, I think.",
    "My grandmother had one of these in her kitchen.",
    "Has anyone tried this with **salt water**?",
    "It works, but the drying takes closer to ten days.",
    "I disagree about the glue: see the [archive](https://example.org/archive).",
)
LISTS = "- paper and a pencil\n- a sharp knife\n- somebody with patience"
CODE = "```\nlength = 2 * width\nprint(length)\n```"


class SampleGenerator:
    """Generates any amount of content; the same seed gives the same content in the same order."""

    def __init__(self, seed: int = 1, latest: datetime = LATEST, days: int = DAYS):
        self._random = random.Random(seed)  # noqa: S311 - content, no secrets
        self._latest, self._days = latest, days

    def users(self, count: int, usernames: set[str]) -> Iterator[Raw]:
        """Users who cannot sign in; their names are added to `usernames`, the names taken, in lower case."""
        for number in range(count):
            first, last = self._choice(FIRST), self._choice(LAST)
            username = _free(f"{first}.{last}".lower(), usernames, longest=20)
            yield {
                "username": username,
                "email": f"{username}@example.org",
                "role": "author" if self._random.random() < 0.4 or number == 0 else "member",
                "bio": f"{first} writes about {self._choice(TOPICS)}.",
                "created_at": _text(
                    self._latest - timedelta(days=self._days + self._random_below(300))
                ),
            }

    def tags(self, count: int, names: set[str]) -> Iterator[Raw]:
        """Tags; their names are added to `names`, the names taken, in lower case."""
        for number in range(count):
            name = _free(TOPICS[number % len(TOPICS)], names, longest=50)
            yield {"name": name, "description": f"All about {name}."}

    def posts(self, count: int, authors: Sequence[int], tags: Sequence[int]) -> Iterator[Raw]:
        """Posts by `authors` with up to four of `tags`; one in ten is a draft."""
        for _ in range(count):
            written = self._moment()
            yield {
                "title": self._title(),
                "body": self._body(),
                "author": self._choice(authors),
                "tags": self._some(tags),
                "created_at": _text(written),
                "published_at": None
                if self._random.random() < 0.1
                else _text(written + timedelta(hours=self._random_below(48))),
            }

    def comments(
        self, count: int, posts: Sequence[Raw], people: Sequence[Raw], parents: Sequence[Raw]
    ) -> Iterator[Raw]:
        """Comments of `people` (id, username) on `posts` (id), or replies to `parents` (id, post).

        Each is later than its parent or post, if that has a time, `at`.
        """
        for _ in range(count):
            parent = self._choice(parents) if parents else None
            writer = self._choice(people)
            above: Raw = parent or self._choice(posts)
            yield {
                "post": above["post"] if parent else above["id"],
                "parent": parent["id"] if parent else None,
                "author": writer["id"],
                "author_name": writer["username"],
                "body": self._choice(COMMENT_TEXTS),
                "status": self._status(),
                "created_at": _text(self._moment_after(above.get("at"))),
            }

    def _status(self) -> str:
        chance = self._random.random()
        return "approved" if chance < 0.8 else "pending" if chance < 0.95 else "spam"

    def _title(self) -> str:
        verb = self._choice(VERBS).replace("-", " ")
        return f"{verb} {self._choice(TOPICS)} and {self._choice(TOPICS)} {self._choice(TURNS)}"

    def _body(self) -> str:
        parts = [self._paragraph() for _ in range(1 + self._random_below(3))]
        parts.insert(1, f"## {self._choice(TOPICS).capitalize()}")
        parts.append(LISTS if self._random.random() < 0.7 else CODE)
        return "\n\n".join(parts)

    def _paragraph(self) -> str:
        sentences = [self._choice(SENTENCES) for _ in range(2 + self._random_below(3))]
        sentences[0] = f"*{self._choice(TOPICS).capitalize()}* first. {sentences[0]}"
        return " ".join(sentences)

    def _moment(self) -> datetime:
        return self._latest - timedelta(minutes=1 + self._random_below(self._days * 24 * 60))

    def _moment_after(self, moment: str | None) -> datetime:
        if moment is None:
            return self._moment()
        since = self._latest - datetime.fromisoformat(moment)
        return self._latest - timedelta(
            minutes=self._random_below(int(since.total_seconds() // 60))
        )

    def _some(self, choices: Sequence[int]) -> list[int]:
        count = self._random_below(min(5, len(choices) + 1))
        return sorted({self._choice(choices) for _ in range(count)})

    def _choice(self, choices: Sequence[Any]) -> Any:
        return choices[self._random_below(len(choices))]

    def _random_below(self, end: int) -> int:
        # random() is the one method whose sequence Python promises to keep.
        return int(self._random.random() * end)


def _free(name: str, others: set[str], longest: int) -> str:
    """`name`, with the lowest number that makes it unique if it is taken."""
    candidate, number = name[:longest], 1
    while candidate.lower() in others:
        number += 1
        candidate = f"{name[: longest - len(str(number)) - 1]}-{number}"
    others.add(candidate.lower())
    return candidate


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
