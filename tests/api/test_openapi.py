"""The OpenAPI document: valid, complete, the committed one, and checked by every other test."""

import json
import re
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from quire.api.openapi.document import document
from quire.declare.record import REGISTRY
from quire.errors import DETAIL_CODES, ERROR_CODES

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"
METHODS = {"get", "post", "put", "patch", "delete"}


def operations():
    for path, item in document()["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def test_it_is_valid_openapi_3_1():
    validate(json.loads(json.dumps(document())))


def test_the_committed_document_is_this_one():
    """`manage.py openapi docs/openapi.json` writes it anew; look at the difference."""
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == document()


def test_every_address_and_method_is_described_and_no_other(app):
    bound = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.static":
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
            bound |= {(path, method.lower()) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert bound == {(path, method) for path, method, _ in operations()}


def test_operations_have_what_clients_are_made_of():
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in document()["tags"]}
    for path, method, operation in operations():
        assert operation["summary"] and set(operation["tags"]) <= tags, path
        assert operation["security"]
        assert {"400", "401", "429", "503"} <= operation["responses"].keys()
        if method in ("put", "patch"):
            assert {"200", "403", "409", "412", "413", "415", "422", "428"} <= operation[
                "responses"
            ].keys()
            assert any("If-Match" in parameter["$ref"] for parameter in operation["parameters"])
    assert {"listPosts", "createPost", "getMe", "publishPost", "listPostComments", "search"} <= set(
        ids
    )


def test_everything_is_referred_to_and_nothing_is_missing():
    text = json.dumps(document())
    for kind, components in document()["components"].items():
        for name in components:
            used = f'#/components/{kind}/{name}"' in text or kind == "securitySchemes"
            assert used or name in ("Allow", "MethodNotAllowed"), (kind, name)
    for reference in set(re.findall(r'"#/components/(\w+)/([^"]+)"', text)):
        assert reference[1] in document()["components"][reference[0]], reference


def test_codes_are_listed():
    schemas = document()["components"]["schemas"]
    assert schemas["Error"]["properties"]["code"]["enum"] == ERROR_CODES
    assert schemas["Detail"]["properties"]["code"]["enum"] == DETAIL_CODES


@pytest.mark.parametrize(
    "path", [path for path, record in REGISTRY.items() if not record.singleton]
)
def test_every_filter_is_a_parameter_of_its_own(path):
    listed = document()["paths"][f"/{path}"]["get"]["parameters"]
    names = {one["$ref"].rpartition("/")[2] for one in listed}
    assert {
        f"{path}.id",
        f"{path}.id__in",
        f"{path}.created_at__gte",
        f"{path}.sort",
        "page",
        "cursor",
    } <= names


def test_types_of_parameters():
    parameters = document()["components"]["parameters"]
    assert parameters["posts.status"]["schema"]["enum"][0] == "draft"
    assert parameters["posts.id__in"]["explode"] is False
    assert parameters["posts.published"]["schema"] == {"type": "boolean"}
    assert "Administrators" in parameters["users.email"]["description"]
    assert "-title" in parameters["posts.sort"]["schema"]["items"]["enum"]
    assert "comments.author" in parameters["posts.include"]["schema"]["items"]["enum"]
    for name in ("email", "role", "is_active"):
        assert name in parameters["users.fields"]["schema"]["items"]["enum"]
    assert "former_hash" not in json.dumps(document())
    assert "sorted_at" not in json.dumps(document())


def test_bodies():
    schemas = document()["components"]["schemas"]
    assert schemas["PostNew"]["required"] == ["title", "body"]
    assert "required" not in schemas["PostChange"]
    assert schemas["PostChange"]["additionalProperties"] is False
    assert "post" not in schemas["PostCommentNew"]["properties"]
    patch = document()["paths"]["/posts/{id}"]["patch"]["requestBody"]["content"]
    assert set(patch) == {"application/json", "application/merge-patch+json"}


def test_it_is_served(client):
    answer = client.get("openapi.json")
    assert answer.json == document()
    assert answer.headers["ETag"]


def test_the_page_needs_no_script_and_no_other_server(client):
    answer = client.get("docs")
    assert answer.mimetype == "text/html"
    assert "script-src" in answer.headers["Content-Security-Policy"]
    page = answer.text
    assert "<script" not in page
    assert " style=" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for operation_id in ("listPosts", "publishPost"):
        assert f'id="{operation_id}"' in page
