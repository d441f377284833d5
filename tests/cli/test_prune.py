"""`manage.py prune`: maintenance on demand."""

from quire.jobs.maintenance import PARTS


def test_prune_prints_the_number_of_deleted_rows_of_each_kind(console):
    status, output, errors = console("prune")
    assert (status, errors) == (0, "")
    lines = [line.split(maxsplit=1) for line in output.splitlines()]
    assert lines == [["0", words] for words in PARTS]
