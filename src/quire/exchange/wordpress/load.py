"""Imports a WordPress export as posts, pages and comments."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from quire.exchange import load_posts
from quire.exchange.model import ImportedPost, ImportReport, Progress, SkippedItems, Unusable
from quire.exchange.wordpress.item import imported_post
from quire.exchange.wordpress.parser import WxrNode, read_nodes
from quire.exchange.wordpress.shortcodes import Attachment, Attachments
from quire.exchange.wordpress.site import WordPressSite

SOURCE = "wordpress"
_KINDS = {"post": "post", "page": "page", "": "post"}
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp")
_REASONS = {
    "attachment": ("attachments", "not imported"),
    "nav_menu_item": ("menu items", "not supported"),
    "revision": ("revisions", "only the current version is imported"),
    "pingback": ("pingbacks and trackbacks", "not imported"),
    "page comment": ("comments on pages", "pages have no comments here"),
    "order": ("comments from plugins", "not imported"),
    "empty comment": ("empty comments", "not imported"),
}


def load_wordpress(
    file: Path,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a WordPress export (WXR 1.0-1.2); run again, it updates what has changed.

    `author` is the username for items without an author, by default the first administrator.
    The file is read twice and never held in memory. Raises NotFound for an unknown author.
    """
    blog = _survey(file)
    return load_posts.load(
        SOURCE,
        blog.place,
        _items(file, blog),
        blog.total,
        author=author,
        dry_run=dry_run,
        progress=progress,
    )


def _survey(file: Path) -> WordPressSite:
    """Read what is needed before the first item: people, and attachments by id."""
    blog = WordPressSite(Attachments())
    try:
        for node in read_nodes(file):
            blog.read(node)
            if node.name == "item":
                blog.total += node["wp:post_type"] in _KINDS
                blog.rules.read(node["wp:post_type"], node["wp:status"], node.meta)
                _add_picture(blog.album, node)
    except Unusable:
        pass  # the second pass reports it, after the items before the fault
    return blog


def _add_picture(album: Attachments, node: WxrNode) -> None:
    address, id = node["wp:attachment_url"], node["wp:post_id"]
    if address.lower().endswith(_PICTURES):
        alt = next(iter(node.meta.get("_wp_attachment_image_alt", ())), "")
        album.by_id[id] = Attachment(address, alt or node["title"])
        album.by_post.setdefault(node["wp:post_parent"], []).append(id)


def _items(file: Path, blog: WordPressSite) -> Iterator[ImportedPost | SkippedItems]:
    left_out: Counter[str] = Counter()
    try:
        for node in read_nodes(file):
            if node.name == "warning":
                yield SkippedItems(file.name, node.texts[""], count=0)
            elif node.name == "item":
                yield from _item(node, blog, left_out)
    except Unusable as error:
        yield SkippedItems(file.name, error.reason)
    for what, count in left_out.items():
        name, reason = _REASONS.get(what, (f"items of type {what}", "not supported"))
        yield SkippedItems(f"{count} {name}", reason, count)


def _item(
    node: WxrNode, blog: WordPressSite, left_out: Counter[str]
) -> Iterator[ImportedPost | SkippedItems]:
    kind = _KINDS.get(node["wp:post_type"])
    if kind is None:
        left_out[node["wp:post_type"]] += 1
        return
    try:
        yield imported_post(node, kind, blog, left_out)
    except Unusable as error:
        yield SkippedItems(f"{kind} {node['wp:post_id']}", error.reason)
