"""Reading: the root of the API, recent changes, and messages for unknown names."""

import pytest

from quire.api.openapi.document import document
from quire.declare.record import REGISTRY
from quire.store.db import db
from tests.api.test_access_order import code
from tests.query_plans import query_plans

CHANGING = [
    path
    for path, record in REGISTRY.items()
    if "updated_at" in record.fields_by_name and not record.singleton
]


@pytest.mark.parametrize("path", CHANGING)
def test_records_can_be_sorted_by_last_change(as_, content, path):
    root = as_("root")
    for sort in ("updated_at", "-updated_at"):
        assert root.get(f"{path}?sort={sort}").status_code == 200
    assert (
        root.get(f"{path}?updated_at__gte=2000-01-01").json["total"] == root.get(path).json["total"]
    )
    assert root.get(f"{path}?updated_at__lt=2000-01-01").json["total"] == 0


@pytest.mark.parametrize("path", ["posts", "comments"])
def test_latest_changes_are_read_from_an_index(app, as_, content, path):
    with app.app_context():
        engine = db.engine
    plans = query_plans(
        engine,
        lambda: as_(None).get(f"{path}?sort=-updated_at&count=none"),
        containing="LIMIT",
        without=("seqscan", "sort"),
    )
    assert f"ix_{path}_updated_at" in plans[-1]


def test_root_lists_what_the_api_offers(as_):
    nobody = as_(None).get("/api/v1/")
    assert nobody.status_code == 200
    assert nobody.json["name"] == "Quire"
    assert nobody.json["version"]
    assert nobody.json["documents"]["openapi"] == "/api/v1/openapi.json"
    types = [one["path"] for one in nobody.json["types"]]
    assert "posts" in types
    assert "audit_events" not in types
    assert "audit_events" in [one["path"] for one in as_("root").get("/api/v1/").json["types"]]
    for one in nobody.json["types"]:
        assert as_(None).get(one["url"]).status_code == 200
    assert code(as_(None).get("/api/v1/?x=1")) == (400, "unknown_parameter")


def test_error_suggests_the_name_filter_if_an_id_is_expected(as_, content):
    nobody = as_(None)
    for query, name in (
        ("posts?author=ann", "author.username"),
        ("posts?author__in=ann,abe", "author.username"),
        ("posts?tags=sea", "tags.name"),
        ("posts?category=news", "category.slug"),
    ):
        answer = nobody.get(query)
        assert code(answer) == (400, "invalid_parameter"), query
        assert name in answer.json["message"], answer.json["message"]
    assert "." not in nobody.get("posts?published_at=x").json["message"].rstrip(".")


def test_error_without_known_names_is_a_sentence(as_, content):
    nobody = as_(None)
    assert (
        nobody.get("csrf-token?x=1").json["message"]
        == "x is not a valid parameter. None are available."
    )
    assert nobody.get("tags?include=x").json["message"].endswith("None are available.")


def test_document_is_fit_for_generated_clients():
    parameters = document()["components"]["parameters"]
    assert "default" not in parameters["page"]["schema"]
    content = document()["paths"]["/media"]["post"]["requestBody"]["content"]
    assert list(content) == ["multipart/form-data"]
    assert (
        document()["components"]["schemas"]["MediaNew"]["properties"]["file"]["format"] == "binary"
    )
