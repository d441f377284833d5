"""The results of actions in whole sentences: in English and in German, for one record and for many."""

import pytest

from quire.actor import SYSTEM
from quire.admin.format import record_title
from quire.admin.results import UNDONE, result_message
from quire.declare.record import REGISTRY
from quire.declare.results import RESULTS
from quire.records import BATCHES, COMMENTS, POSTS, WEBHOOKS
from quire.store import write
from quire.web.language import in_language

ACTIONS = [
    (record, action.name)
    for record in REGISTRY.values()
    for action in record.actions
    if not (action.creates or action.takes_file)
]


@pytest.mark.parametrize(("record", "action"), ACTIONS, ids=lambda one: getattr(one, "path", one))
def test_every_declared_action_has_a_sentence_of_its_own(record, action):
    assert action in RESULTS and action in UNDONE


@pytest.mark.parametrize(
    ("record", "action", "count", "english", "german"),
    [
        (POSTS, "publish", 1, "1 post published.", "1 Beitrag veröffentlicht."),
        (POSTS, "trash", 3, "3 posts moved to the trash.", "3 Beiträge in den Papierkorb gelegt."),
        (COMMENTS, "spam", 1200, "1,200 comments marked as spam.", "1.200 Kommentare als Spam markiert."),
        (
            WEBHOOKS, "rotate_secret", 2, "The secrets of 2 webhooks were renewed.",
            "Die Geheimnisse von 2 Webhooks wurden erneuert.",
        ),
        (POSTS, "polish_brightly", 2, "2 posts: polish brightly.", "2 Beiträge: polish brightly."),
    ],
)  # fmt: skip
def test_results_exist_in_both_languages(app, record, action, count, english, german):
    with app.test_request_context():
        for code, words in (("en", english), ("de", german)):
            with in_language(code):
                assert result_message(record, action, count) == words


def test_sentences_of_the_queue_are_complete_in_german(admin, ids, app):
    german = {"Accept-Language": "de"}
    text = admin.get("comments/moderation/", headers=german).text
    assert "2 Kommentare" in text and 'aria-label="Kommentare: wartend"' in text
    assert "(ausgewählte Kommentare)" in text
    text = admin.get("comments/moderation/?status=spam", headers=german).text
    assert "Zurzeit gibt es hier keine Kommentare." in text


def test_bulk_question_in_german(admin, ids):
    german = {"Accept-Language": "de"}
    form = {"action": "delete", "rowid": [ids.live, ids.abes], "url": "/admin/posts/"}
    text = admin.post("posts/action/", form, headers=german).text
    assert "Das betrifft die 2 ausgewählten Beiträge." in text
    form = {"action": "publish", "matching": "1", "url": "/admin/posts/"}
    text = admin.post("posts/action/", form, headers=german).text
    assert "Das betrifft alle 5 passenden Beiträge." in text


@pytest.mark.parametrize(
    ("batch", "english", "german"),
    [
        ({"kind": "action", "type": "posts", "action": "publish", "rows": 20}, "20 posts published", "20 Beiträge veröffentlicht"),
        ({"kind": "action", "type": "tags", "action": "delete", "rows": 1}, "1 tag deleted", "1 Schlagwort gelöscht"),
        ({"kind": "import", "type": "tags", "action": "create", "rows": 2, "file_name": "tags.csv"}, "Imported tags.csv", "tags.csv importiert"),
        ({"kind": "bulk", "type": None, "action": None, "rows": 3}, "Bulk request", "Sammelanfrage"),
    ],
)  # fmt: skip
def test_batch_describes_what_it_did(app, batch, english, german):
    with app.test_request_context():
        for code, words in (("en", english), ("de", german)):
            with in_language(code):
                assert record_title(BATCHES, {"id": 7, **batch}) == words


def test_batches_are_listed_by_description(admin, ids):
    form = {"action": "publish", "rowid": [ids.draft, ids.formula], "url": "/admin/posts/"}
    admin.post("posts/action/", form)
    admin.post(
        "posts/ajax/update/", {"id": ids.draft, "field": "title", "value": "New", "version": 2}
    )
    text = admin.get("batches/?type=posts").text
    assert "2 posts published</a>" in text and "1 post changed</a>" in text
    assert "posts published" not in admin.get("batches/?type=tags").text


def test_revisions_are_listed_by_their_titles(admin, app, ids):
    with app.app_context():
        write.update(POSTS, SYSTEM, ids.live, {"title": "Ebb"})
        write.delete(POSTS, SYSTEM, ids.live, permanent=True)
    text = admin.get(f"revisions/?type=posts&record_id={ids.live}").text
    assert "Post “Ebb”</a>" in text and "Post “Tide tables”</a>" in text
    german = admin.get("revisions/?type=comments", headers={"Accept-Language": "de"}).text
    assert "Kommentar „Nice one“</a>" in german
