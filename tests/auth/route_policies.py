"""The policy table: who may use which URL, by rule and method; tests fail for URLs that are not in it.

Record types are taken from their declarations, everything else is listed by hand.
"""

import re
from dataclasses import dataclass

from quire.api.bulk import write_rules
from quire.declare.record import REGISTRY, record_of
from quire.declare.rules import ANYONE, NOBODY, SIGNED_IN, Rule, all_of, any_of, role

API, PANEL = "/api/v1", "/admin"
JSON_SERVER = "/api/compat/json-server"
NOWHERE = 4711
EXPLAINED = {"action": "read", "type": "posts"}


@dataclass(frozen=True)
class Policy:
    """A policy: `rule` decides who may use a URL, `door` how others are refused, `proof` whether credentials matter.

    Doors: "api" responds with 401 and 403, "panel" leads to the sign-in page or responds with 403, "page" leads to the
    sign-in page, "form" is open to everyone and responds by itself.
    """

    door: str
    rule: Rule = ANYONE
    proof: bool = True


OPEN = Policy("form")
OWN = Policy("page", role("member"))
EDITORS = Policy("panel", role("author"))
ADMINS = Policy("panel", role("admin"))
BLIND = Policy("api", proof=False)
LOOKED_AT = Policy("api")

BY_HAND = {
    "GET /": OPEN,
    "GET /about": OPEN,
    "GET /posts/<word:slug>": OPEN,
    "POST /posts/<word:slug>": OWN,
    "GET /comments/<id:id>": OWN,
    "POST /comments/<id:id>": OWN,
    "POST /comments/<id:id>/delete": OWN,
    "GET /pages/<word:slug>": OPEN,
    "GET /tags/<word:slug>": OPEN,
    "GET /categories/<word:slug>": OPEN,
    "GET /authors/<word:username>": OPEN,
    "GET /search": OPEN,
    "GET /feed.<any(atom, rss, json):form>": OPEN,
    "GET /tags/<word:slug>/feed.<any(atom, rss, json):form>": OPEN,
    "GET /categories/<word:slug>/feed.<any(atom, rss, json):form>": OPEN,
    "GET /authors/<word:username>/feed.<any(atom, rss, json):form>": OPEN,
    "GET /uploads/<word:name>": OPEN,
    "GET /preview/<word:token>": OPEN,
    "GET /theme/<any(light, dark, auto):theme>": OPEN,
    "GET /theme.css": OPEN,
    "GET /display": OPEN,
    "GET /custom/<path:filename>": OPEN,
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
    "GET /robots.txt": OPEN,
    "GET /sitemap.xml": OPEN,
    "GET /sitemap-<word:kind>-<id:number>.xml": OPEN,
    "GET /archive": OPEN,
    "GET /archive/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>": OPEN,
    "GET /static/<path:filename>": OPEN,
    "GET /auth/login": OPEN,
    "POST /auth/login": OPEN,
    "POST /auth/logout": OPEN,
    "GET /auth/two-factor": OPEN,
    "POST /auth/two-factor": OPEN,
    "POST /auth/passkey": OPEN,
    "POST /auth/passkey/options": OPEN,
    "GET /auth/register": OPEN,
    "POST /auth/register": OPEN,
    "GET /auth/reset": OPEN,
    "POST /auth/reset": OPEN,
    "GET /auth/reset/<word:token>": OPEN,
    "POST /auth/reset/<word:token>": OPEN,
    "GET /auth/verify/<word:token>": OPEN,
    "POST /auth/verify/<word:token>": OPEN,
    "GET /auth/unsubscribe/<word:token>": OPEN,
    "POST /auth/unsubscribe/<word:token>": OPEN,
    "GET /auth/setup/<word:token>": OPEN,
    "POST /auth/setup/<word:token>": OPEN,
    "POST /auth/stop-viewing": OPEN,
    "GET /dashboard": OWN,
    "GET /profile": OWN,
    "POST /profile": OWN,
    "GET /profile/password": OWN,
    "POST /profile/password": OWN,
    "GET /profile/email": OWN,
    "POST /profile/email": OWN,
    "GET /profile/two-factor": OWN,
    "POST /profile/two-factor": OWN,
    "POST /profile/two-factor/codes": OWN,
    "POST /profile/two-factor/off": OWN,
    "GET /profile/passkeys": OWN,
    "POST /profile/passkeys": OWN,
    "POST /profile/passkeys/options": OWN,
    "GET /profile/passkeys/<id:id>": OWN,
    "POST /profile/passkeys/<id:id>": OWN,
    "POST /profile/passkeys/<id:id>/remove": OWN,
    "GET /profile/sessions": OWN,
    "POST /profile/sessions": OWN,
    "POST /profile/sessions/<id:id>/end": OWN,
    "GET /profile/keys": OWN,
    "POST /profile/keys": OWN,
    "POST /profile/keys/<id:id>/delete": OWN,
    "GET /profile/export": OWN,
    "GET /profile/delete": OWN,
    "POST /profile/delete": OWN,
    "GET /admin/": EDITORS,
    "GET /admin/static/<path:filename>": OPEN,
    'GET /admin/static/bundles/<any("panel.css", "panel.js", "editor.js"):name>': OPEN,
    "GET /admin/access/": ADMINS,
    "POST /admin/access/view-as": ADMINS,
    "GET /admin/imports/": EDITORS,
    "POST /admin/imports/upload": EDITORS,
    "GET /admin/imports/<token>/": EDITORS,
    "POST /admin/imports/<token>/check": EDITORS,
    "POST /admin/imports/<token>/run": EDITORS,
    "POST /admin/imports/<token>/undo": EDITORS,
    "POST /admin/imports/<token>/stop": EDITORS,
    "POST /admin/imports/<token>/discard": EDITORS,
    "GET /admin/archive/": ADMINS,
    "POST /admin/archive/download": ADMINS,
    "GET /admin/backups/": ADMINS,
    "POST /admin/backups/make": ADMINS,
    "POST /admin/backups/verify": ADMINS,
    "POST /admin/backups/download": ADMINS,
    "POST /admin/sessions/end-all/": ADMINS,
    "GET /admin/log/": ADMINS,
    "GET /admin/checks/": ADMINS,
    "GET /admin/invitations/": ADMINS,
    "POST /admin/invitations/": ADMINS,
    "POST /admin/media/replace/": Policy("panel", REGISTRY["media"].action("replace_file").allow),
    "GET /admin/palette/": EDITORS,
    "GET /admin/jobs/": ADMINS,
    "POST /admin/jobs/retry": ADMINS,
    "POST /admin/jobs/drop": ADMINS,
    "GET /admin/mail/": ADMINS,
    "GET /admin/mail/<file>": ADMINS,
    "GET /admin/mail/<file>/html": ADMINS,
    "POST /api/v1/auth/token": BLIND,
    "POST /api/v1/auth/refresh": BLIND,
    "POST /api/v1/auth/revoke": BLIND,
    "GET /api/v1/csrf-token": BLIND,
    "GET /api/v1/": LOOKED_AT,
    "GET /api/v1/openapi.json": BLIND,
    "GET /api/v1/docs": BLIND,
    "GET /api/v1/static/<path:filename>": BLIND,
    "GET /api/v1/access/explain": LOOKED_AT,
    "GET /api/v1/changes": LOOKED_AT,
    "GET /api/v1/search": Policy("api", REGISTRY["posts"].access.read),
    "GET /api/v1/media/<id:id>/uses": Policy("api", REGISTRY["media"].access.update),
    "GET /api/v1/users/me": Policy("api", all_of(SIGNED_IN, REGISTRY["users"].access.read)),
    "PATCH /api/v1/users/me": Policy("api", REGISTRY["users"].access.update),
    "DELETE /api/v1/sessions": Policy("api", REGISTRY["sessions"].access.delete),
    "GET /ghost/api/content/<any(posts, pages, tags, authors):kind>/": BLIND,
    "GET /ghost/api/content/<any(posts, pages, tags, authors):kind>/<id:id>/": BLIND,
    "GET /ghost/api/content/<any(posts, pages, tags, authors):kind>/slug/<slug>/": BLIND,
    "GET /ghost/api/content/settings/": BLIND,
    **{
        f"{method} /ghost/api/content/<path:rest>": BLIND
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    },
}

PANEL_VIEWS = {
    "GET /": "panel",
    "GET /lookup": "panel",
    "GET /details/": "panel",
    "GET /export/<export_type>/": "panel",
    "GET /new/": "create",
    "POST /new/": "create",
    "GET /edit/": "update",
    "POST /edit/": "update",
    "GET /delete/": "panel",
    "POST /delete/": "panel",
    "POST /action/": "panel",
    "GET /action/progress": "panel",
    "POST /ajax/update/": "panel",
    "POST /views/": "panel",
    "POST /display/": "panel",
    "POST /discard/": "panel",
    "POST /preview/": "panel",
    "GET /slug": "panel",
    "POST /rendered/": "panel",
    "GET /history/": "panel",
    "POST /restore/": "panel",
}
"""Views of every type in the panel, each with the rule that is the least it needs."""
MODERATION_VIEWS = {"GET /moderation/": "panel", "POST /moderation/reply/": "panel"}
"""Those of types with a moderation queue."""


def _of_api(record):
    access, path = record.access, f"{API}/{record.path}"
    change = {"PUT": access.update, "PATCH": access.update, "DELETE": access.delete}
    if record.singleton:
        found = {f"GET {path}": access.read, f"PATCH {path}": access.update}
    else:
        found = {f"GET {path}": access.read, f"GET {path}/<id:id>": access.read}
        readers = (f"POST {path}/query", f"GET {path}/counts", f"GET {path}/export")
        found |= dict.fromkeys(readers, access.read)
        found |= {f"POST {path}": access.create} if access.create is not NOBODY else {}
        found |= {f"{m} {path}/<id:id>": r for m, r in change.items() if r is not NOBODY}
    if "slug" in record.fields_by_name:
        found[f"GET {path}/by-slug/<slug>"] = access.read
    found |= {f"POST {path}/<id:id>/{one.name}": one.allow for one in record.actions}
    if rules := write_rules(record):
        found[f"POST {path}/bulk"] = all_of(SIGNED_IN, any_of(*rules))
    if record.is_versioned and record.history and access.update is not NOBODY:
        found[f"GET {path}/<id:id>/revisions"] = access.update
        one = f"{path}/<id:id>/revisions/<id:version>"
        found |= {f"GET {one}": access.update, f"GET {one}/diff": access.update}
        found[f"POST {one}/restore"] = access.update
    if record.drafts:
        draft = f"{path}/<id:id>/draft"
        found |= {f"{m} {draft}": access.update for m in ("GET", "PUT", "PATCH", "DELETE")}
        found |= {f"{m} {path}/<id:id>/previews": access.update for m in ("POST", "DELETE")}
    for name in record.nested_under:
        below = f"{API}/{record_of(record.field(name).target).path}/<id:id>/{record.path}"
        found |= {f"GET {below}": access.read, f"POST {below}": access.create}
    return {place: Policy("api", rule) for place, rule in found.items()}


def _of_json_server(record):
    """Return the policies of lists and single records at the URLs of json-server."""
    access, path = record.access, f"{JSON_SERVER}/{record.path}"
    change = {"PUT": access.update, "PATCH": access.update, "DELETE": access.delete}
    one = path if record.singleton else f"{path}/<id:id>"
    found = {f"GET {path}": access.read, f"GET {one}": access.read}
    if access.create is not NOBODY and record.path != "media":
        found[f"POST {path}"] = access.create
    found |= {f"{m} {one}": r for m, r in change.items() if r is not NOBODY}
    return {place: Policy("api", rule) for place, rule in found.items()}


def _of_panel(record):
    start = f"{PANEL}/{record.path}"
    views = PANEL_VIEWS | (MODERATION_VIEWS if record.moderation else {})
    return {
        place.replace(" ", f" {start}", 1): Policy(
            "panel", all_of(role("author"), getattr(record.access, verb))
        )
        for place, verb in views.items()
    }


def table():
    """Return every URL and method, such as `GET /api/v1/posts/<id:id>`, with its policy."""
    found = dict(BY_HAND)
    for record in REGISTRY.values():
        found |= _of_api(record) | _of_json_server(record) | _of_panel(record)
    return found


def ask(client, method, path, **more):
    """Send a request whose body is invalid, so that it changes nothing even if it is permitted."""
    more.setdefault("headers", {})
    if path.startswith("/api/") and method != "GET":
        more["json"] = {"nothing": 1}
    if path.endswith("/explain"):
        more["query_string"] = EXPLAINED
    if path.endswith("/search") and path.startswith("/api/"):
        more["query_string"] = {"q": "live"}
    if path.startswith("/admin/") and re.search(r"/(edit|details|delete)/$", path):
        more["query_string"] = {"id": NOWHERE if "sessions" in path else 1}
    return client.open(path, method=method, **more)
