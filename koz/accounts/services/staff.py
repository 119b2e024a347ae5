"""What staff do with accounts, and the log of it."""

from sqlalchemy.orm import Session

from koz.accounts import queries
from koz.accounts.models import AuditEntry, Person
from koz.accounts.services.second_factor import forget_second_factor
from koz.accounts.services.sessions import end_sessions
from koz.core.errors import NotFound


def audit(session: Session, actor_id: int, act: str, subject: str, reason: str) -> None:
    """Write down what staff did and why. No personal data in `subject`: a kind and an id, such as "person 12"."""
    session.add(AuditEntry(actor_id=actor_id, act=act, subject=subject, reason=reason))


def make_staff(session: Session, email: str, *, moderator_only: bool = False) -> Person:
    """Give the role of staff (or of moderator) from the command line. All sessions end: the next has the shorter life.

    Raises NotFound when nobody has this address, or has not confirmed it.
    """
    person = queries.find_person_by_email(session, email)
    if person is None:
        raise NotFound(f"Nobody has an account with {email}: join on the site first, then run this again.")
    if person.email_verified_at is None:
        raise NotFound(f"{email} is not confirmed yet: follow the link in the mail, then run this again.")
    person.is_moderator = True if moderator_only else person.is_moderator
    person.is_staff = person.is_staff or not moderator_only
    end_sessions(session, person.id)
    role = "moderator" if moderator_only else "staff"
    audit(session, person.id, f"make-{role}", f"person {person.id}", "given on the server's command line")
    return person


def unmake_staff(session: Session, email: str) -> Person:
    """Take both roles back. Raises NotFound when nobody has this address."""
    person = queries.find_person_by_email(session, email)
    if person is None:
        raise NotFound(f"Nobody has an account with {email}.")
    person.is_staff = person.is_moderator = False
    end_sessions(session, person.id)
    audit(session, person.id, "unmake-staff", f"person {person.id}", "taken on the server's command line")
    return person


def end_all_sessions(session: Session, actor_id: int, person_id: int, reason: str) -> None:
    """Log somebody out everywhere."""
    queries.get_person(session, person_id)
    end_sessions(session, person_id)
    audit(session, actor_id, "end-sessions", f"person {person_id}", reason)


def reset_second_factor(session: Session, actor_id: int, person_id: int, reason: str) -> None:
    """Take a lost second factor away, after the person has shown who they are; they are told by mail."""
    forget_second_factor(session, person_id)
    end_sessions(session, person_id)
    audit(session, actor_id, "reset-second-factor", f"person {person_id}", reason)
