"""Reads of people, organisations and sessions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from koz.accounts.models import Membership, Organisation, Person, Role, UserSession
from koz.core.clock import now
from koz.core.errors import NotFound
from koz.core.i18n import _
from koz.core.ids import fingerprint


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session, its person and their roles, read by one statement."""

    session: UserSession
    person: Person
    roles: dict[int, frozenset[str]]


def fold_email(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return email.strip().lower()


def get_person(session: Session, person_id: int) -> Person:
    """The person, not erased. Raises NotFound."""
    person = session.get(Person, person_id)
    if person is None or person.erased_at is not None:
        raise NotFound(_("This account does not exist any more."))
    return person


def find_person_by_email(session: Session, email: str) -> Person | None:
    """The person with this address."""
    return session.scalar(select(Person).where(Person.email == fold_email(email)))


def get_organisation(session: Session, organisation_id: int) -> Organisation:
    """The organisation. Raises NotFound."""
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound(_("This organisation does not exist."))
    return organisation


def find_organisation_by_slug(session: Session, slug: str) -> Organisation | None:
    """The organisation with this address."""
    return session.scalar(select(Organisation).where(Organisation.slug == slug))


def list_member_ids(session: Session, organisation_id: int, roles: Collection[str]) -> Sequence[int]:
    """Ids of the people who hold one of the roles, each once."""
    statement = (
        select(Membership.person_id)
        .where(Membership.organisation_id == organisation_id, Membership.role.in_([Role(r) for r in roles]))
        .distinct()
        .order_by(Membership.person_id)
    )
    return session.scalars(statement).all()


def list_organisations_of(session: Session, person_id: int) -> Sequence[Organisation]:
    """Organisations in which a person has a role, by name."""
    member = select(Membership.organisation_id).where(Membership.person_id == person_id)
    return session.scalars(select(Organisation).where(Organisation.id.in_(member)).order_by(Organisation.name)).all()


def names_of_organisations(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names of some organisations by their ids."""
    rows = session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
    return {row.id: row.name for row in rows}


def find_session(session: Session, token: str) -> SessionRow | None:
    """The living session of a cookie's token, with person and roles: one statement."""
    roles = func.array_agg(
        aggregate_order_by(func.concat(Membership.organisation_id, ":", Membership.role), Membership.id)
    ).filter(Membership.id.is_not(None))
    row = session.execute(
        select(UserSession, Person, roles)
        .join(Person, Person.id == UserSession.person_id)
        .outerjoin(Membership, Membership.person_id == Person.id)
        .where(
            UserSession.token_hash == fingerprint(token),
            UserSession.expires_at > now(),
            Person.erased_at.is_(None),
        )
        .group_by(UserSession.id, Person.id)
    ).first()
    return None if row is None else SessionRow(row[0], row[1], _roles(row[2] or []))


def _roles(pairs: Sequence[str]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for pair in pairs:
        organisation, _colon, role = pair.partition(":")
        found.setdefault(int(organisation), set()).add(role)
    return {organisation: frozenset(held) for organisation, held in found.items()}


def list_sessions(session: Session, person_id: int) -> Sequence[UserSession]:
    """Living sessions of a person, the latest used first."""
    statement = (
        select(UserSession)
        .where(UserSession.person_id == person_id, UserSession.expires_at > now())
        .order_by(UserSession.seen_at.desc())
    )
    return session.scalars(statement).all()
