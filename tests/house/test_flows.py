"""Limits how many files a request involves, so that following it does not require reading half of the code.

A file counts if one of its functions runs. Files that run for any request of the API, even one to an unknown URL, or
for any page of the panel do not count: they are read once, for all of them.
"""

import sys
from pathlib import Path

import pytest

from quire.records import POSTS, TAGS
from tests.users import give_session

SOURCE = f"{Path(__file__).resolve().parents[2] / 'src' / 'quire'}/"


@pytest.fixture
def post(make, people):
    """The id of a public post."""
    past = "2020-01-01T00:00:00Z"
    return make(POSTS, title="Tides", body="They come.", author=people["ann"].id, published_at=past)


def files_of(call):
    """Return the files of Quire in which a function runs during `call()`; unnamed functions are ignored."""
    files = set()

    def note(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SOURCE) and code.co_name[0] != "<":
            files.add(code.co_filename.removeprefix(SOURCE))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return {file for file in files if file.endswith(".py")}


def test_list_of_the_api_involves_few_files(app, make, post):
    client = app.test_client()
    client.get("/api/v1/posts?per_page=2")
    # a different URL, since a cached response would involve no files
    listing = files_of(lambda: client.get("/api/v1/posts?per_page=3"))
    make(TAGS, name="sea")  # after a change, any request reads the versions of all tables
    found = sorted(listing - files_of(lambda: client.get("/api/v1/nothing")))
    assert "store/read.py" in found
    assert len(found) <= 20, found


def test_form_of_a_post_involves_few_files(app, people, post):
    client = app.test_client()
    give_session(app, client, people["root"])
    form, other = f"/admin/posts/edit/?id={post}", "/admin/jobs/"
    for path in (form, other):
        assert (
            client.get(path).status_code == 200
        )  # code that is compiled on first use does not count
    found = sorted(files_of(lambda: client.get(form)) - files_of(lambda: client.get(other)))
    assert "admin/form/page.py" in found
    assert len(found) <= 29, found  # three of them read a record, which the other page does not
