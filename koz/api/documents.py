"""How the API answers: JSON with a strong ETag, pages by key, open to every origin for reading, problems on errors."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

from flask import Response, request

from koz.core.errors import KozError
from koz.core.i18n import _
from koz.core.paging import Page
from koz.core.settings import current_settings

T = TypeVar("T")
PAGE: Final = 50
Json = dict[str, Any]
_KEY: Final = re.compile(r"[0-9]{1,18}(?:_[0-9]{1,18})?")


class BadRequest(KozError):
    """The address cannot be read."""

    status = 400


def absolute(path: str | None) -> str | None:
    """A path of this service with its public address before it; other addresses as they are."""
    if path is None or not path.startswith("/"):
        return path
    return current_settings().base_url + path


def instant(moment: datetime | None) -> str | None:
    """A moment as RFC 3339 in UTC, to the second."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(value: date | None) -> str | None:
    """A calendar day (of Paris) as RFC 3339 full-date."""
    return None if value is None else value.isoformat()


def read_key() -> str | None:
    """`?after=`, None when absent. Raises BadRequest when it cannot be the key of a row."""
    given = request.args.get("after")
    if given is not None and not _KEY.fullmatch(given):
        raise BadRequest(_("“after” must be the key that a page's “next” link gives."))
    return given


def read_id() -> int | None:
    """`?after=` where keys are single numbers. Raises BadRequest."""
    key = read_key()
    if key is None:
        return None
    if "_" in key:
        raise BadRequest(_("“after” must be the key that a page's “next” link gives."))
    return int(key)


def answer(body: Json, *, next_url: str | None = None) -> Response:
    """A JSON document. Caches may keep it and must ask again: 304 when the same, by a strong ETag."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = keepable(Response(text, content_type="application/json"))
    if next_url is not None:
        response.headers["Link"] = f'<{next_url}>; rel="next"'
    return response


def answer_page(page: Page[T], shape: Callable[[T], Json]) -> Response:
    """A page of a list: `items`, and `next`, also as a Link header, while there is more."""
    next_url = None if page.next_after is None else f"{absolute(request.path)}?after={page.next_after}"
    return answer({"items": [shape(item) for item in page.items], "next": next_url}, next_url=next_url)


def keepable(response: Response) -> Response:
    """Give a public answer its ETag and its word for caches; a matching If-None-Match makes it a 304."""
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    response.headers["Cache-Control"] = "public, no-cache"
    response.make_conditional(request)
    return response


def open_to_all(response: Response) -> Response:
    """Let pages of any origin read the API, errors included. Nothing here depends on who asks."""
    if request.path.startswith(("/api/v1/", "/oembed")):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "ETag, Link"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "If-None-Match, Accept-Language"
            response.headers["Access-Control-Max-Age"] = "86400"
    return response


def by_key(rows: Sequence[T], key: Callable[[T], Any]) -> Mapping[Any, list[T]]:
    """Rows in lists by a key, in the order they came."""
    found: dict[Any, list[T]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found
