"""Signed links: what a mail may carry. Signed, bound to a purpose, with an age; some good for one use only."""

from datetime import datetime
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from sqlalchemy import String
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from koz.core.clock import now
from koz.core.db import Base
from koz.core.errors import Gone, NotFound
from koz.core.i18n import _
from koz.core.ids import fingerprint
from koz.core.settings import current_settings


class UsedToken(Base):
    """A link that was good once and has been used. The token itself is not kept."""

    __tablename__ = "used_tokens"

    purpose: Mapped[str] = mapped_column(String(40), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[datetime] = mapped_column(default=now)


def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_settings().secret_key, salt=f"koz.{purpose}")


def sign(purpose: str, payload: dict[str, Any]) -> str:
    """A URL-safe token of `payload`. It can be read by anyone who has it: ids only, no personal data."""
    text: str = _serializer(purpose).dumps(payload)
    return text


def unsign(purpose: str, token: str, *, max_age_s: int | None = None) -> dict[str, Any]:
    """Payload of a token. Raises Gone when it is too old, NotFound when it was not made by us for this purpose."""
    try:
        payload = _serializer(purpose).loads(token, max_age=max_age_s)
    except SignatureExpired:
        raise Gone(_("This link has expired. Ask for a new one.")) from None
    except BadSignature:
        raise NotFound(_("This link is not valid. Check that it was copied whole.")) from None
    assert isinstance(payload, dict)
    return payload


def use_once(session: Session, purpose: str, token: str) -> bool:
    """True the first time, False ever after; decided by the primary key."""
    row = session.execute(
        insert(UsedToken)
        .values(purpose=purpose, token_hash=fingerprint(token), used_at=now())
        .on_conflict_do_nothing()
        .returning(UsedToken.purpose)
    ).first()
    return row is not None
