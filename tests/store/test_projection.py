"""Projections share aliases of tables, because each alias copies all columns."""

from sqlalchemy.sql.visitors import iterate

from quire.actor import ANONYMOUS
from quire.records import CATEGORIES, POSTS
from quire.store.projection import Projection


def tables(record, names):
    """Return the table aliases that a statement reads."""
    projection = Projection(record, ANONYMOUS, names)
    parts = iterate(projection.select_from(record.table))
    return {id(one) for one in parts if one.__visit_name__ == "alias"}


def test_projections_share_the_alias_of_a_referenced_table():
    author = tables(POSTS, ["author"])
    assert len(author) == 1
    assert author < tables(POSTS, ["author", "category"])


def test_projections_share_the_expression_of_a_count():
    counted = tables(CATEGORIES, ["post_count"])
    assert counted and counted == tables(CATEGORIES, ["name", "post_count"])
