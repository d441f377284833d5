"""What tests of jobs share: pictures drawn in this process, where they can be looked at."""

import pytest

from quire.jobs.images import render


@pytest.fixture
def draw(tmp_path):
    """`draw(content)`: what the program says and the files it makes, by name."""

    def drawn(content):
        (tmp_path / "in").write_bytes(content)
        folder = tmp_path / "out"
        folder.mkdir(exist_ok=True)
        made = render.render(tmp_path / "in", folder, "x")
        return made, {path.name: path.read_bytes() for path in folder.iterdir()}

    return drawn
