"""A deprecated record type, field and action: response headers, marks in the document."""

from datetime import date

import pytest
from sqlalchemy.orm import Mapped

from quire.actor import SYSTEM
from quire.api.media import MediaUsage
from quire.api.openapi.document import build_document
from quire.api.search import Search
from quire.app import create_app
from quire.declare.action import Action
from quire.declare.column_types import Name, Title
from quire.declare.deprecation import Deprecation
from quire.declare.fields import Editable, Shown
from quire.declare.mixins import HasId, Timestamped, Versioned
from quire.declare.record import REGISTRY, Access, Record
from quire.declare.rules import ANYONE, role
from quire.records.webhooks import known_events
from quire.store.db import Model, db
from quire.store.write import create
from tests.api.client import Client
from tests.users import enrol, signed_in

OLD_NAME = Deprecation(date(2026, 3, 1), sunset=date(2027, 3, 1), replacement="Use `title`.")
OLD_ACTION = Deprecation(date(2026, 4, 1), link="/about-ringing")
OLD_TYPE = Deprecation(date(2026, 5, 1))


def declare(name, **more):
    """Declare a record type with a deprecated field and action."""
    columns = {"title": Mapped[Title], "nick": Mapped[Name]}
    parts = {"__tablename__": f"{name.lower()}s", "__annotations__": columns, "__doc__": "A thing."}
    model = type(name, (HasId, Timestamped, Versioned, Model), parts)
    return Record(
        model,
        path=f"{name.lower()}s",
        fields=[
            Shown("id", sort=True, filter=True),
            Editable("title"),
            Editable("nick", sort=True, filter=True, deprecated=OLD_NAME),
            Shown("created_at"),
            Shown("updated_at"),
            Shown("version"),
        ],
        access=Access(read=ANYONE, create=role("admin"), update=role("admin")),
        actions=[Action("ring", lambda change: {}, role("admin"), deprecated=OLD_ACTION)],
        title_field="title",
        **more,
    )


@pytest.fixture(scope="module")
def records():
    made = declare("Bell"), declare("Gong", deprecated=OLD_TYPE)
    yield made
    for record in made:
        del REGISTRY[record.path]
        Model.metadata.remove(record.table)
        Model.registry._dispose_cls(record.model)
    known_events.cache_clear()


@pytest.fixture(scope="module")
def admin(records):
    app = create_app("testing")
    app.test_client_class = Client
    with app.app_context():
        db.create_all()
    people = enrol(app, ["root"])
    with app.app_context():
        for record in records:
            create(record, SYSTEM, {"title": "Big", "nick": "Ben"})
    client = signed_in(app, people["root"])
    client.checked = False
    yield client
    with app.app_context():
        db.engine.dispose()


def deprecation(response):
    assert response.status_code < 300, response.text
    return response.headers.get("Deprecation")


def test_every_response_of_a_deprecated_type_says_so(admin):
    assert deprecation(admin.get("gongs/1")) == "@1777593600"
    assert deprecation(admin.patch("gongs/1", json={"title": "Bong"})) == "@1777593600"
    listed = admin.get("gongs?per_page=1")
    links = listed.headers["Link"]
    assert 'rel="first"' in links and 'rel="deprecation"' in links
    missing = admin.get("gongs/99")
    assert (missing.status_code, missing.headers["Deprecation"]) == (404, "@1777593600")


def test_deprecated_action_says_so(admin):
    answer = admin.post("bells/1/ring")
    assert deprecation(answer) == "@1775001600"
    assert answer.headers["Link"] == '</about-ringing>; rel="deprecation"; type="text/html"'


@pytest.mark.parametrize(
    "query", ["nick=Ben", "nick__in=Ben,Tom", "sort=-nick", "fields=title,nick"]
)
def test_deprecated_field_in_the_query_is_reported(admin, query):
    answer = admin.get(f"bells?{query}")
    assert deprecation(answer) == "@1772323200"
    assert answer.headers["Sunset"] == "Mon, 01 Mar 2027 00:00:00 GMT"


def test_deprecated_field_in_the_body_is_reported(admin):
    assert deprecation(admin.patch("bells/1", json={"nick": "Ben"})) == "@1772323200"
    assert deprecation(admin.patch("bells/1", json={"title": "Bell"})) is None


def test_earliest_of_several_deprecations_is_reported(admin):
    assert deprecation(admin.get("gongs?nick=Ben")) == "@1772323200"


@pytest.mark.parametrize("path", ["bells", "bells/1", "tags", ""])
def test_responses_without_deprecations_have_no_headers(admin, path):
    answer = admin.get(path)
    assert not {"Deprecation", "Sunset"} & set(answer.headers.keys())


def test_openapi_document_marks_deprecations(records):
    whole = build_document()
    paths, schemas = whole["paths"], whole["components"]["schemas"]
    assert all(one["deprecated"] for m, one in paths["/gongs"].items())
    assert paths["/bells/{id}/ring"]["post"]["deprecated"] is True
    assert "deprecated" not in paths["/bells"]["get"]
    answer = paths["/gongs"]["get"]["responses"]["200"]["headers"]
    assert {"Deprecation", "Link"} <= answer.keys() and "Sunset" not in answer
    for name in ("Bell", "BellNew", "BellChange"):
        field = schemas[name]["properties"]["nick"]
        assert (field["deprecated"], field["description"]) == (True, OLD_NAME.description), name
    parameters = whole["components"]["parameters"]
    assert (
        parameters["bells.nick"]["deprecated"] is parameters["bells.nick__in"]["deprecated"] is True
    )
    assert "deprecated" not in schemas["Bell"]["properties"]["title"]


@pytest.mark.parametrize(
    ("resource", "address", "path"),
    [(Search, "search?q=sea", "/search"), (MediaUsage, "media/9/uses", "/media/{id}/uses")],
)
def test_deprecated_custom_url_says_so(admin, monkeypatch, resource, address, path):
    assert "Deprecation" not in admin.get(address).headers
    assert "deprecated" not in build_document()["paths"][path]["get"]
    monkeypatch.setattr(resource, "deprecated", OLD_NAME, raising=False)
    answer = admin.get(address)
    assert answer.headers["Deprecation"] == "@1772323200"
    assert answer.headers["Sunset"] == "Mon, 01 Mar 2027 00:00:00 GMT"
    operation = build_document()["paths"][path]["get"]
    assert operation["deprecated"] is True and "Use `title`." in operation["description"]
