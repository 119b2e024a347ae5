"""Errors a user can meet. Each carries one translated sentence that says what to do.

Expected errors are `KozError`s: one handler in `core/web.py` renders them as page or JSON problem and logs them
at INFO. Bugs are `AssertionError`s and are never caught.
"""

import re
from typing import ClassVar, Final

#: Where PostgreSQL tells the values of the row it refused, up to the next part of a traceback.
_ROW_VALUES: Final = re.compile(
    r"DETAIL:.*?(?=\n\[SQL|\nCONTEXT:|\nHINT:|\n\nThe above exception|\n\nDuring handling|\Z)", re.DOTALL
)


def without_row_values(text: str) -> str:
    """The text of an error or traceback without the values that the database quotes: they may be personal."""
    return _ROW_VALUES.sub("DETAIL: left out", text)


class KozError(Exception):
    """Base. `status` is the HTTP status, `sentence` is for the user."""

    status: ClassVar[int] = 400

    def __init__(self, sentence: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
        self.retry_after_s = retry_after_s


class NotFound(KozError):
    """No such thing, or not for this person: both look alike from outside."""

    status = 404


class NotAllowed(KozError):
    """The thing exists and may be seen, but not done by this person."""

    status = 403


class Conflict(KozError):
    """The thing is no longer in the state that the act needs."""

    status = 409


class Gone(KozError):
    """A link or token that was good once: used or expired."""

    status = 410


class Invalid(KozError):
    """The input cannot be used as it is."""

    status = 422


class TooMany(KozError):
    """A limit of attempts is reached."""

    status = 429


class Unavailable(KozError):
    """Something Koz depends on does not answer; nothing was done and trying again is safe."""

    status = 503
