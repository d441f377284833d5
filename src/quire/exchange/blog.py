"""What a WordPress export says of the blog as a whole: its address, people, terms and pictures."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from quire.exchange.html import plain_text
from quire.exchange.items import Person, Term
from quire.exchange.names import username_from
from quire.exchange.shortcodes import Album
from quire.exchange.wxr import Node


@dataclass(slots=True)
class Blog:
    """Filled while the export is read for the first time."""

    album: Album
    place: str = ""
    total: int = 0
    people: dict[str, Person] = field(default_factory=dict)
    by_id: dict[str, Person] = field(default_factory=dict)
    by_email: dict[str, Person] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    def learn(self, node: Node) -> None:
        """Take from a child of the channel what it says of the whole blog."""
        if node.name == "wp:author":
            self._add_person(node)
        elif node.name in ("wp:category", "wp:tag"):
            slug = node["wp:category_nicename"] or node["wp:tag_slug"]
            words = node["wp:category_description"] or node["wp:tag_description"]
            self.descriptions[f"{node.name} {slug}"] = plain_text(words)
        elif node.name == "wp:base_blog_url" or (node.name == "link" and not self.place):
            address = node.texts[""].strip().lower().rstrip("/")
            self.place = re.sub(r"^https?://", "", address)

    def _add_person(self, node: Node) -> None:
        login, email = node["wp:author_login"], node["wp:author_email"]
        both = f"{node['wp:author_first_name']} {node['wp:author_last_name']}".strip()
        name = plain_text(node["wp:author_display_name"]) or both or login
        if not name:
            return
        person = Person(name, login or None, email or None)
        self.people[_key(login or name)] = person
        self.by_id[node["wp:author_id"]] = self.by_email[email.lower()] = person

    def writer(self, creator: str) -> Person | None:
        """Who `creator` (a login, in some exports a name) is; None for nobody."""
        if not creator:
            return None
        return self.people.get(_key(creator)) or Person(creator)

    def commenter(self, comment: Node) -> Person | None:
        """The author who wrote a comment; None for a guest, whatever name the guest gives."""
        id = comment["wp:comment_user_id"]
        if id in ("", "0"):
            return None
        return self.by_id.get(id) or self.by_email.get(
            comment["wp:comment_author_email"].lower() or "-"
        )

    def term(self, category: dict[str, str], kind: str) -> Term:
        """The term that an item names."""
        slug = category.get("nicename", "")
        name = plain_text(category["name"]) or unquote(slug)
        return Term(name, unquote(slug) or None, self.descriptions.get(f"{kind} {slug}", ""))


def _key(login: str) -> str:
    return username_from(login).lower()
