"""The decisions of administrators are explained on the page where they make them."""

import pytest

from quire.declare.fields import Editable
from quire.declare.record import REGISTRY

SETTINGS = ("settings", "appearance", "webhooks", "api_keys")


@pytest.mark.parametrize("path", SETTINGS)
def test_every_setting_is_explained(path):
    editable = [one for one in REGISTRY[path].fields if isinstance(one, Editable)]
    assert editable and [one.name for one in editable if not one.help] == []
