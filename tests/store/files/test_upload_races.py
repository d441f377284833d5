"""The same file at the same time: it is one record, whoever deletes it meanwhile."""

import io

import pytest

from quire.actor import SYSTEM
from quire.errors import Conflict
from quire.records import MEDIA
from quire.store.files.receive import receive
from quire.store.write import create
from tests.sample_images import files, form, picture
from tests.store.transactions.test_races import WRITERS, at_once
from tests.users import signed_in

ROUNDS = 5


@pytest.fixture
def clients(app, people):
    """As many clients of one author as there are writers."""
    return [signed_in(app, people["ann"]) for _ in range(WRITERS)]


def test_a_file_that_is_uploaded_many_times_at_once_is_one_record(app, clients):
    before, content = files(app), picture()
    answers = at_once(lambda n: clients[n].post("/api/v1/media", data=form(content)))
    assert sorted(one.status_code for one in answers) == [200] * (WRITERS - 1) + [201]
    assert len({one.json["id"] for one in answers}) == 1
    assert len(files(app)) == len(before) + 1


def test_uploads_at_once_keep_to_the_quota(make_app, people):
    app = make_app(UPLOAD_QUOTA_BYTES=300)
    clients = [signed_in(app, people["ann"]) for _ in range(WRITERS)]
    contents = [picture() for _ in range(WRITERS)]
    answers = at_once(lambda n: clients[n].post("/api/v1/media", data=form(contents[n])))
    kept = [one.json["bytes"] for one in answers if one.status_code == 201]
    assert kept and sum(kept) <= 300
    assert {one.status_code for one in answers} == {201, 422}


def test_an_upload_succeeds_while_others_delete_the_same_file(app, clients):
    before, content = files(app), picture()

    def work(number):
        statuses = []
        for _ in range(ROUNDS):
            made = clients[number].post("/api/v1/media", data=form(content))
            gone = clients[number].delete(f"/api/v1/media/{made.json.get('id')}")
            statuses.append((made.status_code, gone.status_code))
        return statuses

    statuses = [one for some in at_once(work) for one in some]
    assert {made for made, _ in statuses} <= {200, 201}, statuses
    assert {gone for _, gone in statuses} <= {204, 404}
    assert files(app) == before


def test_a_rule_over_several_fields_names_them(app, people):
    content, raw = picture(), {"owner": people["ann"].id}
    with app.app_context():
        for attempt in range(2):
            with receive(io.BytesIO(content), "x") as file:
                if not attempt:
                    create(MEDIA, SYSTEM, {**raw, "file": file})
                    continue
                with pytest.raises(Conflict) as caught:
                    create(MEDIA, SYSTEM, {**raw, "file": file})
    assert caught.value.code == "duplicate"
    assert caught.value.fields == {"owner", "sha256", "is_avatar"}
