"""What a check says: how something is, and what to do where it is not well."""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Check:
    """How something is; where it is not ok, why, and what to do."""

    status: Literal["ok", "warning", "error"] = "ok"
    reason: str | None = None
    action: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Without what there is nothing to say about."""
        return {name: value for name, value in asdict(self).items() if value is not None}


OK = Check()


def ok(reason: str) -> Check:
    """All is well, with a word about it."""
    return Check("ok", reason)


def warning(reason: str, action: str) -> Check:
    """It works, but somebody should look at it."""
    return Check("warning", reason, action)


def error(reason: str, action: str) -> Check:
    """It does not work, or is not safe."""
    return Check("error", reason, action)
