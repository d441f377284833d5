"""/metrics: who may read it, and that events are counted."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from quire.declare.job_registry import PER_PROCESS
from quire.monitoring.setup import shared_counters
from quire.records import TAGS
from tests.users import PASSWORD

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a-token-for-the-metrics-0123456789"


def read(app, address="127.0.0.1", **headers):
    environ = {"REMOTE_ADDR": address}
    return app.test_client().get("/metrics", headers=headers, environ_overrides=environ)


def values(app, **headers):
    """Return all samples as `name{labels}`: value."""
    response = read(app, **headers)
    assert response.status_code == 200, response.text
    return {
        (sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


@pytest.fixture
def increase(app):
    """`increase(call)`: the samples that are larger after the call, and by how much."""

    def run(call):
        before = values(app)
        call()
        after = values(app)
        changes = {key: value - before.get(key, 0) for key, value in after.items()}
        return {key: change for key, change in changes.items() if change > 0}

    return run


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_local_programs_may_read(app, address, host):
    response = read(app, address, Host=host)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.content_type == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.1", "2001:db8::1", ""])
def test_remote_clients_may_not_read(app, address):
    response = read(app, address)
    assert response.status_code == 403 and "quire_" not in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "192.0.2.1"},
        {"Forwarded": "for=192.0.2.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "evil.example"},
        {"Host": "example.org"},
        {"Host": ""},
    ],
)
def test_remote_clients_may_not_read_through_this_machine(make_app, headers):
    app = make_app(TRUSTED_HOSTS=["example.org"], PUBLIC_URL="https://example.org")
    assert read(app, **headers).status_code in (403, 404)


def test_client_of_a_trusted_proxy_counts(make_app):
    app = make_app(TRUSTED_PROXY="127.0.0.1")
    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}
    assert read(app, **forwarded).status_code == 403
    forwarded["X-Forwarded-For"] = "127.0.0.1"
    assert read(app, **forwarded).status_code == 403


def test_token_is_required_from_everyone_if_configured(make_app):
    app = make_app(METRICS_TOKEN=TOKEN)
    for address in ("127.0.0.1", "192.0.2.1"):
        for sent in ("", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN[:-1]}", "Bearer ä"):
            response = read(app, address, Authorization=sent)
            assert response.status_code == 401, sent
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
            assert TOKEN not in response.text
        assert read(app, address, Authorization=f"Bearer {TOKEN}").status_code == 200
        assert read(app, address, Authorization=f"bearer  {TOKEN}", Host="any").status_code == 200


def test_guessing_the_token_is_slowed_down(make_app):
    app = make_app(METRICS_TOKEN=TOKEN, RATELIMIT_ENABLED=True)
    answers = {read(app, Authorization="Bearer guess").status_code for _ in range(40)}
    assert answers == {401, 429}
    assert read(app, "192.0.2.1", Authorization=f"Bearer {TOKEN}").status_code == 200


def test_requests_are_counted_by_route_method_and_status(app, increase):
    client = app.test_client()

    def ask():
        for path in ("/posts/one", "/posts/two", "/nothing/here", "/readyz", "/api/v1/tags"):
            client.get(path)
        client.open("/", method="PROPFIND")

    changes = increase(ask)
    requests = {key[1:]: n for key, n in changes.items() if key[0] == "quire_http_requests_total"}
    assert requests == {
        ("method=GET", "route=/posts/<word:slug>", "status=404"): 2,
        ("method=GET", "route=none", "status=404"): 1,
        ("method=GET", "route=/readyz", "status=200"): 1,
        ("method=GET", "route=/api/v1/tags", "status=200"): 1,
        ("method=other", "route=none", "status=405"): 1,
        ("method=GET", "route=/metrics", "status=200"): 1,
    }
    post = ("method=GET", "route=/posts/<word:slug>")
    assert changes["quire_http_request_duration_seconds_count", *post] == 2
    assert changes["quire_http_request_duration_seconds_bucket", "le=+Inf", *post] == 2
    assert 0 < changes["quire_http_request_duration_seconds_sum", *post] < 60


def test_failed_request_is_counted(make_app):
    app = make_app()
    app.add_url_rule("/fails", view_func=lambda: 1 / 0, endpoint="fails")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.test_client().get("/fails")
    key = ("quire_http_requests_total", "method=GET", "route=/fails", "status=500")
    assert values(app)[key] == 1


def test_statements_and_failed_sign_ins_are_counted(app, people, increase):
    client = app.test_client()
    wrong = {"email": "ann@example.org", "password": f"{PASSWORD} wrong"}
    changes = increase(lambda: client.post("/api/v1/auth/token", json=wrong))
    assert changes["quire_sign_in_failures_total", "proof=password"] == 1
    assert changes["quire_sql_statements_total",] > 2
    assert changes["quire_sql_seconds_total",] > 0


def test_cache_lookups_are_counted(app, make, increase):
    client = app.test_client()
    make(TAGS, name="sea")  # so that no total of an earlier test is valid

    def ask():
        client.get("/api/v1/tags")
        client.get("/api/v1/tags?per_page=5")  # another response, with the same total

    changes = increase(ask)
    assert changes["quire_cache_lookups_total", "result=hit"] >= 1
    assert changes["quire_cache_lookups_total", "result=miss"] >= 1


def test_cached_responses_are_counted_by_their_route(app, make, increase):
    client = app.test_client()
    make(TAGS, name="sea")  # so that no response of an earlier test is valid
    changes = increase(lambda: [client.get("/api/v1/tags") for _ in range(3)])
    assert changes["quire_response_cache_lookups_total", "result=miss"] >= 1
    assert changes["quire_response_cache_lookups_total", "result=hit"] == 2
    route = "method=GET", "route=/api/v1/tags", "status=200"
    assert changes["quire_http_requests_total", *route] == 3


def test_state_of_the_installation(make_app, tmp_path):
    found = values(make_app(QUIRE_INSTANCE=tmp_path))
    for state in ("waiting", "scheduled", "failed"):
        assert found["quire_jobs", f"state={state}"] == 0
    assert found["quire_oldest_job_seconds",] == 0
    assert found["quire_database_up",] == found["quire_processes",] == 1
    assert found["quire_database_bytes",] > 100_000
    assert ("quire_backup_age_seconds",) not in found


def test_age_of_the_newest_backup(make_app, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    (tmp_path / "backups").mkdir()
    for name in ("quire-20260101-000000.zip", "quire-20260102-000000.zip.age"):
        (tmp_path / "backups" / name).write_bytes(b"")
    age = (datetime.now(UTC) - datetime(2026, 1, 2, tzinfo=UTC)).total_seconds()
    assert abs(values(app)["quire_backup_age_seconds",] - age) < 60


def test_unreachable_database_leaves_the_other_metrics(make_app, tmp_path):
    away = "postgresql://somebody@127.0.0.1:1/nothing"
    found = values(make_app(DATABASE_URL=away, QUIRE_INSTANCE=tmp_path))
    assert found["quire_database_up",] == 0 and ("quire_database_bytes",) not in found
    assert found["quire_processes",] == 1


def test_clients_cannot_create_labels(app, increase):
    client = app.test_client()

    def ask():
        for number in range(5):
            client.get(f"/posts/p{number}")
            client.get(f"/x/{number}")
            client.open("/", method=f"M{number}")

    keys = [key for key in increase(ask) if key[0] == "quire_http_requests_total"]
    assert len(keys) == 4  # one of each kind, and the request for the metrics


def test_counters_are_shared_by_the_periodic_task(make_app, tmp_path):
    app = make_app(QUIRE_INSTANCE=tmp_path)
    task = next(one for one in PER_PROCESS if one.run.__name__ == "write_counters")
    with app.app_context():
        task.run()
        folder = shared_counters()._folder
        assert len(list(folder.glob("*-*.json"))) == 1
        shutil.rmtree(folder)


def test_prometheus_examples_are_valid_yaml_with_existing_metrics(app):
    guide = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    section = guide.partition("## Health and metrics")[2].partition("\n## ")[0]
    scrape, rules = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", section, re.DOTALL))
    assert scrape["scrape_configs"][0]["static_configs"][0]["targets"] == ["127.0.0.1:8000"]
    expressions = [one["expr"] for one in rules["groups"][0]["rules"]]
    assert len(expressions) == 6
    families = set(re.findall(r"# TYPE (\S+)", read(app).text))
    names = set(re.findall(r"\bquire_\w+", " ".join(expressions)))
    assert {name.removesuffix("_bucket") for name in names} <= families
