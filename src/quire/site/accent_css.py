"""Generates the style sheet with the accent color of a site, readable in light and dark."""

from flask import Response, request

from quire.records import APPEARANCE
from quire.records.site_settings import site_appearance
from quire.web.caching import note_shown

CONTRAST = 4.6
"""Slightly above the minimum contrast of WCAG 2.2 (1.4.3)."""
LIGHT = ((0xFC, 0xFB, 0xF8), (0xF1, 0xF1, 0xEC))
DARK = ((0x12, 0x17, 0x16), (0x1C, 0x23, 0x21))
"""Backgrounds of text: --page and --sunken of site.css."""
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
YEAR = 31_536_000
Color = tuple[int, ...]


def theme_css() -> Response:
    """The style sheet; its URL contains the color, so it can be cached for ever."""
    accent = site_appearance()["accent_color"]
    note_shown(APPEARANCE)
    response = Response(stylesheet(accent) if accent else "", mimetype="text/css")
    if accent and request.args.get("v") == accent[1:]:
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response


def stylesheet(accent: str) -> str:
    """The variables of both themes for `#rrggbb`."""
    color = tuple(bytes.fromhex(accent[1:]))
    light, dark = _color_variables(color, LIGHT, BLACK), _color_variables(color, DARK, WHITE)
    return (
        f":root {{{light}}}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{{dark}}} }}\n'
        f':root[data-theme="dark"] {{{dark}}}\n'
    )


def _color_variables(color: Color, papers: tuple[Color, ...], away: Color) -> str:
    tint = mix(papers[0], color, 0.1)
    accent = readable(color, (*papers, tint), away)
    on = max((BLACK, WHITE), key=lambda ink: contrast(ink, accent))
    values = {
        "--accent": accent,
        "--accent-strong": mix(accent, away, 0.25),
        "--on-accent": on,
        "--accent-soft": tint,
    }
    return " ".join(f"{name}: #{bytes(value).hex()};" for name, value in values.items())


def readable(color: Color, papers: tuple[Color, ...], away: Color) -> Color:
    """`color`, moved towards `away` until it is readable on each of `papers`."""
    steps = (mix(color, away, step / 50) for step in range(51))
    return next(one for one in steps if all(contrast(one, paper) >= CONTRAST for paper in papers))


def mix(one: Color, other: Color, part: float) -> Color:
    """`one` mixed with a `part` (0 to 1) of `other`."""
    return tuple(round(a + (b - a) * part) for a, b in zip(one, other, strict=True))


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    first, second = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _luminance(color: Color) -> float:
    parts = [value / 255 for value in color]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
