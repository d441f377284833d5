"""Images of a text in a real browser: however they are added, they arrive, or leave nothing behind."""

import base64

import pytest
from playwright.sync_api import expect

from quire.actor import SYSTEM
from quire.declare.query import Query
from quire.records import MEDIA
from quire.store import read
from tests.sample_images import picture

pytestmark = pytest.mark.browser

UPLOADS = "**/api/v1/media"


def file(name, content=None):
    """Return a file in the form of Playwright's file chooser."""
    return {"name": name, "mimeType": "image/png", "buffer": content or picture(60, 40)}


@pytest.fixture
def media(site):
    """`media()` are the uploads, newest first."""

    def newest():
        with site.app.app_context():
            return read.list_records(MEDIA, SYSTEM, Query(sort=("-id",), per_page=100)).rows

    return newest


@pytest.fixture
def editor(visit, made):
    """`editor("Text")` is the page of a post with that text, with the cursor at its end."""

    def start(body="Before."):
        page = visit("ann").page
        page.goto(f"/admin/posts/edit/?id={made(body=body)}")
        page.locator(".cm-content").click()
        page.keyboard.press("Control+End")
        return page

    return start


def choose(page, *files):
    """Choose files with the Picture button, as a user does."""
    page.get_by_role("button", name="Image", exact=True).click()
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Upload a new file").click()
    chooser.value.set_files(list(files))
    expect(page.locator("dialog textarea").first).to_be_focused()


def carry(page, event, *files):
    """Paste or drop files into the text, as a browser does; each is a name and its bytes."""
    page.evaluate(
        """([type, files]) => {
            const data = new DataTransfer();
            for (const [name, bytes] of files) {
                const content = Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0));
                data.items.add(new File([content], name, { type: "image/png" }));
            }
            const line = document.querySelectorAll(".cm-line")[0].getBoundingClientRect();
            const where = { clientX: line.right - 2, clientY: line.top + 5 };
            const event = type === "paste"
                ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
                : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true, ...where });
            document.querySelector(".cm-content").dispatchEvent(event);
        }""",
        [event, [[name, base64.b64encode(content).decode()] for name, content in files]],
    )


def insert(page):
    page.locator("dialog").get_by_role("button", name="Insert").click()


def text_of(page):
    return page.input_value("[name=body]")


def test_image_button_inserts_the_choice(editor, media):
    page = editor()
    choose(page, file("harbour.png"))
    page.keyboard.type("The harbour [at dawn]")
    assert text_of(page) == "Before."
    insert(page)
    expect(page.locator("dialog")).to_have_count(0)
    newest = media()[0]
    assert (newest["original_name"], newest["alt"]) == ("harbour.png", "The harbour [at dawn]")
    assert text_of(page) == f"Before.![The harbour \\[at dawn\\]]({newest['url']})"
    page.keyboard.type(" After.")
    assert text_of(page).endswith(") After.")
    page.get_by_role("button", name="Image", exact=True).click()
    page.fill("#picture-search", "dawn")
    found = page.get_by_role("list", name="Media").get_by_role("button")
    expect(found).to_have_count(1)
    found.click()
    expect(page.locator("dialog")).to_have_count(0)
    assert text_of(page).count(newest["url"]) == 2


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_images_are_pasted_or_dropped(editor, media, way):
    page = editor("First line\n\nSecond line")
    carry(page, way, ("one.png", picture(50, 50)), ("two.png", picture(50, 50)))
    page.locator("dialog textarea").nth(0).fill("One")
    page.locator("dialog textarea").nth(1).fill("Two")
    insert(page)
    expect(page.locator("dialog")).to_have_count(0)
    two, one = (item["url"] for item in media()[:2])
    added = f"![One]({one})\n\n![Two]({two})"
    first, last = ("", added) if way == "paste" else (added, "")
    assert text_of(page) == f"First line{first}\n\nSecond line{last}"


@pytest.mark.parametrize("leave", ["Cancel", "Escape", "Remove"])
def test_cancelled_insertion_leaves_nothing_behind(editor, media, leave):
    page, before = editor(), len(media())
    page.get_by_role("button", name="Image", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    carry(page, "paste", ("lake.png", picture(50, 50)))
    page.keyboard.type("A lake")
    button = page.get_by_role("dialog").get_by_role("button", name=leave)
    page.keyboard.press("Escape") if leave == "Escape" else button.click()
    expect(page.locator("dialog")).to_have_count(0)
    assert (text_of(page), len(media())) == ("Before.", before)
    page.keyboard.type(" After.")
    assert text_of(page) == "Before. After."


@pytest.mark.parametrize("leave", ["Escape", "Remove"])
def test_cancelled_upload_is_deleted(editor, media, leave):
    page, before, uploads = editor(), len(media()), []
    page.route(UPLOADS, lambda route: uploads.append((route, route.fetch())))
    choose(page, file("late.png"))
    with page.expect_request(UPLOADS):
        insert(page)
    button = page.get_by_role("dialog").get_by_role("button", name=leave)
    page.keyboard.press("Escape") if leave == "Escape" else button.click()
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.type(" After.")
    while not uploads:  # the server has not responded yet
        page.wait_for_timeout(50)
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deletion:
        route, answer = uploads[0]
        route.fulfill(response=answer)
    assert deletion.value.status == 204
    assert (text_of(page), len(media())) == ("Before. After.", before)


def test_existing_file_is_inserted_and_never_deleted(editor, media):
    page, content = editor(), picture(70, 50)
    for alt in ("The quay", ""):
        carry(page, "paste", ("quay.png", content))
        page.keyboard.type(alt)
        insert(page)
        expect(page.locator("dialog")).to_have_count(0)
    url = media()[0]["url"]
    assert text_of(page) == "Before." + 2 * f"![The quay]({url})"


def test_refused_upload_can_be_retried_or_dropped(editor, media):
    page = editor()
    choose(page, file("note.png", b"no picture"), file("knot.png"))
    page.locator("dialog textarea").nth(1).fill("A knot")
    insert(page)
    expect(page.locator("dialog li")).to_have_count(1)
    expect(page.locator("dialog .inline-error")).not_to_be_empty()
    page.route(UPLOADS, lambda route: route.fulfill(status=502, body="gone"), times=1)
    insert(page)
    expect(page.locator("dialog .inline-error")).to_contain_text("The server is not responding")
    insert(page)
    expect(page.locator("dialog .inline-error")).not_to_contain_text("answer")
    page.get_by_role("button", name="Remove note.png").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert text_of(page) == f"Before.![A knot]({media()[0]['url']})"


@pytest.mark.parametrize(
    "device",
    [{}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}],
    ids=["light", "dark-phone"],
)
def test_upload_dialog_is_accessible(visit, made, device):
    one = visit("ann", **device)
    one.page.goto(f"/admin/posts/edit/?id={made()}")
    choose(one.page, file("one.png", picture(300, 200)), file("note.png", b"no picture"))
    assert one.axe() == []
    insert(one.page)
    expect(one.page.locator("dialog li")).to_have_count(1)
    assert one.axe() == []
    assert one.overflow() <= 0
