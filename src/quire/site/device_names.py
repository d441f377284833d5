"""What a device calls itself, in two words that its owner knows it by."""

BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
    ("python", "Python"), ("okhttp", "Android app"), ("Dart", "Flutter app"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip
"""Words of User-Agent headers, the telling ones first: most browsers name others too."""


def device(agent: str) -> str:
    """`Firefox on Windows` for a User-Agent; its first words where nothing is known of it."""
    browser = next((name for word, name in BROWSERS if word in agent), None)
    system = next((name for word, name in SYSTEMS if word in agent), None)
    known = [name for name in (browser, system) if name]
    return " on ".join(known) if known else agent[:40] or "Unknown device"
