"""Safe retries: a request that is sent again with its Idempotency-Key has one effect and one response."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any

import orjson
from flask import Response, current_app, request

from quire.actor import Actor
from quire.api.request_body import MULTIPART
from quire.api.responses import MIME, empty_response
from quire.auth.current_actor import current_actor
from quire.errors import Conflict, Problem, invalid_parameter
from quire.security.client_network import client_network
from quire.security.tokens import digest
from quire.store.idempotency_keys import (
    AlreadyAnswered,
    KeyedRequest,
    StoredAnswer,
    find_answer,
    one_effect,
    store_answer,
)
from quire.store.transactions.retries import run_again
from quire.web.body_limits import accepts_files
from quire.web.current import current_request
from quire.web.safe_requests import only_reads
from quire.web.secret_response import SecretResponse

HEADER = "Idempotency-Key"
MAX_LENGTH = 255
PATTERN = r"^[!-~]+$"
CHUNK = 1024 * 1024
_KEY = re.compile(rf"[!-~]{{1,{MAX_LENGTH}}}")

View = Callable[..., Response]


def idempotent(view: View) -> View:
    """Carry out a request with a key only once, and repeat its response for a day."""
    request = current_request()
    if "HTTP_IDEMPOTENCY_KEY" not in request.environ or only_reads(request):
        return view
    return partial(_answer_once, view)


def _answer_once(view: View, *args: Any, **kwargs: Any) -> Response:
    requested = _key_of_request(current_actor())
    with _fingerprint() as fingerprint:
        keyed = KeyedRequest(requested, fingerprint)
        answering = partial(_answer_and_store, keyed, partial(view, *args, **kwargs))
        try:
            if accepts_files(request.method, request.path):
                return _answer_upload(keyed, answering)
            return run_again(answering)
        except AlreadyAnswered as earlier:
            return _given_again(earlier.answer)
        except Problem:
            # for example, a unique value that the first attempt of this request has taken
            answer = find_answer(keyed)
            if answer is None:
                raise
            return _given_again(answer)


def _answer_upload(keyed: KeyedRequest, answering: Callable[[], Response]) -> Response:
    """The same for an upload, which is received only once, and not at all if a response is stored."""
    answer = find_answer(keyed)
    return answering() if answer is None else _given_again(answer)


def _answer_and_store(keyed: KeyedRequest, view: View) -> Response:
    with one_effect(keyed):
        response = view()
        store_answer(keyed, _answer_to_store(response))
        return response


def _key_of_request(actor: Actor) -> str:
    """A digest of the sender, the address and the key. Raises BadRequest for an invalid key."""
    key = request.environ["HTTP_IDEMPOTENCY_KEY"]
    if not _KEY.fullmatch(key):
        raise invalid_parameter(
            HEADER, f"{HEADER} must be 1 to {MAX_LENGTH} visible ASCII characters."
        )
    return digest(f"{_sender(actor)}\n{request.method}\n{request.full_path}\n{key}")


def _sender(actor: Actor) -> str:
    if actor.api_key_id is not None:
        return f"key {actor.api_key_id}"
    if actor.user_id is not None:
        return f"account {actor.user_id}"
    return f"network {client_network(actor.ip)}"


@contextmanager
def _fingerprint() -> Iterator[str]:
    """A hash of the body, which can be read again inside the block.

    It depends on SECRET_KEY, so someone who reads the database cannot use it to guess passwords.
    """
    secret = str(current_app.config["SECRET_KEY"]).encode()
    mac = hmac.new(secret, b"quire: idempotency key\n", hashlib.sha256)
    if not accepts_files(request.method, request.path):
        mac.update(request.get_data())
        yield mac.hexdigest()
    elif request.mimetype == MULTIPART:
        for part in _form_parts():
            mac.update(part)
        yield mac.hexdigest()
    else:
        with SpooledTemporaryFile(CHUNK) as file:
            while chunk := request.stream.read(CHUNK):
                mac.update(chunk)
                file.write(chunk)
            file.seek(0)
            request.stream = file
            yield mac.hexdigest()


def _form_parts() -> Iterator[bytes]:
    """The parts of a form, without boundaries and CSRF token: these differ when it is sent again."""
    for name, value in request.form.items(multi=True):
        if name != "csrf_token":
            yield orjson.dumps([name, value])
    for name, file in request.files.items(multi=True):
        content = hashlib.sha256()
        while chunk := file.stream.read(CHUNK):
            content.update(chunk)
        file.stream.seek(0)
        yield orjson.dumps([name, file.filename, content.hexdigest()])


def _answer_to_store(response: Response) -> StoredAnswer:
    """The parts of a response to store; for one that shows a secret, only the address of its record."""
    headers = response.headers
    if isinstance(response, SecretResponse):
        record = request.path.rpartition("/")[0]  # the record of an action, which itself has no GET
        return StoredAnswer(None, b"", None, headers.get("Location", record))
    return StoredAnswer(
        response.status_code, response.get_data(), headers.get("ETag"), headers.get("Location")
    )


def _given_again(answer: StoredAnswer) -> Response:
    """The stored response. Raises Conflict if it showed a secret."""
    if answer.status is None:
        raise Conflict(
            "This request has been carried out before. Its answer showed a secret and is not stored.",
            code="already_created",
            headers={"Location": str(answer.location)},
        )
    headers = {"Idempotency-Replayed": "true"}
    headers |= {"ETag": answer.etag} if answer.etag is not None else {}
    headers |= {"Location": answer.location} if answer.location is not None else {}
    if not answer.body:
        return empty_response(answer.status, headers)
    headers["Cache-Control"] = "private, no-store"
    return Response(answer.body, answer.status, headers, MIME)
