"""Errors of the API are in English, except for scripts of our own pages, which show them to people."""

import io

GERMAN = {"Accept-Language": "de"}


def test_programs_get_english_errors(as_):
    answer = as_("ann").post("posts", json={"body": "x"}, headers=GERMAN)
    assert answer.json["details"][0]["message"] == "Title is required."
    assert "Content-Language" not in answer.headers


def test_people_on_our_pages_get_errors_in_their_language(as_):
    german = {**GERMAN, "X-CSRFToken": "any"}
    answer = as_("ann").post("posts", json={"body": "x"}, headers=german)
    assert answer.json["details"][0]["message"] == "Titel: bitte ausfüllen."
    assert answer.json["code"] == "validation_failed"
    sent = {"file": (io.BytesIO(b"<svg>"), "x.png")}
    refused = as_("ann").post("media", data=sent, headers=german)
    assert "Skripte" in refused.json["message"]
    tagged = as_("ann").post("tags", json={"name": "boats"}, headers=german)
    assert tagged.status_code == 201
    twice = as_("ann").post("tags", json={"name": "boats"}, headers=german)
    assert "Name" in twice.json["message"] and "taken" not in twice.json["message"]
