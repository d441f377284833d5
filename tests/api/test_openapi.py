"""The OpenAPI document: valid, complete, identical to the committed one, and checked by all other tests."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from quire.api.openapi.document import document
from quire.declare.record import REGISTRY
from quire.errors import DETAIL_CODES, ERROR_CODES
from quire.records import TAGS
from tests.api.client import fits, pointer

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.json"
METHODS = {"get", "post", "put", "patch", "delete"}


def operations():
    for path, item in document()["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


@pytest.mark.slow
def test_document_is_valid_openapi_3_1():
    # loaded here, since it takes 5 MB of each process
    validator = import_module("openapi_spec_validator")
    validator.validate(json.loads(json.dumps(document())))


def test_committed_document_is_current():
    """`manage.py openapi docs/openapi.json` updates it; check the difference."""
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8")) == document()


def test_every_url_and_method_is_described(app):
    bound = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.static":
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
            bound |= {(path, method.lower()) for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert bound == {(path, method) for path, method, _ in operations()}


def test_operations_have_what_generators_need():
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    tags = {tag["name"] for tag in document()["tags"]}
    for path, method, operation in operations():
        assert operation["summary"] and set(operation["tags"]) <= tags, path
        assert operation["description"] not in ("", operation["summary"])
        assert {"400", "401", "429", "503"} <= operation["responses"].keys()
        if method in ("put", "patch"):
            assert {"200", "403", "409", "412", "413", "415", "422", "428"} <= operation[
                "responses"
            ].keys()
            assert any("If-Match" in parameter["$ref"] for parameter in operation["parameters"])
    assert {"listPosts", "createPost", "getMe", "publishPost", "listPostComments", "search"} <= set(
        ids
    )


def test_all_references_resolve_and_all_components_are_used():
    text = json.dumps(document())
    for kind, components in document()["components"].items():
        for name in components:
            used = f'#/components/{kind}/{name}"' in text or kind == "securitySchemes"
            assert used or name in ("Allow", "MethodNotAllowed"), (kind, name)
    for reference in set(re.findall(r'"#/components/(\w+)/([^"]+)"', text)):
        assert reference[1] in document()["components"][reference[0]], reference


def test_error_codes_are_listed():
    schemas = document()["components"]["schemas"]
    assert schemas["Error"]["properties"]["code"]["enum"] == ERROR_CODES
    assert schemas["Detail"]["properties"]["code"]["enum"] == DETAIL_CODES


@pytest.mark.parametrize(
    "path", [path for path, record in REGISTRY.items() if not record.singleton]
)
def test_every_filter_is_a_parameter(path):
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


def test_parameter_types():
    parameters = document()["components"]["parameters"]
    assert parameters["posts.status"]["schema"]["enum"][0] == "draft"
    assert parameters["posts.id__in"]["explode"] is True
    assert parameters["posts.published"]["schema"] == {"type": "boolean"}
    assert "Administrators" in parameters["users.email"]["description"]
    assert "-title" in parameters["posts.sort"]["schema"]["items"]["enum"]
    assert "comments.author" in parameters["posts.include"]["schema"]["items"]["enum"]
    for name in ("email", "role", "is_active"):
        assert name in parameters["users.fields"]["schema"]["items"]["enum"]
    assert "former_hash" not in json.dumps(document())
    assert "sorted_at" not in json.dumps(document())


def test_request_bodies():
    schemas = document()["components"]["schemas"]
    assert schemas["PostNew"]["required"] == ["title", "body"]
    assert "required" not in schemas["PostChange"]
    assert schemas["PostChange"]["additionalProperties"] is False
    assert "post" not in schemas["PostCommentNew"]["properties"]
    patch = document()["paths"]["/posts/{id}"]["patch"]["requestBody"]["content"]
    assert set(patch) == {"application/json", "application/merge-patch+json"}


def test_document_is_served(client):
    answer = client.get("openapi.json")
    assert answer.json == document()
    assert answer.headers["ETag"]


def test_html_page_needs_no_script_and_no_other_server(client):
    answer = client.get("docs")
    assert answer.mimetype == "text/html"
    assert "script-src" in answer.headers["Content-Security-Policy"]
    page = answer.text
    assert "<script" not in page
    assert " style=" not in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    for operation_id in ("listPosts", "publishPost"):
        assert f'id="{operation_id}"' in page


def test_public_operations_are_marked():
    by_id = {one["operationId"]: one["security"] for _, _, one in operations()}
    for name in ("listPosts", "signIn", "createUser", "getChanges", "search"):
        assert by_id[name] == [], name
    for name in ("createPost", "getMe", "listAuditEvents", "deletePost"):
        assert {"bearer": []} in by_id[name], name


def bodies():
    """Yield every request and response that has a schema, with its location."""
    holders = [("responses", name) for name in document()["components"]["responses"]]
    for holder in holders:
        yield document()["components"]["responses"][holder[1]], ("components", *holder)
    for path, method, operation in operations():
        for status, response in operation["responses"].items():
            yield response, ("paths", path, method, "responses", status)
        if "requestBody" in operation:
            yield operation["requestBody"], ("paths", path, method, "requestBody")


def test_every_body_has_an_example_that_matches_its_schema():
    examples = document()["components"]["examples"]
    for holder, place in bodies():
        for mime, content in holder.get("content", {}).items():
            keys = [*place, "content", mime, "schema"]
            named = [examples[name]["value"] for name in content.get("examples", {})]
            given = [content["example"]] if "example" in content else named
            assert given, place
            for example in given:
                fits(pointer(keys), example, f"the example at {place}")


def test_objects_are_complete():
    schemas = document()["components"]["schemas"]
    assert not [name for name in schemas if "Selection" in name]
    post, user = schemas["Post"], schemas["UserReference"]
    assert {"title", "author", "version"} <= set(post["required"])
    assert not {"comments", "comments_total", "seo_title"} & set(post["required"])
    assert post["properties"]["comments"]["items"] == {"$ref": "#/components/schemas/Comment"}
    assert user["required"] == ["id", "username"] and "bio" in user["properties"]


def test_optional_properties_have_no_default():
    def defaults(value):
        if isinstance(value, dict):
            own = ["default"] if not isinstance(value.get("default", {}), dict) else []
            return own + [one for part in value.values() for one in defaults(part)]
        return [one for part in value for one in defaults(part)] if isinstance(value, list) else []

    assert not defaults({n: p for n, p in document().items() if n != "info"})


def test_files_are_sent_as_multipart():
    upload = document()["paths"]["/media"]["post"]["requestBody"]["content"]
    assert set(upload) == {"multipart/form-data"}
    parts = document()["components"]["schemas"]["MediaNew"]["properties"]
    assert parts["file"]["format"] == "binary"
    assert parts["focal_point"]["type"] == "object"


def test_list_parameters_are_accepted_as_described(client, make):
    for name in ("python", "flask", "sql"):
        make(TAGS, name=name)
    expected = client.get("tags?name__in=python,flask").json["tags"]
    assert len(expected) == 2
    assert client.get("tags?name__in=python&name__in=flask").json["tags"] == expected
    shown = client.get("tags?fields=id&fields=name&sort=name&sort=-id").json["tags"]
    assert shown == client.get("tags?fields=id,name&sort=name,-id").json["tags"]
