"""The URLs of the site, and their views."""

from typing import Any

from flask import Blueprint, Flask

from quire.declare.fragment_ids import sections
from quire.site import (
    accent_css,
    archive,
    canonical,
    content,
    display,
    feeds,
    health,
    impersonation,
    json_ld,
    metrics,
    overrides,
    own_comments,
    page,
    post_page,
    preferences,
    preview,
    search,
    sitemap,
    unsubscribe,
    uploads,
)
from quire.site.account import (
    login,
    passkeys,
    profile,
    register,
    reset,
    resubmit,
    second_step,
    sessions,
    two_factor,
)
from quire.site.paths import WordConverter
from quire.web import dates, html
from quire.web.device_names import device_name

ADDRESSES: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("/", content.home, ("GET",)),
    ("/posts/<word:slug>", post_page.post, ("GET", "POST")),
    ("/comments/<id:id>", own_comments.edit_comment, ("GET", "POST")),
    ("/comments/<id:id>/delete", own_comments.delete_comment, ("POST",)),
    ("/pages/<word:slug>", content.page, ("GET",)),
    ("/about", content.about, ("GET",)),
    ("/tags/<word:slug>", content.tag, ("GET",)),
    ("/categories/<word:slug>", content.category, ("GET",)),
    ("/authors/<word:username>", content.author, ("GET",)),
    ("/feed.<any(atom, rss, json):form>", feeds.feed, ("GET",)),
    ("/tags/<word:slug>/feed.<any(atom, rss, json):form>", feeds.tag_feed, ("GET",)),
    ("/categories/<word:slug>/feed.<any(atom, rss, json):form>", feeds.category_feed, ("GET",)),
    ("/authors/<word:username>/feed.<any(atom, rss, json):form>", feeds.author_feed, ("GET",)),
    ("/archive", archive.archive, ("GET",)),
    ("/archive/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>", archive.month, ("GET",)),
    ("/search", search.search, ("GET",)),
    ("/uploads/<word:name>", uploads.uploads, ("GET",)),
    ("/preview/<word:token>", preview.preview, ("GET",)),
    ("/theme/<any(light, dark, auto):theme>", preferences.theme, ("GET",)),
    ("/theme.css", accent_css.theme_css, ("GET",)),
    ("/display", display.display, ("GET",)),
    ("/custom/<path:filename>", overrides.custom_file, ("GET",)),
    ("/auth/login", login.login, ("GET", "POST")),
    ("/auth/two-factor", second_step.second_step, ("GET", "POST")),
    ("/auth/passkey", second_step.login_with_passkey, ("POST",)),
    ("/auth/passkey/options", second_step.passkey_login_options, ("POST",)),
    ("/auth/logout", login.logout, ("POST",)),
    ("/auth/register", register.register, ("GET", "POST")),
    ("/auth/reset", reset.request_reset, ("GET", "POST")),
    ("/auth/reset/<word:token>", reset.reset, ("GET", "POST")),
    ("/auth/verify/<word:token>", reset.verify, ("GET", "POST")),
    ("/auth/unsubscribe/<word:token>", unsubscribe.unsubscribe, ("GET", "POST")),
    ("/auth/setup/<word:token>", login.create_first_admin, ("GET", "POST")),
    ("/dashboard", sessions.dashboard, ("GET",)),
    ("/profile", profile.profile, ("GET", "POST")),
    ("/profile/password", profile.password, ("GET", "POST")),
    ("/profile/email", profile.email, ("GET", "POST")),
    ("/profile/two-factor", two_factor.two_factor, ("GET", "POST")),
    ("/profile/two-factor/codes", two_factor.regenerate_codes, ("POST",)),
    ("/profile/two-factor/off", two_factor.disable_two_factor, ("POST",)),
    ("/profile/passkeys", passkeys.passkey_list, ("GET", "POST")),
    ("/profile/passkeys/options", passkeys.passkey_registration_options, ("POST",)),
    ("/profile/passkeys/<id:id>", passkeys.passkey, ("GET", "POST")),
    ("/profile/passkeys/<id:id>/remove", passkeys.remove_passkey, ("POST",)),
    ("/profile/sessions", sessions.sessions, ("GET", "POST")),
    ("/profile/sessions/<id:id>/end", sessions.end_session, ("POST",)),
    ("/profile/keys", sessions.api_keys, ("GET", "POST")),
    ("/profile/keys/<id:id>/delete", sessions.revoke_key, ("POST",)),
    ("/profile/export", profile.export, ("GET",)),
    ("/profile/delete", profile.delete_account, ("GET", "POST")),
    ("/auth/stop-viewing", impersonation.stop_viewing, ("POST",)),
    ("/healthz", health.health, ("GET",)),
    ("/readyz", health.readiness, ("GET",)),
    ("/metrics", metrics.metrics, ("GET",)),
    ("/robots.txt", sitemap.robots, ("GET",)),
    ("/sitemap.xml", sitemap.sitemap, ("GET",)),
    ("/sitemap-<word:kind>-<id:number>.xml", sitemap.sitemap_part, ("GET",)),
)


def init_site(app: Flask) -> None:
    """Register the site in the application."""
    app.url_map.converters["word"] = WordConverter
    site = Blueprint(
        "site", __name__, template_folder="templates", static_folder="static",
        static_url_path="/static",
    )  # fmt: skip
    for path, view, methods in ADDRESSES:
        site.add_url_rule(path, view.__name__, view, methods=list(methods))
    site.before_request(canonical.redirect_to_canonical)
    site.after_request(page.set_cache_headers)
    app.register_blueprint(site)
    overrides.init_app(app)
    # the forms check the token themselves, and are shown again with what was typed
    app.extensions["csrf"].exempt(site)
    app.jinja_env.filters.update(
        prose=html.fit_into_page,
        summary=html.summary,
        minutes=html.reading_minutes,
        **dates.FILTERS,
    )
    app.jinja_env.filters["sections"] = sections
    app.jinja_env.filters["rfc822"] = feeds.rfc822
    app.jinja_env.filters["device"] = device_name
    app.jinja_env.globals.update(
        asset=page.asset, pending_form=resubmit.pending_form_token, site_data=json_ld.website
    )
