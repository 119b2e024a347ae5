"""Sessions of browsers: rows that can be listed and ended. The cookie holds the secret, the row its fingerprint."""

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from koz.accounts.models import Person, UserSession
from koz.core.clock import now
from koz.core.ids import fingerprint, new_token

SESSION_IDLE: Final = timedelta(days=14)
SESSION_LIFE: Final = timedelta(days=90)
STAFF_SESSION_LIFE: Final = timedelta(hours=12)
FRESH: Final = timedelta(minutes=15)

#: Marks in a browser's own description, most telling first, and what people call it.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"), ("Chrome/", "Chrome"), ("CriOS", "Chrome"), ("Chromium", "Chromium"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


def device_name(agent: str) -> str:
    """What a browser is, in words a person knows: « Firefox · Windows »; empty when it does not say.

    Only this is kept: the full description would tell more about a person than the list of sessions needs.
    """
    found = [next((name for mark, name in marks if mark in agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return " · ".join(name for name in found if name)


def open_session(session: Session, person: Person, agent: str = "") -> str:
    """Open a session; returns the secret for the cookie."""
    token = new_token()
    life = STAFF_SESSION_LIFE if person.is_staff or person.is_moderator else SESSION_IDLE
    session.add(
        UserSession(
            token_hash=fingerprint(token), person_id=person.id, expires_at=now() + life, agent=device_name(agent)
        )
    )
    return token


def touch_session(row: UserSession, *, staff: bool) -> None:
    """Note that a session is used: it lives on, up to its longest life."""
    row.seen_at = now()
    if not staff:
        row.expires_at = min(row.created_at + SESSION_LIFE, now() + SESSION_IDLE)


def confirm_session(session: Session, token: str) -> None:
    """Note that the password was given again in this session."""
    session.execute(update(UserSession).where(UserSession.token_hash == fingerprint(token)).values(password_at=now()))


def raise_session(session: Session, token: str) -> str:
    """Note that the second factor was given in this session, and change its secret: the old one opens nothing more."""
    new = new_token()
    session.execute(
        update(UserSession)
        .where(UserSession.token_hash == fingerprint(token))
        .values(second_factor_at=now(), token_hash=fingerprint(new))
    )
    return new


def end_session(session: Session, token: str) -> None:
    """End the session of a cookie's token; nothing happens when it is over already."""
    session.execute(delete(UserSession).where(UserSession.token_hash == fingerprint(token)))


def end_session_by_id(session: Session, person_id: int, session_id: int) -> None:
    """End one of the person's own sessions."""
    session.execute(delete(UserSession).where(UserSession.id == session_id, UserSession.person_id == person_id))


def end_sessions(session: Session, person_id: int, *, but: str | None = None) -> None:
    """End all sessions of a person, but the one of token `but`."""
    statement = delete(UserSession).where(UserSession.person_id == person_id)
    if but is not None:
        statement = statement.where(UserSession.token_hash != fingerprint(but))
    session.execute(statement)
