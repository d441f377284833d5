"""The result of a check: the state of something, and what to do if it is not ok."""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Check:
    """The state of something; if it is not ok, the reason and what to do."""

    status: Literal["ok", "warning", "error"] = "ok"
    reason: str | None = None
    action: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dict without empty entries."""
        return {name: value for name, value in asdict(self).items() if value is not None}


OK = Check()


def ok(reason: str) -> Check:
    """Return the result of a check that found no problem, with a detail."""
    return Check("ok", reason)


def warning(reason: str, action: str) -> Check:
    """Return a check of something that works but needs attention."""
    return Check("warning", reason, action)


def error(reason: str, action: str) -> Check:
    """Return a check of something that does not work or is unsafe."""
    return Check("error", reason, action)
