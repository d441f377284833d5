"""Slugs of records with the same title: numbered, and found in few steps however many there are."""

import pytest
from slugify import slugify

from quire.actor import SYSTEM
from quire.records import TAGS
from quire.store.changes.slugs import free_slug, suggest_slug
from quire.store.write import create, create_many


@pytest.fixture
def taken(app):
    """`taken(5)`: tags whose slugs are sea, sea-2 ... sea-5."""

    def make(count):
        slugs = ["sea", *(f"sea-{n}" for n in range(2, count + 1))]
        raws = [{"name": f"Tag {n}", "slug": slug} for n, slug in enumerate(slugs)]
        with app.app_context():
            create_many(TAGS, SYSTEM, raws)

    return make


@pytest.mark.parametrize("count", [1, 2, 5, 6, 9, 40, 301])
def test_the_next_number_is_taken(app, taken, count):
    taken(count)
    with app.app_context():
        assert free_slug(TAGS, "sea") == f"sea-{count + 1}"
        assert free_slug(TAGS, "sky") == "sky"


def test_many_cost_few_statements(app, taken, statements):
    taken(300)
    with app.app_context():
        assert len(statements(free_slug, TAGS, "sea")[1]) < 25


def test_records_written_together_are_numbered_like_single_ones(app, statements):
    names = [f"Sea{sign * n}" for n, sign in enumerate("!?.,;:" * 5, 1)]
    with app.app_context():
        create(TAGS, SYSTEM, {"name": "Sea"})
        raws = [{"name": name} for name in names]
        raws.insert(3, {"name": "Sky", "slug": "sea-5"})
        tags, sent = statements(create_many, TAGS, SYSTEM, raws)
        more = [{"name": "(sea"}, {"name": "(sea)"}]
        again, sent_again = statements(create_many, TAGS, SYSTEM, more)
    assert [one.state["slug"] for one in tags] == [f"sea-{n}" for n in range(2, 33)]
    assert [one.state["slug"] for one in again] == ["sea-33", "sea-34"]
    assert sum(one.startswith("INSERT INTO tags") for one in sent) <= 2  # and the rest of a group
    assert sum("slug =" in one for one in sent_again) <= 4


def test_a_new_record_asks_for_its_slug_only_when_it_is_taken(app, statements):
    def lookups(name):
        sent = statements(create, TAGS, SYSTEM, {"name": name})[1]
        return sum(one.startswith("SELECT tags.id") and "slug =" in one for one in sent)

    with app.app_context():
        assert lookups("Sea") == 0
        assert lookups("Sea!") > 0


@pytest.mark.parametrize(
    "text",
    [
        "Tide Table 7",
        "A  B",
        " a",
        "a ",
        "",
        " ",
        "1,234 a",
        "it's",
        "a_b",
        "Über",
        "x" * 181,
        "ab " * 80,
        "²",
    ],
)
def test_plain_titles_have_the_slugs_that_the_library_makes(app, text):
    with app.app_context():
        made = slugify(text, max_length=180, word_boundary=True)
        assert suggest_slug(TAGS, text) == (made or "tag")
