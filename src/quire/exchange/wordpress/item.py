"""Converts one item of a WordPress export: state, dates, terms, text and comments."""

import re
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from quire.declare.unicode_text import is_blank
from quire.exchange import names
from quire.exchange.blocks import replace_blocks
from quire.exchange.dates import parse_datetime
from quire.exchange.html.to_markdown import plain_text, to_markdown
from quire.exchange.markdown import paths
from quire.exchange.model import ImportedComment, ImportedPost, ImportedTerm, Unusable
from quire.exchange.restricted_parts import restriction_in_html
from quire.exchange.wordpress.autop import with_paragraphs
from quire.exchange.wordpress.parser import WxrNode
from quire.exchange.wordpress.post_access import expires_at, reason_limited
from quire.exchange.wordpress.shortcodes import expand
from quire.exchange.wordpress.site import WordPressSite

MAX_BODY_BYTES = 256 * 1024
_MAX_HTML = 1024 * 1024
_EXCERPT_LENGTH = 1000
_COMMENT = re.compile(r"(<!--)")
_TRASHED = re.compile(r"__trashed(-\d+)?$")
_STATES = {"1": "approved", "approve": "approved", "approved": "approved", "spam": "spam"}
_BY_NUMBER = ("p", "page_id", "attachment_id", "post_type", "preview")


def imported_post(
    node: WxrNode, kind: str, blog: WordPressSite, left_out: Counter[str]
) -> ImportedPost:
    """The post or page in `node`; comments that are not imported are counted in `left_out`.

    Raises Unusable if it is too large, or a page from the trash.
    """
    id = node["wp:post_id"] or node["guid"] or node["link"]
    body, warning = _body(node.texts.get("content:encoded", ""), blog, id)
    title = names.single_line(plain_text(node["title"])) or names.first_words(body)
    entry = ImportedPost(f"{kind} {id}", f"{kind} {id}", names.shorten(title), body, kind)
    if warning:
        entry.warn(warning)
    if entry.title != title:
        entry.warn(f"title shortened to {names.TITLE_LENGTH} characters")
    _set_state(entry, node)
    _limit(entry, node, blog)
    _set_terms(entry, node, blog)
    entry.slug = names.slug_from(_TRASHED.sub("", unquote(node["wp:post_name"]))) or None
    entry.excerpt = names.shorten(plain_text(node["excerpt:encoded"]), _EXCERPT_LENGTH)
    entry.seo_title, entry.seo_description = _yoast(node, "title"), _yoast(node, "metadesc")
    entry.person = blog.writer(node["dc:creator"])
    entry.comments_open = node["wp:comment_status"] in ("open", "")
    entry.position = _number(node["wp:menu_order"])
    entry.old_paths = _old_paths(node)
    entry.comments = _comments(node, kind, blog, left_out)
    return entry


def _yoast(node: WxrNode, name: str) -> str:
    """A field of the Yoast SEO plugin; empty if it is a pattern such as `%%title%%`."""
    text = plain_text(next(iter(node.meta.get(f"_yoast_wpseo_{name}", ())), ""))
    return "" if "%%" in text else text


def _body(text: str, blog: WordPressSite, id: str) -> tuple[str, str]:
    if len(text) > _MAX_HTML:
        raise Unusable("its text is larger than 1 MB")
    in_blocks = "<!-- wp:" in text
    text = replace_blocks(names.printable(text), _COMMENT, "-->", lambda mark, inner: "\n\n")
    html = expand(text.replace("\r\n", "\n"), blog.album, id)
    body, warning = to_markdown(html if in_blocks else with_paragraphs(html))
    if len(body.encode()) > MAX_BODY_BYTES:
        raise Unusable(f"its text is larger than {MAX_BODY_BYTES // 1024} KB")
    return body, warning


def _set_state(entry: ImportedPost, node: WxrNode) -> None:
    """Set state and date; posts that were not public in WordPress become drafts."""
    state, entry.date = node["wp:status"] or "publish", _date(node, "post")
    if state == "trash":
        if entry.kind == "page":
            raise Unusable("is in the WordPress trash; pages have no trash here")
        entry.trashed = True
        state = next(iter(node.meta.get("_wp_trash_meta_status", ())), "draft")
    entry.draft = state not in ("publish", "future") or (state == "future" and entry.date is None)
    if node["wp:post_password"]:
        entry.draft = True
        entry.warn("was protected by a password, imported as a draft")
    if state == "private":
        entry.warn("was private, imported as a draft")
    if entry.date is None and not entry.draft:
        entry.warn("has no date, so it is published now")
    elif state == "future" and not entry.draft and entry.date and entry.date <= datetime.now(UTC):
        entry.warn("was scheduled for a time that has passed, so it is published")


def _limit(entry: ImportedPost, node: WxrNode, blog: WordPressSite) -> None:
    """Make posts that were restricted, in whole or in part, drafts; set the time of unpublishing."""
    limited = reason_limited(node.meta) or blog.rules.reason_limited(node["wp:post_id"])
    restriction = restriction_in_html(node.texts.get("content:encoded", ""))
    entry.draft = entry.draft or bool(limited or restriction)
    entry.warn(f"{limited}, imported as a draft" if limited else "")
    entry.warn(restriction)
    entry.unpublish_at = parse_datetime(expires_at(node.meta))


def _date(node: WxrNode, what: str) -> datetime | None:
    """A date; WordPress writes zeros for an unknown one."""
    for name in (f"wp:{what}_date_gmt", f"wp:{what}_date", "pubDate"):
        if moment := parse_datetime(node[name]):
            return moment
    return None


def _set_terms(entry: ImportedPost, node: WxrNode, blog: WordPressSite) -> None:
    """Set the first category as the category; further categories, and all tags, become tags."""
    terms = [(category.get("domain", "category"), category) for category in node.categories]
    categories = _unique(
        [blog.term(c, "wp:category") for domain, c in terms if domain == "category"]
    )
    tags = [blog.term(c, "wp:tag") for domain, c in terms if domain in ("post_tag", "tag")]
    old = {tag.name.casefold() for tag in tags}  # WXR 1.0 names each tag again without a domain
    category_names = {
        c["name"].casefold() for domain, c in terms if "domain" in c and domain == "category"
    }
    categories = [
        c for c in categories if c.name.casefold() in category_names or c.name.casefold() not in old
    ]
    entry.category = categories[0] if categories else None
    entry.tags = _unique([*categories[1:], *tags])


def _unique(terms: list[ImportedTerm]) -> list[ImportedTerm]:
    """The distinct names, ignoring case; terms with a slug are preferred."""
    by_name: dict[str, ImportedTerm] = {}
    for term in terms:
        key = term.name.casefold()
        if term.name and (key not in by_name or (term.slug and not by_name[key].slug)):
            by_name[key] = term
    return list(by_name.values())


def _number(text: str) -> int:
    """The position among pages; WordPress allows negative numbers, Quire does not."""
    return min(int(text), 2**31 - 1) if text.isdecimal() and len(text) < 12 else 0


def _old_paths(node: WxrNode) -> list[str]:
    """The paths on the old site, under the current and former slugs; not addresses by number."""
    address = urlsplit(node["link"])
    by_number = any(name in parse_qs(address.query) for name in _BY_NUMBER)
    path = None if by_number else paths.old_path(address.path)
    former = [unquote(slug) for slug in node.meta.get("_wp_old_slug", ())]
    above = re.sub(r"[^/]*/?$", "", path) if path else "/posts/"
    end = "/" if path and path.endswith("/") else ""
    old_paths = [path, *(paths.old_path(f"{above}{slug}{end}") for slug in former if slug)]
    return list(dict.fromkeys(each for each in old_paths if each))


def _comments(
    node: WxrNode, kind: str, blog: WordPressSite, left_out: Counter[str]
) -> list[ImportedComment]:
    comments = []
    for comment in node.comments:
        type = comment["wp:comment_type"] or "comment"
        if type in ("pingback", "trackback"):
            left_out["pingback"] += 1
        elif type != "comment":
            left_out["order"] += 1
        elif kind == "page":
            left_out["page comment"] += 1
        elif imported := _comment(comment, blog):
            comments.append(imported)
        else:
            left_out["empty comment"] += 1
    return comments


def _comment(comment: WxrNode, blog: WordPressSite) -> ImportedComment | None:
    html = names.printable(comment.texts.get("wp:comment_content", ""))[:_MAX_HTML]
    body = to_markdown(html if "\n" not in html else with_paragraphs(html))[0]
    if is_blank(body) or len(body.encode()) > MAX_BODY_BYTES:
        return None
    person = blog.commenter(comment)
    state, parent = comment["wp:comment_approved"], comment["wp:comment_parent"]
    return ImportedComment(
        comment["wp:comment_id"],
        body,
        plain_text(comment["wp:comment_author"]) or (person.name if person else ""),
        person,
        parent if parent != "0" else None,
        _STATES.get(state, "pending"),
        state == "trash",
        _date(comment, "comment"),
    )
