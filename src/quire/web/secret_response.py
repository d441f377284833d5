"""Answers that show a secret."""

from quire.web.response import AppResponse


class SecretResponse(AppResponse):
    """An answer that shows a secret this once: it is stored nowhere, and never compressed.

    It is of the application's own class, since Flask makes any other answer one of that.
    """
