"""What is asked of the index of words, and in which order."""

from quire.store.search.search_index import MAX_HITS, expression, prefer_whole_words

MANY = MAX_HITS + 1
LONGER, WHOLE = '"high" "sea"*', '"high" "sea"'


def asked_of(words, hits, last=0):
    """The expressions whose hits are counted for these words, and the one that is looked for."""
    values, asked = {"search": expression(words, "sqlite")}, []

    def count(values):
        asked.append(values["search"])
        return hits[values["search"]]

    prefer_whole_words(values, words, "sqlite", count, lambda values: last)
    return asked, values["search"]


def test_the_last_word_may_be_a_beginning_unless_it_has_many_hits_alone():
    assert asked_of("high sea", {LONGER: MAX_HITS}) == ([LONGER], LONGER)
    assert asked_of("high sea", {LONGER: MANY, WHOLE: 1}) == ([LONGER, WHOLE], LONGER)
    assert asked_of("high sea", {LONGER: MANY, WHOLE: MANY}) == ([LONGER, WHOLE], WHOLE)


def test_where_longer_words_had_many_hits_they_are_not_counted_again():
    assert asked_of("high sea", {WHOLE: MANY}, last=MANY) == ([WHOLE], WHOLE)
    assert asked_of("high sea", {WHOLE: 1}, last=MANY) == ([WHOLE], LONGER)


def test_nothing_is_counted_where_the_last_word_is_no_beginning():
    assert asked_of("海浪", {}) == ([], "海浪".join('""'))
