"""Uses the tutorial's events through the API and the panel; prints what came of it as JSON."""

import json
import re

from quire.actor import SYSTEM
from quire.app import create_app
from quire.auth import jwt
from quire.auth.accounts import Account
from quire.records import USERS
from quire.store.write import create

EVENT = {
    "title": "Summer meeting",
    "starts_at": "2027-06-21T18:00:00+02:00",
    "ends_on": "2027-06-22",
    "place": "Library",
    "capacity": 40,
    "price": "12.50",
    "code": "AB-12",
    "website": "https://example.org/summer",
    "description": "Bring *something* to read.",
}
PASSWORD = "a long enough one"
app = create_app("production", {"WTF_CSRF_ENABLED": False})
client = app.test_client()
headers = {}
with app.app_context():
    for name, role in (("root", "admin"), ("mod", "moderator"), ("ann", "author")):
        email = f"{name}@example.org"
        raw = {"username": name, "email": email, "password": PASSWORD, "role": role}
        made = create(USERS, SYSTEM, raw)
        pair = jwt.issue(Account(made.id, name, role))
        headers[name] = {"Authorization": f"Bearer {pair['access_token']}"}


def ask(method, path, who=None, body=None, **more):
    more = headers.get(who, {}) | more
    return client.open(f"/api/v1{path}", method=method, json=body, headers=more)


created = ask("POST", "/events", "mod", EVENT)
first = created.json
second = ask(
    "POST", "/events", "mod", EVENT | {"title": "Board", "is_public": False, "price": "99.90"}
)
bad = EVENT | {"capacity": 0, "price": 12.5, "website": "ftp://x", "seats": 3}
refused = ask("POST", "/events", "mod", bad).json["details"]
bounds = ask("POST", "/events", "mod", EVENT | {"price": "-1", "code": "ab"}).json["details"]
changed = ask("PATCH", f"/events/{first['id']}", "mod", {"capacity": 50})
statuses = {
    "anonymous": ask("POST", "/events", None, EVENT).status_code,
    "author": ask("POST", "/events", "ann", EVENT).status_code,
    "stale": ask(
        "PATCH",
        f"/events/{first['id']}",
        "mod",
        {"capacity": 1},
        **{"If-Match": created.headers["ETag"]},
    ).status_code,
    "hidden": ask("GET", f"/events/{second.json['id']}", "ann").status_code,
    "ends": ask("PATCH", f"/events/{first['id']}", "mod", {"ends_on": "2020-01-01"}).status_code,
}
lists = {
    "filter": ask("GET", "/events?starts_at__gte=2027-01-01&price__lt=50", "mod").json["total"],
    "search": ask("GET", "/events?search=library&is_public=true", "mod").json["total"],
    "anonymous": ask("GET", "/events").json["total"],
    "by_price": [one["id"] for one in ask("GET", "/events?sort=-price", "mod").json["events"]],
}
revisions = ask("GET", f"/events/{first['id']}/revisions", "mod").json["revisions"]
audit = ask("GET", f"/audit_events?type=events&record_id={first['id']}&sort=id", "root").json
document = ask("GET", "/openapi.json").json
paths, schema = list(document["paths"]), document["components"]["schemas"]["EventNew"]


def panel(name):
    visitor = app.test_client()
    signed = visitor.post(
        "/auth/login", data={"email": f"{name}@example.org", "password": PASSWORD}
    )
    assert signed.status_code == 302, signed.status_code
    return visitor


editor = panel("mod")
form = editor.get("/admin/events/new/").text
inputs = {
    name: dict(re.findall(r'(min|max|step|pattern|type)="([^"]*)"', tag))
    for name in ("capacity", "price", "code")
    for tag in re.findall(rf'<input[^>]* name="{name}"[^>]*>', form)
}
admin = {
    "list": editor.get("/admin/events/").status_code,
    "new": editor.get("/admin/events/new/").status_code,
    "edit": editor.get(f"/admin/events/edit/?id={first['id']}").status_code,
    "details": editor.get(f"/admin/events/details/?id={first['id']}").status_code,
    "as_author": panel("ann").get("/admin/events/").status_code,
}
print(
    json.dumps(
        {
            "created": first,
            "statuses": statuses,
            "refused": {one["field"]: one["code"] for one in refused},
            "bounds": [one["message"] for one in bounds],
            "schema": {name: schema["properties"][name] for name in ("capacity", "price", "code")},
            "inputs": inputs,
            "lists": lists,
            "revisions": [one["version"] for one in revisions],
            "audit": [one["action"] for one in audit["audit_events"]],
            "paths": [path for path in paths if "events" in path],
            "admin": admin,
        }
    )
)
