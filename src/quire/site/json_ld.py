"""Structured data (schema.org) for search engines and link previews."""

from typing import Any

from flask import url_for

from quire.web.hosts import site_root
from quire.web.html import summary

CONTEXT = "https://schema.org"


def website(settings: dict[str, Any]) -> dict[str, Any]:
    """Describe the site as https://schema.org/WebSite."""
    root = site_root()
    return {
        "@context": CONTEXT,
        "@type": "WebSite",
        "name": settings["site_name"],
        "description": settings["tagline"],
        "url": root + url_for("site.home"),
    }


def blog_posting(post: dict[str, Any], author: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Describe a post as https://schema.org/BlogPosting."""
    root = site_root()
    writer = root + url_for("site.author", username=post["author"]["username"])
    posting = {
        "@context": CONTEXT,
        "@type": "BlogPosting",
        "headline": post["seo_title"] or post["title"],
        "description": post["seo_description"] or summary(post["excerpt"], post["body_html"]),
        "url": root + url_for("site.post", slug=post["slug"]),
        "image": root + post["cover"]["url"] if post["cover"] else None,
        "datePublished": post["published_at"],
        "dateModified": max(post["updated_at"], post["published_at"]),
        "author": {"@type": "Person", "name": author, "url": writer},
        "publisher": {"@type": "Organization", "name": settings["site_name"]},
        "keywords": [tag["name"] for tag in post["tags"]],
        "articleSection": (post["category"] or {}).get("name"),
        "commentCount": post["comment_count"],
    }
    return {name: value for name, value in posting.items() if value not in (None, "", [])}
