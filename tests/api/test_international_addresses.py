"""Addresses with internationalised domains: one account, in whichever form it is typed."""

import pytest

from quire.actor import SYSTEM
from quire.auth import account_links, registration
from quire.declare.email_address import ascii_address, is_address, normalize_address
from quire.exchange.model import ImportedPerson
from quire.exchange.origin_map import OriginMap
from quire.exchange.people import PersonResolver
from quire.records import USERS
from quire.store import read
from quire.store.write import create
from tests.mail_servers import link_in, sent, text_of
from tests.users import PASSWORD

TYPED, ASCII = "ann2@b\u00fccher.example", "ann2@xn--bcher-kva.example"
OTHERS = [
    ASCII,
    "Ann2@B\u00dcCHER.example",
    "ann2@bu\u0308cher.example",
    "ann2@XN--BCHER-KVA.example",
]


def register(client, address, name="ann2"):
    return client.post("users", json={"username": name, "email": address, "password": PASSWORD})


@pytest.mark.parametrize("other", OTHERS, ids=ascii)
def test_both_forms_of_a_domain_are_the_same_address(as_, other):
    nobody = as_(None)
    made = register(nobody, TYPED)
    assert (made.status_code, made.json["email"]) == (201, TYPED)
    refused = register(nobody, other, "ann3")
    assert (refused.status_code, refused.json["details"][0]["field"]) == (409, "email")
    for address in (TYPED, other):
        answer = nobody.post("auth/token", json={"email": address, "password": PASSWORD})
        assert answer.status_code == 200
    found = as_("root").get("users", query_string={"email": other}).json
    assert [one["username"] for one in found["users"]] == ["ann2"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("\u00e4nn@example.com", "Email may contain letters such as \u00e4 or \u00e9 only after the @."),
        ("\u00e4nn@b\u00fccher.example", "Email may contain letters such as \u00e4 or \u00e9 only after the @."),
        ("ann@b\u00fc cher.example", "Email is not a valid email address."),
        ("ann@-b\u00fccher.example", "Email is not a valid email address."),
        ("ann@xn--a.example", "Email is not a valid email address."),
        ("ann@" + "\u00fc" * 60 + ".example", "Email is not a valid email address."),
        ("nobody", "Email is not a valid email address."),
        ("ann@@example.org", "Email is not a valid email address."),
    ],
    ids=ascii,
)  # fmt: skip
def test_invalid_addresses_are_refused_with_a_reason(as_, address, words):
    refused = register(as_(None), address)
    assert refused.status_code == 422
    assert [one["message"] for one in refused.json["details"]] == [words]


def test_forms_of_addresses():
    assert normalize_address(" \u200bAnn@Fa\u00df.DE ") == "ann@fa\u00df.de"
    assert ascii_address("ann@fa\u00df.de") == "ann@xn--fa-hia.de"
    assert normalize_address("\u00c4nn@x") == "\u00e4nn@x"
    assert not is_address("\u00e4nn@example.org")


@pytest.fixture
def mailing(make_app, tmp_path):
    """An application whose sender address has such a domain, and whose mail is stored in a folder of this test."""
    sender = "B\u00fccher <post@b\u00fccher.example>"
    url = "https://b\u00fccher.example"
    return make_app(QUIRE_INSTANCE=tmp_path, PUBLIC_URL=url, MAIL_DEFAULT_SENDER=sender)


def test_mail_goes_to_the_ascii_form(mailing):
    with mailing.test_request_context():
        registration.invite_by_mail(TYPED, "author", SYSTEM)
    (letter,) = sent(mailing)
    assert letter["To"].addresses[0].addr_spec == ASCII
    sender = letter["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("B\u00fccher", "post@xn--bcher-kva.example")
    assert letter["Message-ID"].endswith("@xn--bcher-kva.example>")
    assert "https://xn--bcher-kva.example/auth/" in text_of(letter)


def test_reset_links_find_the_account_by_either_form(mailing):
    raw = {"username": "ann2", "email": TYPED, "password": PASSWORD, "role": "author"}
    with mailing.test_request_context():
        id = create(USERS, SYSTEM, raw).id
        account_links.request_password_reset(ASCII)
        account_links.request_email_change(id, "ann2@xn--grn-ioa.example")
    letters = {one["Subject"]: one for one in sent(mailing)}
    reset = next(one for subject, one in letters.items() if "password" in subject)
    assert reset["To"].addresses[0].addr_spec == ASCII
    secret = next(link_in(one) for one in letters.values() if "gr\u00fcn" in text_of(one) or
                  "xn--grn-ioa" in one["To"])  # fmt: skip
    with mailing.test_request_context():
        account_links.verify_address(secret.rpartition("/")[2], SYSTEM)
        assert read.get_record(USERS, SYSTEM, id)["email"] == "ann2@gr\u00fcn.example"


def test_imports_find_authors_by_either_form(app):
    raw = {"username": "ann2", "email": TYPED, "password": PASSWORD, "role": "author"}
    with app.app_context():
        id = create(USERS, SYSTEM, raw).id
        people = PersonResolver(SYSTEM, OriginMap("test", "blog"), None)
        assert people.id_of(ImportedPerson("Ann", email=ASCII)) == id
