"""Files in the panel as users work with them: uploads with a progress bar, the focal point by a click, a cover."""

import pytest
from playwright.sync_api import expect

from quire.jobs import worker
from tests.sample_images import picture

pytestmark = pytest.mark.browser


def test_image_from_upload_to_cover_of_a_post(visit, site, tmp_path):
    one = visit("ann", viewport={"width": 390, "height": 844})
    page, file = one.page, tmp_path / "shore.png"
    file.write_bytes(picture(700, 400))
    page.goto("/admin/media/new/")
    page.set_input_files("[name=file]", file)
    page.fill("[name=alt]", "A shore")
    page.locator(".savebar .primary").click()
    page.wait_for_url("**/admin/media/edit/**")
    page.locator(".replace summary").click()
    page.set_input_files("#replacement", file)
    assert page.locator("[data-state]").inner_text() == ""  # Save would have nothing to save
    page.locator(".replace summary").click()
    page.get_by_text("Click the spot").get_by_role("link", name="Focal point").click()
    expect(page.locator("#in-focal_point")).to_be_focused()
    shown = page.locator("[data-focal] img")
    box = shown.bounding_box()
    # the click waits until the image is stable, which it may be before its size is known
    shown.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.5})
    across, down = (page.locator("[data-point] input").nth(n).input_value() for n in (0, 1))
    assert abs(float(across) - 25) < 1 and abs(float(down) - 50) < 1
    assert one.axe() == [] and one.overflow() <= 0
    page.click(".savebar .primary")
    with site.app.app_context():
        worker.run_due_jobs()
    page.goto("/admin/posts/edit/?id=2")
    page.get_by_role("button", name="Choose image: Cover").click()
    assert one.axe() == [] and one.overflow() <= 0
    page.get_by_role("dialog").get_by_role("button", name="A shore").click()
    assert page.locator(".selection img").get_attribute("src").endswith("-160.webp")
    assert one.axe() == [] and one.overflow() <= 0
    page.click(".savebar .primary")
    one.look_at(["/admin/media/", "/profile"])


def test_refused_file_is_explained_and_nothing_is_lost(visit, tmp_path):
    page, file = visit("ann").page, tmp_path / "evil.png"
    file.write_bytes(b"<svg onload=alert(1)>")
    page.goto("/admin/media/new/")
    page.set_input_files("[name=file]", file)
    page.fill("[name=alt]", "Typed text")
    page.locator(".savebar .primary").click()
    page.wait_for_selector(".messages .note.error")
    assert "can carry scripts" in page.locator(".messages").inner_text()
    assert page.input_value("[name=alt]") == "Typed text"


DROP = """async (count) => {
    const transfer = new DataTransfer(), canvas = document.createElement("canvas");
    for (let n = 0; n < count; n += 1) {
        canvas.getContext("2d").fillRect(0, 0, 10 * (n + 1), 10);
        const content = await new Promise((done) => canvas.toBlob(done));
        transfer.items.add(new File([content], `dropped-${n}.png`, { type: "image/png" }));
    }
    for (const name of ["dragenter", "drop"]) {
        const event = new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true });
        document.querySelector("main").dispatchEvent(event);
    }
}"""


def test_files_are_dropped_on_the_list_and_one_is_edited_beside_it(visit, tmp_path):
    one = visit("ada")
    page, file = one.page, tmp_path / "sea.png"
    file.write_bytes(picture(200, 100))
    page.goto("/admin/media/")
    page.evaluate(DROP, 2)
    dialog = page.get_by_role("dialog", name="Upload files")
    dialog.get_by_label("Alternative text").first.fill("The first one")
    assert one.axe() == []
    dialog.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="dropped-0.png", exact=True).wait_for()
    page.get_by_role("link", name="dropped-0.png", exact=True).click()
    sheet = page.get_by_role("dialog", name="dropped-0.png")
    assert sheet.get_by_label("Alternative text").input_value() == "The first one"
    assert sheet.get_by_text("Not used yet.").is_visible()
    assert one.axe() == [] and one.overflow() <= 0
    sheet.get_by_label("Alternative text").fill("Another text")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Cancel").last.click()
    page.locator(".sheet .savebar .primary").click()
    page.locator(".messages", has_text="saved").wait_for()
    assert page.url.endswith("/admin/media/")
    page.get_by_role("link", name="dropped-0.png", exact=True).click()
    assert page.locator(".sheet [name=alt]").input_value() == "Another text"
    page.locator(".replace summary").click()
    page.set_input_files("#replacement", file)
    page.locator(".replace button").click()
    page.locator(".messages", has_text="File replaced.").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/admin/media/")
    page.get_by_role("link", name="sea.png", exact=True).click()
    page.locator(".sheet [name=alt]").wait_for()
    assert one.axe() == [] and one.overflow() <= 0
