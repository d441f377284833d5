"""Parts of a text that not everyone could read are left out, or the post becomes a draft."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask

from quire.exchange.ghost import load
from quire.exchange.markdown.body import read_body
from quire.exchange.model import ImportReport
from quire.exchange.restricted_parts import restriction_in_html, without_restricted_blocks
from quire.exchange.source_comments import without_comments
from tests.exchange.conftest import Folder, Rows, item

COMMENTS = [
    "Open <!-- NOTE --> end",
    "Open {% comment %}NOTE{% endcomment %} end",
    "Open {%- comment -%}\nNOTE\n\n{%- endcomment -%} end",
    "Open {% # NOTE %} end",
    "Open {{% comment %}}NOTE{{% /comment %}} end",
    "Open {{< comment >}}NOTE{{< /comment >}} end",
    "Open {{/* NOTE */}} end",
    "Open {# NOTE #} end",
    "Open {::comment}\nNOTE\n{:/comment} end",
    "Open {/* NOTE */} end",
    "Open {{!-- NOTE --}} end",
    "Open <%# NOTE %> end",
    "Open %% NOTE %% end",
    "Open\n\n[//]: # (NOTE)\n\nend",
    "Open\n\n[comment]: <> (NOTE)\n\nend",
    "Open <!--\n```\nNOTE\n``` --> end",
    "Open <!-- ``` --> and <!-- NOTE --> end",
]
NO_COMMENTS = [
    "Text `<!-- shown -->` text",
    "```html\n<!-- shown -->\n```",
    "~~~\n{# shown #}\n~~~",
    "{% raw %}{% comment %}shown{% endcomment %}{% endraw %}",
    "## A heading {#shown}\n\n## Another {#shown-too}",
    "printf %%d shown %%s",
    "{{</* comment */>}}shown{{</* /comment */>}}",
]
GATES = [
    "Open <!--members-only--> PAID",
    "Open {{< private >}}PAID{{< /private >}}",
    "Open {% members %}PAID{% endmembers %}",
    "Open {% if page.member %}PAID{% endif %}",
    "Open [members_only]PAID[/members_only]",
    "Open <MembersOnly>PAID</MembersOnly>",
    ":::private\nPAID\n:::",
    "Open <div hidden>PAID</div>",
    "Open <template>PAID</template>",
    "Open <dialog>PAID</dialog>",
    'Open <p style="color: red; display: none">PAID</p>',
    'Open <div class="members-only">PAID</div>',
    "Open <!-- a comment that never ends",
]
OPEN = [
    "Open `<!--members-only-->` code",
    "```\n{% if x %}\n[/private]\n```",
    "See [/private](/private) and [remember](x)",
    '<a title="the hidden gem" href="/x">x</a> <img alt="a hidden beach" src="x">',
    "<details><summary>More</summary>Open</details>",
    "{{< figure src='x' >}} {% include x.html %} {% post_url 2020-01-01-x %}",
]
HTML_GATES = [
    '<!-- wp:group {"metadata":{"blockVisibility":false}} --><p>PAID</p><!-- /wp:group -->',
    '<!-- wp:group {"blockVisibility":{"controlSets":[1]}} --><p>PAID</p><!-- /wp:group -->',
    '<!-- wp:columns {"restrictedTo":["gold"]} --><p>PAID</p><!-- /wp:columns -->',
    "<!-- wp:premium-content/container --><p>PAID</p><!-- /wp:premium-content/container -->",
    "<p>Open</p><!-- wp:jetpack/paywall /--><p>PAID</p>",
    "<p>Open</p>[restrict userlevel='editor']PAID[/restrict]",
    "<p>Open</p>[s2If current_user_can(access_s2member_level1)]PAID[/s2If]",
    "<p>Open</p>[um_show_content roles='x']PAID[/um_show_content]",
    "<p>Open</p>[mepr-show if='rule: 12']PAID[/mepr-show]",
    "<p>Open</p>[paywall]PAID",
    "<p>Open</p><!--members-only--><p>PAID</p>",
]
HTML_OPEN = [
    '<!-- wp:group {"metadata":{"blockVisibility":true},"className":"x"} --><p>x</p>',
    "<!-- wp:jetpack/subscriptions /--><!--more--><!-- wp:paragraph --><p>x</p>",
    "[caption]x[/caption][gallery ids='1'][code]x[/code]",
    '<img style="display:none" src="x">',
]


@pytest.mark.parametrize("text", COMMENTS)
def test_html_comments_are_not_text(text: str) -> None:
    body = read_body("a.md", text)
    assert "NOTE" not in body.text and "Open" in body.text and "end" in body.text
    assert body.hidden == "" and "removed" in body.warnings[0]


@pytest.mark.parametrize("text", NO_COMMENTS)
def test_code_and_headings_are_not_html_comments(text: str) -> None:
    assert without_comments(text).body == text


@pytest.mark.parametrize("text", GATES)
def test_restricted_part_of_markdown_makes_a_draft(text: str, folder: Folder, rows: Rows) -> None:
    folder.add("a.md", "---\ndate: 2020-01-01\ntitle: T\n---\n" + text)
    words = folder.load().lines[0].words
    assert rows("SELECT published_at FROM posts") == [{"published_at": None}]
    assert words.endswith("imported as a draft") or "imported as a draft" in words


@pytest.mark.parametrize("text", OPEN)
def test_public_parts_are_not_restricted(text: str) -> None:
    assert read_body("a.md", text).hidden == ""


@pytest.mark.parametrize("html", HTML_GATES)
def test_restricted_part_of_wordpress_makes_a_draft(
    html: str, wxr: Callable[..., ImportReport], rows: Rows
) -> None:
    report = wxr(item(1, content=html))
    assert rows("SELECT published_at FROM posts") == [{"published_at": None}]
    assert "hides a part" in report.lines[0].words


@pytest.mark.parametrize("html", HTML_OPEN)
def test_public_blocks_are_not_restricted(html: str) -> None:
    assert restriction_in_html(html) == ""


def meta(key: str, value: str) -> str:
    return (
        f"<wp:postmeta><wp:meta_key>{key}</wp:meta_key>"
        f"<wp:meta_value><![CDATA[{value}]]></wp:meta_value></wp:postmeta>"
    )


UM = 'a:2:{s:26:"_um_custom_access_settings";s:1:"1";s:14:"_um_accessible";s:1:"%s";}'
LIMITED = [
    ("rcp_subscription_level", 'a:1:{i:0;s:1:"1";}'),
    ("_is_paid", "1"),
    ("_members_access_role", "editor"),
    ("_jetpack_newsletter_access", "paid_subscribers"),
    ("_jetpack_memberships_contains_paid_content", "1"),
    ("um_content_restriction", UM % 2),
    ("arm_access_plan", "3"),
    ("_wpmem_block", "1"),
    ("groups-groups_read_post", "Premium"),
    ("_wpac_is_members_only", "true"),
    ("_s2member_ccaps_req", 'a:1:{i:0;s:5:"music";}'),
    ("ppwp_password", "secret"),
]
FREE = [
    ("_members_access_error", "Sign in"),
    ("_is_paid", "0"),
    ("_jetpack_newsletter_access", "everybody"),
    ("um_content_restriction", UM % 0),
    ("rcp_subscription_level", "a:0:{}"),
    ("_edit_lock", "1:2"),
    ("_yoast_wpseo_title", "Members and access levels"),
]


@pytest.mark.parametrize(("key", "value"), [*LIMITED, *FREE])
def test_posts_restricted_by_plugins_are_drafts(
    key: str, value: str, wxr: Callable[..., ImportReport], rows: Rows
) -> None:
    report = wxr(item(1, extra=meta(key, value)))
    public = rows("SELECT published_at FROM posts")[0]["published_at"] is not None
    assert public == ((key, value) in FREE)
    assert public or f"({key})" in report.lines[0].words


def test_memberpress_rules_protect_their_posts(
    wxr: Callable[..., ImportReport], rows: Rows
) -> None:
    kind = meta("_mepr_rules_type", "single_post") + meta("_mepr_rules_content", "1")
    rule = item(9, post_type="memberpressrule", extra=kind)
    wxr(item(1) + item(2) + rule)
    found = rows("SELECT slug FROM posts WHERE published_at IS NULL")
    assert found == [{"slug": "post-1"}]


def test_memberpress_rule_for_many_posts_may_protect_each(
    wxr: Callable[..., ImportReport], rows: Rows
) -> None:
    rule = item(9, post_type="memberpressrule", extra=meta("_mepr_rules_type", "category"))
    report = wxr(item(1) + rule)
    assert rows("SELECT published_at FROM posts") == [{"published_at": None}]
    assert "access may be limited by a MemberPress rule" in report.lines[0].words


def test_posts_forced_public_by_a_plugin_are_public(
    wxr: Callable[..., ImportReport], rows: Rows
) -> None:
    forced = meta("_members_access_role", "editor") + meta("_wc_memberships_force_public", "yes")
    wxr(item(1, extra=forced))
    assert rows("SELECT published_at FROM posts") == [{"published_at": "2012-03-04T05:06:07Z"}]


def test_expiry_set_by_a_plugin_is_kept(wxr: Callable[..., ImportReport], rows: Rows) -> None:
    dated = meta("_expiration-date", "1893456000") + meta("_expiration-date-status", "saved")
    wxr(item(1, extra=dated))
    assert rows("SELECT unpublish_at FROM posts") == [{"unpublish_at": "2030-01-01T00:00:00Z"}]


BLOCK = '<!--kg-gated-block:begin nonMember:{} memberSegment:"{}" -->{}<!--kg-gated-block:end-->'


def test_restricted_blocks_of_ghost_are_removed() -> None:
    paid, free = BLOCK.format("false", "status:-free", "PAID"), BLOCK.format("true", "", "ALL")
    assert without_restricted_blocks(f"a{paid}b{free}c") == ("abALLc", 1)
    assert without_restricted_blocks(f"a{BLOCK.format('false', '', f'x{free}PAID')}b") == ("ab", 1)
    assert without_restricted_blocks(f"a{paid.removesuffix('<!--kg-gated-block:end-->')}") == (
        "a",
        1,
    )


@pytest.mark.parametrize(
    ("values", "public"),
    [
        ({"html": "<p>Open</p>" + BLOCK.format("false", "x", "PAID")}, True),
        ({"html": "<p>Open</p><!--members-only--><p>PAID</p>"}, False),
        ({"plaintext": "PAID", "lexical": '{"root":{"children":[{"type":"paywall"}]}}'}, False),
        ({"plaintext": "PAID", "lexical": '{"visibility":{"web":{"nonMember":false}}}'}, False),
        ({"plaintext": "PAID", "mobiledoc": '{"cards":[["paywall",{}]]}'}, False),
        ({"html": "<p>x</p>", "email_only": True}, False),
        ({"html": "<p>x</p>", "visibility": "tiers"}, False),
        ({"plaintext": "Open", "lexical": '{"visibility":{"web":{"nonMember":true}}}'}, True),
    ],
)
def test_restricted_parts_of_ghost_stay_private(
    values: dict[str, Any], public: bool, site: Flask, tmp_path: Path, rows: Rows
) -> None:
    post = {"uuid": "u", "title": "T", "slug": "t", "status": "published", "type": "post"}
    dated = post | {"published_at": "2024-01-02T00:00:00.000Z"}
    file = tmp_path / "ghost.json"
    file.write_bytes(orjson.dumps({"db": [{"data": {"posts": [dated | values]}}]}))
    report = load.load_ghost(file)
    found = rows("SELECT body, published_at FROM posts")[0]
    assert (found["published_at"] is not None) == public, str(report)
    assert not public or "PAID" not in found["body"]


@pytest.mark.parametrize(
    "token",
    ["<!--", "<!-- a", "{% comment %}", "{{< comment ", "{# ", "`", "``` \n", "%% ", "<a style=x ",
     "<!-- wp:a ", "[paywall", "{/*", "[//]: ", "<div ", "{% ", "{%          ", "\n\n    "],
)  # fmt: skip
def test_work_is_linear_in_the_text(token: str) -> None:
    """A quadratic step would take minutes here."""
    text = token * (256 * 1024 // len(token))
    without_comments(text)
    restriction_in_html(text)
    read_body("a.md", text[: 250 * 1024])
