"""Selects which of many similar cases every run tries; CI tries the others in its extended set."""

import pytest


def sampled(values, default):
    """Return `values` as parameters of a test; those not in `default` are marked as slow.

    A tuple contains a value for each of several parameters.
    """
    values = list(values)
    assert all(one in values for one in default), "what every run tries is none of the values"
    return [one if one in default else _slow(one) for one in values]


def _slow(value):
    values = value if isinstance(value, tuple) else (value,)
    return pytest.param(*values, marks=pytest.mark.slow)
