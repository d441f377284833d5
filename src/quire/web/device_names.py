"""The name of a device in two words."""

from quire.web.language import gettext

BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
    ("python", "Python"), ("okhttp", "Android app"), ("Dart", "Flutter app"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
"""Words in User-Agent headers, the most specific first, since most browsers name others too."""


def device_name(agent: str) -> str:
    """`Firefox on Windows` for a User-Agent; its first words if it is unknown."""
    browser = next((name for word, name in BROWSERS if word in agent), None)
    system = next((name for word, name in SYSTEMS if word in agent), None)
    parts = [name for name in (browser, system) if name]
    return _join(parts) if parts else agent[:40] or gettext("Unknown device")


def _join(parts: list[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return gettext("%(program)s on %(system)s", program=parts[0], system=parts[1])
