"""Rate limits: guessing becomes slow at every interface, and strangers cannot lock anyone out."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from quire.actor import ANONYMOUS
from quire.auth.rate_limits import consume
from quire.errors import TooManyRequests, Unavailable
from quire.monitoring import outage_log
from quire.records import AUDIT_EVENTS, POSTS
from quire.security import counter_storage, login_throttle
from quire.security.client_network import client_network
from quire.security.login_throttle import reset
from quire.store.db import db, read_connection
from tests.auth.attempts import (
    ELSEWHERE,
    HERE,
    REDIS,
    Attempts,
    needs_redis,
    redis_client,
    wait_for_redis,
    wait_of,
)
from tests.fixtures import application
from tests.users import PASSWORD, give_session, signed_in

FREE = 5


@pytest.fixture(scope="module", params=["memory", pytest.param("redis", marks=needs_redis)])
def throttled(request, database):
    """An application with rate limits that counts in memory or in Redis."""
    url = REDIS if request.param == "redis" else ""
    settings = {**database.settings(), "RATELIMIT_ENABLED": True, "REDIS_URL": url}
    with pytest.MonkeyPatch.context() as monkeypatch:
        wait_for_redis(monkeypatch)
        yield application(settings)


@pytest.fixture
def tried(throttled, people):
    """Users of that application who have not tried anything yet."""
    throttled.extensions[login_throttle.STORAGE].reset()
    yield Attempts(throttled)
    with throttled.app_context():
        db.engine.dispose()


def noted(app, *actions):
    """Return the action, record and fields of audit events."""
    events = AUDIT_EVENTS.table.c
    wanted = select(events.action, events.record_id, events.fields).where(
        events.action.in_(actions)
    )
    with app.app_context(), read_connection() as connection:
        return [tuple(row) for row in connection.execute(wanted.order_by(events.id))]


def test_some_failures_are_free_and_then_each_wait_is_longer(tried):
    assert tried.fail(FREE + 1) == [401] * (FREE + 1)
    waits = []
    for _ in range(8):
        waits.append(wait_of(tried.right()))
        tried.later(waits[-1])
        assert tried.api().status_code == 401
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60], abs=1)
    tried.later(60)
    assert tried.right().status_code == 200


def test_signing_in_resets_failures(tried):
    tried.fail(FREE)
    assert tried.right().status_code == 200
    assert tried.fail(FREE + 1) == [401] * (FREE + 1)
    wait_of(tried.api())


def test_refusal_tells_programs_when_to_retry(tried):
    tried.block()
    answer = tried.right()
    assert answer.json["code"] == "too_many_requests"
    assert answer.json["message"].startswith("Too many attempts. Try again in ")
    assert answer.headers["RateLimit-Limit"] == str(FREE)
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Reset"] == answer.headers["Retry-After"]
    assert answer.headers["RateLimit-Policy"] == f'"password";q={FREE};w=3600'
    assert answer.headers["RateLimit"] == f'"password";r=0;t={answer.headers["Retry-After"]}'


def test_page_and_api_count_together(tried):
    assert [tried.page().status_code for _ in range(3)] == [401] * 3
    assert tried.fail(3) == [401] * 3
    wait_of(tried.right())
    page = tried.page(password=PASSWORD)
    assert wait_of(page) >= 1
    assert page.headers["RateLimit-Remaining"] == "0"
    assert "Too many attempts." in page.text
    assert "ann@example.org" in page.text and PASSWORD not in page.text


def test_asking_for_the_current_password_counts_too(tried, people):
    ann = signed_in(tried.app, people["ann"])
    given = {"current_password": "wrong", "password": "another pass"}
    here = {"REMOTE_ADDR": HERE}
    answers = [
        ann.patch("users/me", json=given, environ_overrides=here).status_code
        for _ in range(FREE + 2)
    ]
    assert answers == [422] * (FREE + 1) + [429]
    wait_of(tried.right())
    assert noted(tried.app, "sign_in_failed")[-1][1:] == (people["ann"].id, ["current_password"])
    tried.later(60)
    given["current_password"] = PASSWORD
    assert ann.patch("users/me", json=given, environ_overrides=here).status_code == 200


def test_password_form_explains_the_delay(tried, people):
    client = tried.app.test_client()
    give_session(tried.app, client, people["ann"])
    given = {"current_password": "wrong", "password": "another pass", "confirm": "another pass"}
    pages = [client.post("/profile/password", data=given) for _ in range(FREE + 2)]
    assert [page.status_code for page in pages] == [422] * (FREE + 1) + [429]
    assert "Too many attempts." in pages[-1].text
    assert wait_of(pages[-1]) >= 1


def test_panel_explains_the_delay_and_keeps_what_was_typed(tried, people):
    root, client = people["root"], tried.app.test_client()
    give_session(tried.app, client, root)
    given = {"username": "root", "email": "else@example.org", "current_password": "wrong"}
    pages = [client.post(f"/admin/users/edit/?id={root.id}", data=given) for _ in range(FREE + 2)]
    assert [page.status_code for page in pages] == [422] * (FREE + 1) + [429]
    assert "Too many attempts." in pages[-1].text
    assert "else@example.org" in pages[-1].text
    assert wait_of(pages[-1]) >= 1


def test_user_whose_password_is_guessed_can_sign_in_from_elsewhere(tried):
    tried.block()
    wait_of(tried.right())
    assert tried.right(ip=ELSEWHERE).status_code == 200


def test_distributed_guesses_are_slow_and_do_not_lock_out_the_owner(tried):
    assert tried.right(ip=ELSEWHERE).status_code == 200
    statuses = [
        status for n in range(1, 9) for status in tried.fail(FREE, name="ann", ip=f"203.0.113.{n}")
    ]
    assert 21 <= statuses.count(401) <= 25
    assert tried.right(ip=ELSEWHERE).status_code == 200  # a known network
    assert wait_of(tried.right(ip=HERE)) <= 60
    tried.later(60)
    assert tried.right(ip=HERE).status_code == 200


def test_network_cannot_try_one_password_on_all_accounts(tried):
    statuses = [tried.api(name=f"nobody{n}").status_code for n in range(33)]
    assert statuses == [401] * 31 + [429] * 2
    wait_of(tried.right())
    assert tried.right(ip=ELSEWHERE).status_code == 200


def test_signing_in_does_not_reset_the_network(tried):
    for n in range(30):
        tried.api(name=f"nobody{n}")
        assert tried.right("abe").status_code == 200
    tried.api(name="one")
    wait_of(tried.api(name="more"))


@pytest.mark.parametrize(
    "more",
    [
        {"headers": {"X-Forwarded-For": "203.0.113.9"}},
        {"headers": {"Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}},
        {"email": "  ANN@Example.ORG "},
        {"query_string": {"email": "x"}},
        {"headers": {"Cookie": "quire=x", "User-Agent": "another"}},
    ],
)
def test_client_headers_do_not_evade_limits(tried, more):
    tried.block()
    answer = tried.api(password=PASSWORD, **more)
    assert answer.status_code in (400, 429)
    assert (answer.status_code == 400) == ("query_string" in more)  # unknown parameters are refused


@pytest.mark.parametrize(
    "spelled",
    ["ANN@EXAMPLE.ORG", " ann@example.org", "ann@example.org\t", "ann@example.org\u00a0", "ann@Example.Org",
     "ann@example.org\u200b", "ａｎｎ@example.org", "ann＠example.org", "ann@example。org", "\ufeffann@example.org"],
)  # fmt: skip
def test_other_spellings_of_an_address_are_the_same_account(tried, spelled):
    """Each spelling is either a different, unknown account, or it has to wait like the first one."""
    tried.block()
    answer = tried.api(email=spelled, password=PASSWORD)
    assert answer.status_code in (401, 422, 429)


def test_addresses_of_one_network_count_together(tried):
    for n in range(FREE + 1):
        tried.api(ip=f"2001:db8:1:1::{n}")
    wait_of(tried.right(ip="2001:db8:1:1:ffff::1"))
    assert tried.right(ip="2001:db8:1:2::1").status_code == 200
    for _ in range(FREE + 1):
        tried.api("abe", ip=f"::ffff:{HERE}")
    wait_of(tried.right("abe", ip=HERE))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("::1", "::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("x", "unknown"),
    ],
)
def test_networks_of_addresses(address, network):
    assert client_network(address) == network


def test_delays_do_not_reveal_whether_an_account_exists(tried):
    known = [tried.api(ip=HERE) for _ in range(FREE + 2)]
    unknown = [tried.api("nobody", ip=ELSEWHERE) for _ in range(FREE + 2)]
    for one, other in zip(known, unknown, strict=True):
        assert one.status_code == other.status_code
        assert one.headers.get("Retry-After") == other.headers.get("Retry-After")
        assert {**one.json, "request_id": ""} == {**other.json, "request_id": ""}


def test_simultaneous_attempts_count_too(tried):
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: tried.api().status_code, range(24)))
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= FREE + 2  # a second may pass meanwhile


def test_invented_tokens_are_slowed_down_too(tried):
    given = {"refresh_token": "qr_1.x.y"}
    answers = [tried.post("/api/v1/auth/refresh", json=given).status_code for _ in range(33)]
    assert answers == [401] * 31 + [429] * 2


def test_every_failure_and_every_delay_is_audited_once(tried, people):
    tried.fail(FREE + 1)
    for _ in range(3):
        tried.api()
    tried.later(1)
    tried.api("nobody")
    ann = people["ann"].id
    assert noted(tried.app, "sign_in_failed", "sign_in_throttled") == [
        *[("sign_in_failed", ann, [])] * (FREE + 1),
        ("sign_in_throttled", ann, ["password"]),
        ("sign_in_failed", None, []),
    ]


def test_requests_without_an_attempt_are_not_counted(tried):
    actor = ANONYMOUS.with_context(ip=HERE)
    with tried.app.app_context():
        for _ in range(FREE + 3):
            with pytest.raises(Unavailable), login_throttle.count_attempt("password", "a", actor):
                raise Unavailable("Not now.")
        with login_throttle.count_attempt("password", "a", actor) as it:
            assert not it.right


def test_failures_of_one_kind_do_not_affect_others(tried):
    tried.fail(FREE + 1)
    actor = ANONYMOUS.with_context(ip=HERE)
    with tried.app.app_context():
        for _ in range(FREE + 1):
            with login_throttle.count_attempt("code", "ann@example.org", actor):
                pass
        with (
            pytest.raises(TooManyRequests),
            login_throttle.count_attempt("code", "ann@example.org", actor),
        ):
            pass


def test_reset_failures_are_gone_on_all_networks(tried):
    for ip in (HERE, ELSEWHERE):
        tried.block(ip=ip)
        wait_of(tried.right(ip=ip))
    with tried.app.app_context():
        reset("ann@example.org", "")
    assert tried.right(ip=HERE).status_code == 200
    assert tried.right(ip=ELSEWHERE).status_code == 200


def test_mail_has_quotas_per_network_and_address(tried):
    def asked(address, ip=HERE):
        with tried.app.test_request_context("/", environ_base={"REMOTE_ADDR": ip}):
            consume("reset", address)

    for n in range(5):
        asked("Ann@example.org ", ip=f"203.0.113.{n}")
    with pytest.raises(TooManyRequests) as refused:
        asked("ann@example.org", ip=ELSEWHERE)
    assert 3500 < int(refused.value.headers["Retry-After"]) <= 3601
    assert re.search("in (1 hour|6[01] minutes)", refused.value.message)
    for n in range(20):
        asked(f"{n}@example.org")
    with pytest.raises(TooManyRequests):
        asked("20@example.org")
    asked("20@example.org", ip=ELSEWHERE)
    tried.later(3600)
    asked("ann@example.org")


def test_quota_reports_its_remainder(make_app, people, make):
    app = make_app(RATELIMIT_ENABLED=True)
    bob = signed_in(app, people["bob"])
    post = make(POSTS, title="a", body="x", author=people["ann"].id)
    assert signed_in(app, people["root"]).post(f"posts/{post}/publish").status_code == 200
    said = [bob.post(f"posts/{post}/comments", json={"body": "Fine."}) for _ in range(2)]
    left = [one.headers["RateLimit"].rpartition(";")[0] for one in said]
    assert left == ['"comment";r=29', '"comment";r=28']
    # how often others try an account must not be revealed
    asked = {"email": "ann@example.org"}
    with app.test_client() as other:
        answer = other.post("/auth/reset", data=asked)
    assert answer.headers["RateLimit"].startswith('"reset";r=19;')


def test_rate_limits_can_be_disabled(app, people):
    off = Attempts(app)
    assert off.fail(40) == [401] * 40
    with app.test_request_context("/"):
        for _ in range(40):
            consume("reset", "ann@example.org")
        reset("ann@example.org")


def test_without_redis_limits_apply_in_memory(make_app, people, caplog, monkeypatch):
    monkeypatch.setattr(outage_log, "_logged_at", {})
    tried = Attempts(make_app(RATELIMIT_ENABLED=True, REDIS_URL="redis://127.0.0.1:9/0"))
    assert tried.fail(FREE + 1) == [401] * (FREE + 1)
    wait_of(tried.right())
    assert caplog.text.count("Redis does not answer") == 1


def test_hanging_redis_is_bypassed(make_app, people, caplog, monkeypatch):
    monkeypatch.setattr(outage_log, "_logged_at", {})
    monkeypatch.setattr(counter_storage, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        tried = Attempts(make_app(RATELIMIT_ENABLED=True, REDIS_URL=url))
        assert tried.fail(FREE + 1) == [401] * (FREE + 1)
        wait_of(tried.right())
    assert caplog.text.count("Redis does not answer") == 1


@needs_redis
def test_redis_is_used_again_when_it_responds(make_app, people, monkeypatch):
    redis_client().flushdb()
    wait_for_redis(monkeypatch)
    tried = Attempts(make_app(RATELIMIT_ENABLED=True, REDIS_URL=REDIS))
    tallies = tried.app.extensions[login_throttle.STORAGE]
    monkeypatch.setattr(counter_storage, "RETRY_SECONDS", 3600)
    tallies._leave(counter_storage.AWAY, "")
    tried.fail(FREE + 1)
    assert not redis_client().keys()
    assert tallies.check()
    tallies._ask_again()
    tried.fail(1)
    assert redis_client().keys()
    tallies.reset()
    assert not redis_client().keys()


class TestTheApiAsAWhole:
    """A limit on all requests, if the operator sets one."""

    @pytest.fixture
    def limited(self, make_app, people):
        return make_app(RATELIMIT_ENABLED=True, RATELIMIT_API="3/minute")

    def test_every_response_reports_the_remainder(self, limited, people):
        ann = signed_in(limited, people["ann"])
        left = [ann.get(path) for path in ("posts", "nothing", "users/me", "posts")]
        assert [a.status_code for a in left] == [200, 404, 200, 429]
        assert [a.headers["RateLimit-Remaining"] for a in left] == ["2", "1", "0", "0"]
        assert {a.headers["RateLimit-Limit"] for a in left} == {"3"}
        assert {a.headers["RateLimit-Policy"] for a in left} == {'"api";q=3;w=60'}
        assert left[1].headers["RateLimit"].startswith('"api";r=1;t=')
        assert left[-1].json["code"] == "too_many_requests"
        assert 58 <= wait_of(left[-1]) <= 60
        assert "Retry-After" not in left[0].headers

    def test_accounts_and_networks_count_separately(self, limited, people):
        ann, nobody = signed_in(limited, people["ann"]), limited.test_client()
        for _ in range(4):
            ann.get("posts")
        assert nobody.get("posts").headers["RateLimit-Remaining"] == "2"
        assert signed_in(limited, people["abe"]).get("posts").status_code == 200
        forged = {"Authorization": "Bearer x", "X-Forwarded-For": "203.0.113.1"}
        assert nobody.get("posts", headers=forged).headers["RateLimit-Remaining"] == "1"

    def test_pages_are_not_limited(self, limited):
        for _ in range(5):
            answer = limited.test_client().get("/")
            assert answer.status_code == 200 and "RateLimit-Limit" not in answer.headers

    def test_api_is_not_limited_by_default(self, client):
        assert "RateLimit-Limit" not in client.get("posts").headers
