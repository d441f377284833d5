"""What a picker does not find is created in the form, where a name is enough and the policy permits."""

import pytest
from bs4 import BeautifulSoup


@pytest.mark.parametrize(("name", "field", "address"), [
    ("root", "category", "/api/v1/categories"),
    ("mod", "category", "/api/v1/categories"),
    ("ann", "category", None),
    ("root", "author", None),
    ("root", "cover", None),
])  # fmt: skip
def test_only_what_needs_a_name_is_created_by_whom_the_policy_permits(
    browser, name, field, address
):
    page = BeautifulSoup(browser(name).get("posts/new/").text, "html.parser")
    found = page.select_one(f"#in-{field}")
    assert found.get("data-create") == address
