"""Which expressions are counted in the search index, and in which order."""

from quire.store.search.search_index import MAX_HITS, expression, prefer_whole_words

MANY = MAX_HITS + 1
LONGER, WHOLE = '"high" "sea"*', '"high" "sea"'


def asked_of(words, hits, last=0):
    """Return the expressions counted for these words, and the one that is searched for."""
    values, asked = {"search": expression(words, "sqlite")}, []

    def count(values):
        asked.append(values["search"])
        return hits[values["search"]]

    prefer_whole_words(values, words, "sqlite", count, lambda values: last)
    return asked, values["search"]


def test_last_word_is_a_prefix_unless_it_has_many_hits_itself():
    assert asked_of("high sea", {LONGER: MAX_HITS}) == ([LONGER], LONGER)
    assert asked_of("high sea", {LONGER: MANY, WHOLE: 1}) == ([LONGER, WHOLE], LONGER)
    assert asked_of("high sea", {LONGER: MANY, WHOLE: MANY}) == ([LONGER, WHOLE], WHOLE)


def test_prefix_with_many_hits_is_not_recounted():
    assert asked_of("high sea", {WHOLE: MANY}, last=MANY) == ([WHOLE], WHOLE)
    assert asked_of("high sea", {WHOLE: 1}, last=MANY) == ([WHOLE], LONGER)


def test_nothing_is_counted_if_the_last_word_is_not_a_prefix():
    assert asked_of("海浪", {}) == ([], "海浪".join('""'))
