"""Reads of mails."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.notifications.models import Mail, MailState


def list_mails(session: Session, state: MailState, after: int | None = None, size: int = 50) -> Sequence[Mail]:
    """Mails in a state, the latest first; `size + 1` rows, the extra one telling that there is more."""
    statement = select(Mail).where(Mail.state == state).order_by(Mail.id.desc()).limit(size + 1)
    if after is not None:
        statement = statement.where(Mail.id < after)
    return session.scalars(statement).all()


def get_mail(session: Session, mail_id: int) -> Mail:
    """The mail. Raises NotFound."""
    mail = session.get(Mail, mail_id)
    if mail is None:
        raise NotFound(_("This mail does not exist."))
    return mail


def count_mails(session: Session) -> Mapping[MailState, int]:
    """How many mails there are in each state."""
    rows = session.execute(select(Mail.state, func.count()).group_by(Mail.state))
    return dict.fromkeys(MailState, 0) | {row[0]: row[1] for row in rows}
