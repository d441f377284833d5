"""Takes the screenshots of the documentation from the demo: `python tools/screenshots.py [NAME...]`.

Needs Playwright and Pillow (tests/requirements.txt) and a Chromium, at `CHROMIUM` or /usr/bin/chromium.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 860}
SEO = "details:has-text('Search engines')"
COLOURS = 200
"""Colours of a picture: as many as nobody misses, so that the files stay small."""
SETTLE = 1000
"""Milliseconds until what a page fetches by itself is there."""
BACKUP = 8000
"""Milliseconds until the worker has made or verified a backup."""
READY = re.compile(r"Quire is ready at (\S+)")
ACCOUNT = re.compile(r"Sign in as (\S+) with the password (\S+) ")


def _nothing(page: Page) -> None:
    """Do nothing, for pages that are shown as they open."""


def _own_post(page: Page) -> None:
    page.locator(".own-posts a").last.click()
    page.wait_for_load_state()


def _preview(page: Page) -> None:
    _own_post(page)
    page.get_by_role("button", name="Preview", exact=True).first.click()


def _search_engines(page: Page) -> None:
    _own_post(page)
    page.set_viewport_size({**SIZE, "height": 2600})  # so that no bar covers it
    page.locator(SEO).first.evaluate("(one) => { one.open = true; }")


def _history(page: Page) -> None:
    """Create another version, and show how it differs."""
    _own_post(page)
    id = parse_qs(urlsplit(page.url).query)["id"][0]
    page.fill("[name=title]", "Understanding tides, slowly and by hand")
    page.locator(".savebar button.primary").click()
    page.wait_for_timeout(SETTLE)
    page.goto(f"/admin/posts/history/?id={id}&from=1&to=2")


def _audit(page: Page) -> None:
    """Change a title, so that the audit shows both titles."""
    page.goto("/admin/")
    _own_post(page)
    page.fill("[name=title]", "Understanding tides, slowly")
    page.locator(".savebar button.primary").click()
    page.wait_for_timeout(SETTLE)
    page.goto("/admin/audit_events/")


def _backup(page: Page) -> None:
    """Make a backup and verify it."""
    for button in ("Back up now", "Verify"):
        page.get_by_role("button", name=button).first.click()
        page.wait_for_timeout(BACKUP)
        page.goto("/admin/backups/")


class Shot(NamedTuple):
    """A page, the preparation before its screenshot, and the part of it that is shown."""

    path: str
    before: Callable[[Page], None] = _nothing
    part: str = ""


SHOTS = {
    "site-home": Shot("/"),
    "admin-home": Shot("/admin/"),
    "admin-list": Shot("/admin/posts/"),
    "admin-edit": Shot("/admin/", _own_post),
    "admin-write": Shot("/admin/", _preview),
    "admin-seo": Shot("/admin/", _search_engines, SEO),
    "admin-moderation": Shot("/admin/comments/moderation/"),
    "admin-media": Shot("/admin/media/"),
    "admin-backups": Shot("/admin/backups/", _backup),
    "admin-audit": Shot("/admin/audit_events/", _audit),
    "admin-invitations": Shot("/admin/invitations/"),
    "admin-history": Shot("/admin/", _history),
}


@contextmanager
def demo(instance: Path) -> Iterator[tuple[str, str, str]]:
    """Run a demo in `instance`; yield its address, and the email address and password to sign in with."""
    environment = {
        **os.environ,
        "QUIRE_INSTANCE": str(instance),
        "PORT": "0",
        "QUIRE_ENV": "development",
    }
    command = [sys.executable, str(ROOT / "serve.py"), "--demo", "--port", "0"]
    server = subprocess.Popen(  # noqa: S603 - a program of our own
        command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        ready, account = (
            READY.search(server.stdout.readline()),
            ACCOUNT.search(server.stdout.readline()),
        )
        if not (ready and account):
            raise SystemExit("The demo did not start.")
        yield ready[1], account[1], account[2]
    finally:
        server.terminate()
        server.wait(30)


def sign_in(page: Page, email: str, password: str) -> None:
    """Sign in through the form."""
    page.goto("/auth/login?next=/admin/")
    page.fill("#email", email)
    page.fill("#password", password)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/admin/")


def save(content: bytes, path: Path) -> None:
    """Write a picture with few colours, so that the file is small."""
    image = (
        Image.open(io.BytesIO(content)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    )
    image.save(path, optimize=True)


def take(names: list[str], folder: Path) -> None:
    """Take the screenshots with these names."""
    program = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    with (
        tempfile.TemporaryDirectory() as instance,
        demo(Path(instance)) as (url, *account),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(base_url=url, viewport=SIZE, color_scheme="light")
        sign_in(page, *account)
        for name in names:
            path, before, part = SHOTS[name]
            page.goto(path)
            before(page)
            page.wait_for_timeout(SETTLE)
            content = page.locator(part).first.screenshot() if part else page.screenshot()
            page.set_viewport_size(SIZE)
            save(content, folder / f"{name}.png")
        browser.close()


def main() -> None:
    """Take the screenshots named on the command line, or all."""
    names = sys.argv[1:] or list(SHOTS)
    if unknown := set(names) - set(SHOTS):
        raise SystemExit(
            f"There is no screenshot {', '.join(sorted(unknown))}. There are {', '.join(SHOTS)}."
        )
    folder = Path(os.environ.get("SCREENSHOTS", FOLDER))
    folder.mkdir(parents=True, exist_ok=True)
    take(names, folder)


if __name__ == "__main__":
    main()
