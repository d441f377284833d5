"""Health checks for monitoring: whether the process responds, and whether it can do its work."""

from collections.abc import Mapping

import orjson
from flask import Response

from quire.checks.readiness import check_readiness


def health() -> Response:
    """Report that the process responds, without querying the database."""
    return _answer({"status": "ok"}, 200)


def readiness() -> Response:
    """Report whether database, schema, disk and jobs are fit for use: 200, or 503 if one is not."""
    checks = check_readiness()
    status = "error" if any(one.status == "error" for one in checks.values()) else "ok"
    body = {"status": status, "checks": {name: one.as_dict() for name, one in checks.items()}}
    return _answer(body, 200 if status == "ok" else 503)


def _answer(body: Mapping[str, object], status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(orjson.dumps(body), status, headers, mimetype="application/json")
