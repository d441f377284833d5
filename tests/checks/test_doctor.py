"""All checks run one after the other: each ends in time, and a failing one hides no other."""

import threading

import pytest

from quire.checks import doctor
from quire.checks.check import OK
from tests.running_server import free_port, silent_server


def names(app, deploy, more=None):
    with app.app_context():
        return dict(doctor.examine(deploy, more or {}))


def test_check_names_are_unique(app):
    parts = [
        doctor.DATABASE,
        doctor.IN_DATABASE,
        doctor.IN_INSTANCE,
        doctor.PUBLIC_IN_DATABASE,
        doctor.PUBLIC,
    ]
    assert len({name for part in parts for name in part}) == sum(map(len, parts))
    assert set(names(app, True)) == {name for part in parts for name in part}
    assert len(names(app, False)) == sum(map(len, parts[:3]))


def test_every_failed_check_has_a_reason_and_an_action(app):
    wrong = {name: one for name, one in names(app, True).items() if one.status != "ok"}
    assert wrong and all(one.reason and one.action for one in wrong.values())
    assert all(one.reason.endswith((".", ".,")) for one in wrong.values())


def test_hanging_check_is_abandoned_with_a_warning(app, monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 0.05)
    released = threading.Event()

    def hang():
        released.wait(10)
        return OK

    result = names(app, True, {"hangs": hang, "goes on": lambda: OK})
    released.set()
    assert result["hangs"].status == "warning" and "did not end within" in result["hangs"].reason
    assert "goes on" in result and "broker" in result


def test_operating_system_error_is_an_error_with_its_path(app):
    def refuse():
        raise PermissionError(13, "Permission denied", "/srv/secret")

    assert names(app, False, {"one": refuse})["one"].reason == "/srv/secret: Permission denied."


@pytest.mark.parametrize("deploy", [False, True])
def test_unreachable_database_skips_checks_that_need_it(make_app, deploy):
    url = f"postgresql://somebody:secret-word@127.0.0.1:{free_port()}/nothing"
    result = names(make_app(DATABASE_URL=url), deploy)
    assert result["database"].status == "error" and "secret-word" not in str(result)
    assert "clock" not in result and "file permissions" in result


def test_silent_database_is_tried_once(make_app):
    with silent_server() as (port, connections):
        url = f"postgresql://somebody@127.0.0.1:{port}/nothing?connect_timeout=2"
        result = names(make_app(DATABASE_URL=url), True)
        assert connections() == 1
    assert result["database"].status == "error"
