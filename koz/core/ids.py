"""Names and secrets: slugs for addresses, random tokens for links and sessions."""

import hashlib
import secrets

from slugify import slugify as _slugify


def slugify(text: str, max_length: int = 80) -> str:
    """An ASCII address part of at most `max_length` characters, cut at a word; `x` when nothing is left."""
    return _slugify(text, max_length=max_length, word_boundary=True) or "x"


def new_token(nbytes: int = 32) -> str:
    """A URL-safe secret of `nbytes` random bytes."""
    return secrets.token_urlsafe(nbytes)


def fingerprint(token: str) -> str:
    """What the database keeps of a secret: its SHA-256 in hex. Enough for random secrets, not for passwords."""
    return hashlib.sha256(token.encode()).hexdigest()
