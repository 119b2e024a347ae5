"""Public pages kept for one second, for visitors only: under a rush a page is drawn once a second and process.

A second is also the longest that a figure on such a page may be old. Nothing is kept that belongs to a person: a
request that brings a session, or an answer that sets a cookie, goes past.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from flask import Response, current_app, make_response, request
from flask.typing import ResponseReturnValue

from koz.core.access import current_actor
from koz.core.i18n import current_locale

#: Setting of the app (seconds); tests, in which the clock hardly moves between a change and a look, put it to 0.
SETTING: Final = "BRIEF_CACHE_S"
MOST: Final = 500
P = ParamSpec("P")

Kept = OrderedDict[tuple[str, str], tuple[float, bytes, str]]


def briefly_kept(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Keep a public GET view's page for a moment, by address and language. Put it under `@access`."""

    @wraps(view)
    def kept(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        keep_s: float = current_app.config[SETTING]
        if not keep_s or current_actor().id is not None:
            return view(*args, **kwargs)
        pages: Kept = current_app.extensions.setdefault("koz_brief_cache", OrderedDict())
        key = (request.full_path, current_locale())
        found = pages.get(key)
        if found is not None and found[0] > time.monotonic():
            return Response(found[1], content_type=found[2])
        answer = make_response(view(*args, **kwargs))
        if answer.status_code == 200 and not answer.headers.getlist("Set-Cookie"):
            pages[key] = (time.monotonic() + keep_s, answer.get_data(), answer.content_type or "text/html")
            pages.move_to_end(key)
            while len(pages) > MOST:
                pages.popitem(last=False)
        return answer

    return kept
