"""Safe requests (RFC 9110, section 9.2.1): by their method, or because their resource is read-only."""

from flask import Request

from quire.web.current import current_application

READS = ("GET", "HEAD")
"""Methods that request a representation."""
SAFE = frozenset({*READS, "OPTIONS"})


def only_reads(request: Request) -> bool:
    """Whether a request changes nothing: by its method, or because its resource has `reads_only`.

    Such a resource answers a POST as another one answers a GET.
    """
    if request.method in SAFE:
        return True
    view = current_application().view_functions.get(request.endpoint or "")
    return bool(getattr(getattr(view, "view_class", None), "reads_only", False))
