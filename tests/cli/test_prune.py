"""`manage.py prune`: upkeep by hand."""

from quire.jobs.maintenance import PARTS


def test_it_says_how_many_of_each_went(console):
    status, output, errors = console("prune")
    assert (status, errors) == (0, "")
    lines = [line.split(maxsplit=1) for line in output.splitlines()]
    assert lines == [["0", words] for words in PARTS]
