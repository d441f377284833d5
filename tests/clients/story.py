"""The publishing story, with the client that openapi-python-client generates."""

import sys
from http import HTTPStatus
from typing import Any, TypeVar

from quire_client import AuthenticatedClient, Client
from quire_client.api.authentication import sign_in
from quire_client.api.changes import get_changes
from quire_client.api.comments import create_post_comment
from quire_client.api.media import create_media
from quire_client.api.posts import (
    bulk_posts,
    change_post,
    create_post,
    delete_post,
    get_post_by_slug,
    list_posts,
    publish_post,
)
from quire_client.api.tags import create_tag
from quire_client.models.change_list import ChangeList
from quire_client.models.comment import Comment
from quire_client.models.credentials import Credentials
from quire_client.models.error import Error
from quire_client.models.error_code import ErrorCode
from quire_client.models.list_posts_include_item import ListPostsIncludeItem
from quire_client.models.list_posts_sort_item import ListPostsSortItem
from quire_client.models.list_posts_status import ListPostsStatus
from quire_client.models.media import Media
from quire_client.models.media_new import MediaNew
from quire_client.models.post import Post
from quire_client.models.post_bulk_create import PostBulkCreate
from quire_client.models.post_bulk_request import PostBulkRequest
from quire_client.models.post_bulk_result import PostBulkResult
from quire_client.models.post_bulk_results import PostBulkResults
from quire_client.models.post_change import PostChange
from quire_client.models.post_comment_new import PostCommentNew
from quire_client.models.post_feed_entry import PostFeedEntry
from quire_client.models.post_list import PostList
from quire_client.models.post_new import PostNew
from quire_client.models.stale_error import StaleError
from quire_client.models.tag import Tag
from quire_client.models.tag_feed_entry import TagFeedEntry
from quire_client.models.tag_new import TagNew
from quire_client.models.token_response import TokenResponse
from quire_client.types import File, Response

T = TypeVar("T")


def got(kind: type[T], response: Response[Any], status: HTTPStatus = HTTPStatus.OK) -> T:
    """Return the parsed response, which must have this type and status."""
    assert response.status_code == status, response.content
    assert isinstance(response.parsed, kind), response.parsed
    return response.parsed


def tell(url: str, password: str, image: str) -> None:
    """Publish a post with a tag and a cover, change it, discuss it, delete it."""
    reader = Client(base_url=url)
    credentials = Credentials(email="ann@example.org", password=password)
    tokens = got(TokenResponse, sign_in.sync_detailed(client=reader, body=credentials))
    assert tokens.user.username == "ann"
    ann = AuthenticatedClient(base_url=url, token=tokens.access_token)
    start = got(ChangeList, get_changes.sync_detailed(client=ann)).next_

    tag = TagNew(name="python")
    got(Tag, create_tag.sync_detailed(client=ann, body=tag), HTTPStatus.CREATED)
    with open(image, "rb") as file:
        upload = MediaNew(file=File(file, "photo.png", "image/png"), alt="A dot")
        cover = got(Media, create_media.sync_detailed(client=ann, body=upload), HTTPStatus.CREATED)
    new = PostNew(title="Typed", body="*Hi*", tags=["python"], cover=cover.id)
    draft = got(Post, create_post.sync_detailed(client=ann, body=new), HTTPStatus.CREATED)
    assert (draft.status, [one.name for one in draft.tags]) == ("draft", ["python"])
    post = got(Post, publish_post.sync_detailed(draft.id, client=ann))

    listed = list_posts.sync_detailed(
        client=reader, status=ListPostsStatus.PUBLISHED, tags_name_in=["python", "none"],
        sort=[ListPostsSortItem.TITLE, ListPostsSortItem.ID],
        include=[ListPostsIncludeItem.AUTHOR, ListPostsIncludeItem.COMMENTS],
    )  # fmt: skip
    [row] = got(PostList, listed).posts
    assert (row.id, row.author.username, row.comments) == (post.id, "ann", [])
    read = get_post_by_slug.sync_detailed("typed", client=reader)
    assert got(Post, read).cover is not None

    tag_of_it = read.headers["ETag"]
    change = PostChange(title="Typed twice")
    changed = change_post.sync_detailed(post.id, client=ann, body=change, if_match=tag_of_it)
    assert got(Post, changed).title == "Typed twice"
    late = change_post.sync_detailed(post.id, client=ann, body=change, if_match=tag_of_it)
    stale = got(StaleError, late, HTTPStatus.PRECONDITION_FAILED)
    assert (stale.current_version, stale.changed_fields) == (got(Post, changed).version, ["title"])

    said = PostCommentNew(body="Well said.")
    comment = create_post_comment.sync_detailed(post.id, client=ann, body=said)
    assert got(Comment, comment, HTTPStatus.CREATED).post.id == post.id
    operations = [PostBulkCreate("create", PostNew(f"Bulk {n}", "x")) for n in (1, 2)]
    rows = bulk_posts.sync_detailed(client=ann, body=PostBulkRequest([*operations]))
    for result in got(PostBulkResults, rows).results:
        assert isinstance(result, PostBulkResult) and isinstance(result.record, Post)

    feed = got(ChangeList, get_changes.sync_detailed(client=ann, since=start)).changes
    assert any(isinstance(one, TagFeedEntry) and isinstance(one.record, Tag) for one in feed)
    assert any(isinstance(one, PostFeedEntry) and one.id == post.id for one in feed)
    assert delete_post.sync_detailed(post.id, client=ann).status_code == HTTPStatus.NO_CONTENT
    gone = get_post_by_slug.sync_detailed("typed", client=reader)
    assert got(Error, gone, HTTPStatus.NOT_FOUND).code == ErrorCode.NOT_FOUND
    refused = create_post.sync_detailed(client=ann, body=PostNew(title="x" * 201, body="y"))
    error = got(Error, refused, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert [(one.field, one.code) for one in error.details] == [("title", "too_long")]


if __name__ == "__main__":
    tell(*sys.argv[1:])
