"""Mails as rows: queued with the change they tell of, claimed before they are sent, so that none goes out twice.

A claim is committed before the server is spoken to. A process that dies in between leaves the mail `sending`; after
`STUCK` it becomes `unknown` and is shown to staff: a second mail would be worse than one to look into.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import case, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.core.clock import now
from koz.core.db import wake_after_commit
from koz.core.errors import Conflict, NotFound
from koz.core.i18n import _
from koz.notifications.models import Mail, MailState

SEND_JOB: Final = "notifications.send_due"
STUCK: Final = timedelta(minutes=10)
KEEP: Final = timedelta(days=30)
MAX_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that this process alone may send now."""

    id: int
    template: str
    to_email: str
    locale: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Addressed:
    """One of many mails of a kind: to whom, in which language, with which values, under which key."""

    to_email: str | None
    locale: str
    params: Mapping[str, str | int]
    key: str


def queue_mail(
    session: Session, template: str, to_email: str | None, locale: str, params: Mapping[str, str | int], key: str
) -> bool:
    """Queue one mail; False when `key` was queued before or there is nobody to write to. Sent after the commit."""
    return queue_mails(session, template, [Addressed(to_email, locale, params, key)]) == 1


def queue_mails(session: Session, template: str, mails: Iterable[Addressed]) -> int:
    """Queue mails of one kind by one statement for hundreds of them. Returns how many are new."""
    rows = [
        {
            "key": mail.key, "template": template, "to_email": mail.to_email, "locale": mail.locale,
            "params": dict(mail.params), "state": MailState.WAITING, "attempts": 0, "created_at": now(),
            "next_attempt_at": now(),
        }
        for mail in mails if mail.to_email
    ]  # fmt: skip
    if not rows:
        return 0
    statement = insert(Mail).on_conflict_do_nothing(index_elements=["key"]).returning(Mail.id)
    new = session.scalars(statement, rows).all()
    if new:
        wake_after_commit(session, SEND_JOB)
    return len(new)


def claim_next(session: Session) -> Claim | None:
    """Take the next mail that is due; it is `sending` once this is committed."""
    mail = session.scalar(
        select(Mail)
        .where(Mail.state == MailState.WAITING, Mail.next_attempt_at <= now())
        .order_by(Mail.next_attempt_at, Mail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if mail is None:
        return None
    mail.state, mail.claimed_at, mail.attempts = MailState.SENDING, now(), mail.attempts + 1
    return Claim(mail.id, mail.template, mail.to_email, mail.locale, mail.params)


def mark_sent(session: Session, mail_id: int) -> None:
    """The server took it."""
    mail = session.get_one(Mail, mail_id, with_for_update=True)
    mail.state, mail.sent_at, mail.last_error = MailState.SENT, now(), None


def mark_failed(session: Session, mail_id: int, error: str, *, for_good: bool) -> None:
    """The server surely did not take it: later again, or never."""
    mail = session.get_one(Mail, mail_id, with_for_update=True)
    mail.last_error = error
    if for_good or mail.attempts >= MAX_ATTEMPTS:
        mail.state = MailState.REFUSED
    else:
        mail.state = MailState.WAITING
        mail.next_attempt_at = now() + timedelta(seconds=min(3600 * 6, 15 * 2**mail.attempts))


def settle_by_hand(session: Session, mail_id: int, *, send_again: bool) -> Mail:
    """What staff decide on a mail of which nobody knows whether it went out, or that was refused.

    It counts as sent, or is queued again. Raises NotFound, Conflict when it is in another state or was emptied.
    """
    mail = session.get(Mail, mail_id, with_for_update=True)
    if mail is None:
        raise NotFound(_("This mail does not exist."))
    if mail.state not in {MailState.UNKNOWN, MailState.REFUSED}:
        raise Conflict(_("Only a mail that is unknown or refused can be settled by hand."))
    if not send_again:
        mail.state, mail.sent_at = MailState.SENT, now()
        return mail
    if not mail.to_email:
        raise Conflict(_("The address of this mail was forgotten: it cannot be sent again."))
    mail.state, mail.attempts, mail.next_attempt_at, mail.last_error = MailState.WAITING, 0, now(), None
    wake_after_commit(session, SEND_JOB)
    return mail


def settle_stuck(session: Session) -> int:
    """Mails whose process died while sending become `unknown`. Returns how many."""
    statement = (
        update(Mail)
        .where(Mail.state == MailState.SENDING, Mail.claimed_at < now() - STUCK)
        .values(state=MailState.UNKNOWN)
        .returning(Mail.id)
    )
    return len(session.scalars(statement).all())


def forget_old(session: Session) -> int:
    """Empty addresses and values of mails sent long ago; the keys stay, so nothing is sent again."""
    statement = (
        update(Mail)
        .where(Mail.state.in_([MailState.SENT, MailState.REFUSED]), Mail.created_at < now() - KEEP, Mail.to_email != "")
        .values(to_email="", params={})
        .returning(Mail.id)
    )
    return len(session.scalars(statement).all())


def forget_address(session: Session, email: str) -> int:
    """Empty all mails to an address and send none that waits. Returns how many.

    One that is being sent at this moment goes out; the keys stay, so nothing is sent again.
    """
    state = case((Mail.state == MailState.WAITING, MailState.REFUSED), else_=Mail.state)
    statement = update(Mail).where(Mail.to_email == email).values(to_email="", params={}, state=state)
    return len(session.scalars(statement.returning(Mail.id).execution_options(synchronize_session=False)).all())
