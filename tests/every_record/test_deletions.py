"""What the panel says of records of any type that were deleted for good, and how it deletes them."""

import pytest
from bs4 import BeautifulSoup

from quire.actor import SYSTEM
from quire.admin.format import record_title
from quire.store import read
from quire.store.write import delete
from tests.every_record.bodies import a_row
from tests.users import give_session


@pytest.fixture
def panel(app, people):
    """A browser in which an administrator is signed in."""
    client = app.test_client()
    give_session(app, client, people["root"])
    return client


def title_of(app, record, id):
    with app.test_request_context():
        return record_title(record, read.get_record(record, SYSTEM, id))


def sentences(panel, record):
    page = BeautifulSoup(panel.get(f"/admin/audit_events/?type={record.path}").text, "html.parser")
    return [cell.text.strip() for cell in page.select("tbody td.title")]


def test_the_audit_log_names_what_is_deleted_for_good(app, panel, deleted, in_app_context):
    id = in_app_context(a_row, deleted)
    title = title_of(app, deleted, id)
    in_app_context(delete, deleted, SYSTEM, id, permanent=True)
    newest = sentences(panel, deleted)[0]
    assert f"“{title}”" in newest and f"#{id}" not in newest
