"""The door for readers: every address of the site and what answers there."""

from typing import Any

from flask import Blueprint, Flask

from quire.declare import prose
from quire.site import (
    account,
    archive,
    colors,
    dates,
    devices,
    discussion,
    display,
    feeds,
    joining,
    linked_data,
    looks,
    own_files,
    passkeys,
    preferences,
    previewing,
    profile,
    reading,
    recovery,
    remarks,
    resume,
    searching,
    second_step,
    service,
    sitemap,
    two_factor,
    unsubscribing,
    uploads,
    viewing,
)
from quire.site.device_names import device
from quire.site.paths import WordConverter

ADDRESSES: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("/", reading.home, ("GET",)),
    ("/posts/<word:slug>", discussion.post, ("GET", "POST")),
    ("/comments/<id:id>", remarks.comment, ("GET", "POST")),
    ("/comments/<id:id>/delete", remarks.delete_comment, ("POST",)),
    ("/pages/<word:slug>", reading.page, ("GET",)),
    ("/about", reading.about, ("GET",)),
    ("/tags/<word:slug>", reading.tag, ("GET",)),
    ("/categories/<word:slug>", reading.category, ("GET",)),
    ("/authors/<word:username>", reading.author, ("GET",)),
    ("/feed.<any(atom, rss, json):form>", feeds.feed, ("GET",)),
    ("/tags/<word:slug>/feed.<any(atom, rss, json):form>", feeds.tag_feed, ("GET",)),
    ("/categories/<word:slug>/feed.<any(atom, rss, json):form>", feeds.category_feed, ("GET",)),
    ("/authors/<word:username>/feed.<any(atom, rss, json):form>", feeds.author_feed, ("GET",)),
    ("/archive", archive.archive, ("GET",)),
    ("/archive/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>", archive.month, ("GET",)),
    ("/search", searching.search, ("GET",)),
    ("/uploads/<word:name>", uploads.uploads, ("GET",)),
    ("/preview/<word:token>", previewing.preview, ("GET",)),
    ("/theme/<any(light, dark, auto):theme>", preferences.theme, ("GET",)),
    ("/theme.css", colors.theme_css, ("GET",)),
    ("/display", display.display, ("GET",)),
    ("/custom/<path:filename>", own_files.own_file, ("GET",)),
    ("/auth/login", account.login, ("GET", "POST")),
    ("/auth/two-factor", second_step.second_step, ("GET", "POST")),
    ("/auth/passkey", second_step.sign_in_by_passkey, ("POST",)),
    ("/auth/passkey/options", second_step.passkey_question, ("POST",)),
    ("/auth/logout", account.logout, ("POST",)),
    ("/auth/register", joining.register, ("GET", "POST")),
    ("/auth/reset", recovery.ask_reset, ("GET", "POST")),
    ("/auth/reset/<word:token>", recovery.reset, ("GET", "POST")),
    ("/auth/verify/<word:token>", recovery.verify, ("GET", "POST")),
    ("/auth/unsubscribe/<word:token>", unsubscribing.unsubscribe, ("GET", "POST")),
    ("/auth/setup/<word:token>", account.first, ("GET", "POST")),
    ("/dashboard", devices.dashboard, ("GET",)),
    ("/profile", profile.profile, ("GET", "POST")),
    ("/profile/password", profile.password, ("GET", "POST")),
    ("/profile/email", profile.email, ("GET", "POST")),
    ("/profile/two-factor", two_factor.two_factor, ("GET", "POST")),
    ("/profile/two-factor/codes", two_factor.new_codes, ("POST",)),
    ("/profile/two-factor/off", two_factor.end_codes, ("POST",)),
    ("/profile/passkeys", passkeys.passkey_list, ("GET", "POST")),
    ("/profile/passkeys/options", passkeys.passkey_creation, ("POST",)),
    ("/profile/passkeys/<id:id>", passkeys.passkey, ("GET", "POST")),
    ("/profile/passkeys/<id:id>/remove", passkeys.remove_passkey, ("POST",)),
    ("/profile/sessions", devices.devices, ("GET", "POST")),
    ("/profile/sessions/<id:id>/end", devices.end_device, ("POST",)),
    ("/profile/keys", devices.keys, ("GET", "POST")),
    ("/profile/keys/<id:id>/delete", devices.revoke_key, ("POST",)),
    ("/profile/export", profile.export, ("GET",)),
    ("/profile/delete", profile.leave, ("GET", "POST")),
    ("/auth/stop-viewing", viewing.stop_viewing, ("POST",)),
    ("/healthz", service.health, ("GET",)),
    ("/robots.txt", sitemap.robots, ("GET",)),
    ("/sitemap.xml", sitemap.sitemap, ("GET",)),
    ("/sitemap-<word:kind>-<id:number>.xml", sitemap.sitemap_part, ("GET",)),
)


def init_app(app: Flask) -> None:
    """Open the door."""
    app.url_map.converters["word"] = WordConverter
    site = Blueprint(
        "site", __name__, template_folder="templates", static_folder="static",
        static_url_path="/static",
    )  # fmt: skip
    for path, view, methods in ADDRESSES:
        site.add_url_rule(path, view.__name__, view, methods=list(methods))
    site.after_request(looks.caching)
    app.register_blueprint(site)
    own_files.init_app(app)
    feeds.init_app(app)
    # the forms check the token themselves, and come back with what was typed
    app.extensions["csrf"].exempt(site)
    app.jinja_env.filters.update(
        prose=prose.prose, summary=prose.summary, minutes=prose.minutes, **dates.FILTERS
    )
    app.jinja_env.filters["rfc822"] = feeds.rfc822
    app.jinja_env.filters["device"] = device
    app.jinja_env.globals.update(
        asset=looks.asset, carried=resume.carried_text, site_data=linked_data.of_site
    )
