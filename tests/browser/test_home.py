"""The dashboard as a starting point: where it leads, in how many clicks."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def clicks(visit):
    """A page of ada's that counts clicks: `page, click, count`."""
    page, done = visit("ada").page, []

    def click(locator):
        done.append(locator)
        locator.click()
        page.wait_for_load_state()

    page.goto("/admin/")
    return page, click, done


def test_inviting_a_user_takes_at_most_five_clicks(clicks):
    page, click, done = clicks
    click(page.get_by_role("link", name="Invite someone"))
    page.get_by_label("Email").fill("new.colleague@example.com")
    click(page.get_by_label("Role"))
    page.get_by_label("Role").select_option("moderator")
    click(page.get_by_role("button", name="Send invitation"))
    expect(page.locator(".messages")).to_contain_text("new.colleague@example.com")
    assert len(done) <= 5


def test_own_posts_are_one_click_away(clicks):
    page, click, done = clicks
    first = page.locator(".own-posts a").first
    title = first.inner_text()
    click(first)
    expect(page.locator("[name=title]")).to_have_value(title)
    assert len(done) == 1
