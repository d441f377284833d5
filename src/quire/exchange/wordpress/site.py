"""The site-wide data of a WordPress export: address, people, terms and attachments."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from quire.exchange.html.to_markdown import plain_text
from quire.exchange.model import ImportedPerson, ImportedTerm
from quire.exchange.names import person_key
from quire.exchange.wordpress.parser import WxrNode
from quire.exchange.wordpress.post_access import AccessRules
from quire.exchange.wordpress.shortcodes import Attachments


@dataclass(slots=True)
class WordPressSite:
    """Filled in a first pass over the export."""

    album: Attachments
    place: str = ""
    total: int = 0
    people: dict[str, ImportedPerson] = field(default_factory=dict)
    by_id: dict[str, ImportedPerson] = field(default_factory=dict)
    by_email: dict[str, ImportedPerson] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    rules: AccessRules = field(default_factory=AccessRules)

    def read(self, node: WxrNode) -> None:
        """Read the site-wide data in a child of the channel."""
        if node.name == "wp:author":
            self._add_person(node)
        elif node.name in ("wp:category", "wp:tag"):
            slug = node["wp:category_nicename"] or node["wp:tag_slug"]
            words = node["wp:category_description"] or node["wp:tag_description"]
            self.descriptions[f"{node.name} {slug}"] = plain_text(words)
        elif node.name == "wp:base_blog_url" or (node.name == "link" and not self.place):
            address = node.texts[""].strip().lower().rstrip("/")
            self.place = re.sub(r"^https?://", "", address)

    def _add_person(self, node: WxrNode) -> None:
        login, email = node["wp:author_login"], node["wp:author_email"]
        both = f"{node['wp:author_first_name']} {node['wp:author_last_name']}".strip()
        name = plain_text(node["wp:author_display_name"]) or both or login
        if not name:
            return
        person = ImportedPerson(name, login or None, email or None)
        self.people[person_key(login or name)] = person
        self.by_id[node["wp:author_id"]] = self.by_email[email.lower()] = person

    def writer(self, creator: str) -> ImportedPerson | None:
        """The person for `creator` (a login, in some exports a name); None if it is empty."""
        if not creator:
            return None
        return self.people.get(person_key(creator)) or ImportedPerson(creator)

    def commenter(self, comment: WxrNode) -> ImportedPerson | None:
        """The author of a comment; None for a guest, whatever name the guest gives."""
        id = comment["wp:comment_user_id"]
        if id in ("", "0"):
            return None
        return self.by_id.get(id) or self.by_email.get(
            comment["wp:comment_author_email"].lower() or "-"
        )

    def term(self, category: dict[str, str], kind: str) -> ImportedTerm:
        """The term that an item names."""
        slug = category.get("nicename", "")
        name = plain_text(category["name"]) or unquote(slug)
        return ImportedTerm(
            name, unquote(slug) or None, self.descriptions.get(f"{kind} {slug}", "")
        )
