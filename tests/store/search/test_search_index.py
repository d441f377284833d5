"""What is asked of the index of words, and in which order."""

from quire.store.search.search_index import MAX_HITS, expression, prefer_whole_words


def asked_of(words, hits):
    """The expressions whose hits are counted for these words, and the one that is looked for."""
    values, asked = {"search": expression(words, "sqlite")}, []

    def count(values):
        asked.append(values["search"])
        return hits

    prefer_whole_words(values, words, "sqlite", count)
    return asked, values["search"]


def test_of_a_word_that_alone_has_more_hits_than_are_counted_longer_words_are_not_asked_for():
    assert asked_of("high sea", MAX_HITS + 1) == (['"high" "sea"'], '"high" "sea"')


def test_of_other_words_the_last_one_may_be_a_beginning():
    assert asked_of("high sea", MAX_HITS) == (['"high" "sea"'], '"high" "sea"*')


def test_nothing_is_counted_where_the_last_word_is_no_beginning():
    assert asked_of("海浪", MAX_HITS + 1)[0] == []
