"""Accounts → mail."""

from sqlalchemy.orm import Session

from koz.accounts import queries, services
from koz.accounts.events import EmailProofRequested, JoinedAgain, PasswordChanged, PasswordResetRequested
from koz.core.clock import now
from koz.core.outbox import subscribe
from koz.notifications.services import queue_mail


def _stamp() -> str:
    """A minute: one mail of a kind a minute for a person, however often they press."""
    return now().strftime("%Y%m%d%H%M")


@subscribe(EmailProofRequested)
def mail_proof(session: Session, event: EmailProofRequested) -> None:
    """The link that proves an address."""
    person = queries.get_person(session, event.person_id)
    params = {"name": person.name, "path": f"/verify/{services.proof_token(person)}"}
    queue_mail(session, "verify", person.email, person.locale, params, f"verify-{person.id}-{_stamp()}")


@subscribe(JoinedAgain)
def mail_known(session: Session, event: JoinedAgain) -> None:
    """Somebody tried to join with an address that has an account."""
    person = queries.get_person(session, event.person_id)
    params = {"name": person.name, "path": "/forgotten"}
    queue_mail(session, "known", person.email, person.locale, params, f"known-{person.id}-{_stamp()}")


@subscribe(PasswordResetRequested)
def mail_reset(session: Session, event: PasswordResetRequested) -> None:
    """The link to a new password."""
    person = queries.get_person(session, event.person_id)
    params = {"name": person.name, "path": f"/reset/{services.reset_token(person)}"}
    queue_mail(session, "reset", person.email, person.locale, params, f"reset-{person.id}-{_stamp()}")


@subscribe(PasswordChanged)
def mail_changed(session: Session, event: PasswordChanged) -> None:
    """The password was changed: if it was not you, act."""
    person = queries.get_person(session, event.person_id)
    params = {"name": person.name, "path": "/forgotten"}
    queue_mail(session, "changed", person.email, person.locale, params, f"changed-{person.id}-{_stamp()}")
