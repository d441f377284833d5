"""No filter, order, field or include reveals anything about hidden data."""

import pytest

from tests.api.test_access_order import code
from tests.extended_set import sampled

pytestmark = pytest.mark.no_cover  # thousands of requests that differ only in a name

TYPES = ["posts", "pages", "comments", "tags", "categories", "profiles", "media", "users"]
HIDDEN = {
    "author.{}=a": ["email", "password", "role", "is_active", "version", "totp_secret", "sessions"],
    "author.{}__startswith=a": ["email", "password", "password_hash"],
    "author.{}__isnull=true": ["email", "password", "updated_at"],
    "owner.{}__contains=a": ["email", "password"],
    "user.{}__startswith=a": ["email", "password"],
    "post.{}=a": ["status", "title", "body", "deleted_at", "version"],
    "post.{}__startswith=a": ["title", "body"],
    "post.author.{}__startswith=a": ["email"],
    "category.posts.{}=a": ["status", "title"],
    "{}=a": ["password", "password_hash", "totp_secret", "hash", "__class__", "deleted_by", "revisions.data", "draft"],
    "{}__isnull=true": ["password", "draft", "totp_secret", "hash"],
    "{}__startswith=a": ["password", "draft.title", "hash"],
    "sort={}": ["password", "deleted_by", "hash", "(SELECT 1)", "title;--", "random()", "__class__", "author.email"],
    "sort=id,-{}": ["password", "hash"],
    "fields={}": ["password", "hash", "__class__", "totp_secret"],
    "fields=id,author.{}": ["email", "password", "sessions"],
    "include={}": ["password", "sessions", "api_keys", "__class__"],
    "include=author.{}": ["email", "sessions", "api_keys"],
}  # fmt: skip
OPERATORS = ["id__sql=1", "id__regex=1", "id__like=%", "id__eq__ne=1", "id__=1", "author__email=a"]


def unlike_others(client, place, hidden):
    """Return whether the response to a hidden name differs from that to a name that does not exist."""
    there, nowhere = (client.get(place.format(name)) for name in (hidden, "zzz"))
    assert code(there) == code(nowhere) == (400, "unknown_parameter"), (place, hidden, there.text)
    said, unknown = ({**one.json, "request_id": ""} for one in (there, nowhere))
    return str(said) != str(unknown).replace("zzz", hidden)


@pytest.mark.parametrize("name", sampled([None, "bob", "ann"], [None, "ann"]))
@pytest.mark.parametrize("path", TYPES)
def test_hidden_fields_are_unknown_in_filters(as_, content, path, name):
    client = as_(name)
    asked = [(f"{path}?{query}", word) for query, words in HIDDEN.items() for word in words]
    assert [one for one in asked if unlike_others(client, *one)] == []
    for query in OPERATORS:
        assert code(client.get(f"{path}?{query}")) == (400, "unknown_parameter"), query
