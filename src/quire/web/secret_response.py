"""Responses that show a secret."""

from quire.web.response import AppResponse


class SecretResponse(AppResponse):
    """A response that shows a secret this one time: it is never stored or compressed.

    It has the application's own class, since Flask would convert any other response to that.
    """
