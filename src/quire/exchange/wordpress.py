"""A WordPress export becomes posts, pages and comments."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from quire.exchange import loading
from quire.exchange.blog import Blog
from quire.exchange.items import Entry, Progress, Report, Skipped, Unusable
from quire.exchange.shortcodes import Album, Picture
from quire.exchange.wordpress_item import entry_of
from quire.exchange.wxr import Node, read_nodes

SOURCE = "wordpress"
_KINDS = {"post": "post", "page": "page", "": "post"}
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg", ".bmp")
_REASONS = {
    "attachment": ("attachments", "media are not imported"),
    "nav_menu_item": ("menu items", "there are no menus here"),
    "revision": ("revisions", "only the newest state is imported"),
    "pingback": ("pingbacks and trackbacks", "not imported"),
    "page comment": ("comments on pages", "pages have no comments here"),
    "order": ("comments made by plugins", "not imported"),
    "empty comment": ("comments without a word", "not imported"),
}


def load(
    file: Path,
    author: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Import a WordPress export (WXR 1.0-1.2); run again, it updates what has changed.

    `author` is the username of who wrote what names nobody, else the first administrator.
    The file is read twice and never held in memory. Raises Missing for an unknown author.
    """
    blog = _survey(file)
    return loading.load(
        SOURCE,
        blog.place,
        _items(file, blog),
        blog.total,
        author=author,
        dry_run=dry_run,
        progress=progress,
    )


def _survey(file: Path) -> Blog:
    """What must be known before the first item: who there is, and which pictures, by number."""
    blog = Blog(Album())
    try:
        for node in read_nodes(file):
            blog.learn(node)
            if node.name == "item":
                blog.total += node["wp:post_type"] in _KINDS
                _add_picture(blog.album, node)
    except Unusable:
        pass  # the second reading reports it, after the items that stand before the fault
    return blog


def _add_picture(album: Album, node: Node) -> None:
    address, id = node["wp:attachment_url"], node["wp:post_id"]
    if address.lower().endswith(_PICTURES):
        alt = next(iter(node.meta.get("_wp_attachment_image_alt", ())), "")
        album.by_id[id] = Picture(address, alt or node["title"])
        album.by_post.setdefault(node["wp:post_parent"], []).append(id)


def _items(file: Path, blog: Blog) -> Iterator[Entry | Skipped]:
    left_out: Counter[str] = Counter()
    try:
        for node in read_nodes(file):
            if node.name == "warning":
                yield Skipped(file.name, node.texts[""], count=0)
            elif node.name == "item":
                yield from _item(node, blog, left_out)
    except Unusable as error:
        yield Skipped(file.name, error.reason)
    for what, count in left_out.items():
        name, reason = _REASONS.get(what, (f"items of type {what}", "unknown here"))
        yield Skipped(f"{count} {name}", reason, count)


def _item(node: Node, blog: Blog, left_out: Counter[str]) -> Iterator[Entry | Skipped]:
    kind = _KINDS.get(node["wp:post_type"])
    if kind is None:
        left_out[node["wp:post_type"]] += 1
        return
    try:
        yield entry_of(node, kind, blog, left_out)
    except Unusable as error:
        yield Skipped(f"{kind} {node['wp:post_id']}", error.reason)
