"""What projections share: a copy of a table has copies of all its columns."""

from sqlalchemy.sql.visitors import iterate

from quire.actor import ANONYMOUS
from quire.records import CATEGORIES, POSTS
from quire.store.projection import Projection


def tables(record, names):
    """The copies of tables that a statement reads."""
    projection = Projection(record, ANONYMOUS, names)
    parts = iterate(projection.select_from(record.table))
    return {id(one) for one in parts if one.__visit_name__ == "alias"}


def test_references_of_all_projections_are_to_the_same_table():
    author = tables(POSTS, ["author"])
    assert len(author) == 1
    assert author < tables(POSTS, ["author", "category"])


def test_counts_of_all_projections_are_the_same_expression():
    counted = tables(CATEGORIES, ["post_count"])
    assert counted and counted == tables(CATEGORIES, ["name", "post_count"])
