"""Reads of people, organisations and sessions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, aliased

from koz.accounts.models import (
    AuditEntry,
    EmailChange,
    Invitation,
    Membership,
    Organisation,
    OrganisationEntry,
    Person,
    RecoveryCode,
    Role,
    UserSession,
)
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


@dataclass(frozen=True, slots=True)
class Member:
    """A person of an organisation with all their roles there."""

    id: int
    name: str
    email: str | None
    roles: frozenset[Role]
    since: datetime


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of a log with the names of now; an erased person has none."""

    entry: OrganisationEntry | AuditEntry
    actor: str | None
    about: str | None = None


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


def find_person(session: Session, person_id: int) -> Person | None:
    """The person, unless erased: what is sent later may find nobody to send it to."""
    person = session.get(Person, person_id)
    return None if person is None or person.erased_at is not None else person


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


def list_solely_owned(session: Session, person_id: int) -> Sequence[Organisation]:
    """Organisations whose only owner is this person, by name. Locks their owners' rows."""
    mine = select(Membership.organisation_id).where(Membership.person_id == person_id, Membership.role == Role.OWNER)
    owners = session.scalars(
        select(Membership)
        .where(Membership.organisation_id.in_(mine), Membership.role == Role.OWNER)
        .order_by(Membership.id)
        .with_for_update()
    ).all()
    shared = {m.organisation_id for m in owners if m.person_id != person_id}
    alone = {m.organisation_id for m in owners} - shared
    return session.scalars(select(Organisation).where(Organisation.id.in_(alone)).order_by(Organisation.name)).all()


def list_members(session: Session, organisation_id: int) -> Sequence[Member]:
    """Members of an organisation, the earliest first, at most 500."""
    roles = func.array_agg(aggregate_order_by(Membership.role, Membership.id))
    rows = session.execute(
        select(Person.id, Person.name, Person.email, roles, func.min(Membership.created_at))
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.organisation_id == organisation_id)
        .group_by(Person.id)
        .order_by(func.min(Membership.id))
        .limit(500)
    )
    return [Member(i, name, email, frozenset(Role(r) for r in held), at) for i, name, email, held, at in rows]


def find_member(session: Session, organisation_id: int, person_id: int) -> Member | None:
    """One member of an organisation."""
    return next((m for m in list_members(session, organisation_id) if m.id == person_id), None)


def list_open_invitations(session: Session, organisation_id: int) -> Sequence[Invitation]:
    """Invitations that can still be accepted, the latest first, at most 100."""
    statement = (
        select(Invitation)
        .where(
            Invitation.organisation_id == organisation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now(),
        )
        .order_by(Invitation.id.desc())
        .limit(100)
    )
    return session.scalars(statement).all()


def find_invitation(session: Session, invitation_id: int) -> Invitation | None:
    """The invitation, whatever its state."""
    return session.get(Invitation, invitation_id)


def find_email_change(session: Session, change_id: int) -> EmailChange | None:
    """The wish to change an address, whatever its state."""
    return session.get(EmailChange, change_id)


def find_open_email_change(session: Session, person_id: int) -> EmailChange | None:
    """The wish of a person that waits for its proof."""
    statement = select(EmailChange).where(EmailChange.person_id == person_id, EmailChange.done_at.is_(None))
    return session.scalar(statement.order_by(EmailChange.id.desc()).limit(1))


def count_recovery_codes(session: Session, person_id: int) -> int:
    """Recovery codes that were not used yet."""
    statement = select(func.count()).where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    return session.scalar(statement) or 0


def list_organisation_entries(
    session: Session, organisation_id: int, after: int | None = None, size: int = 20
) -> Sequence[Logged]:
    """The log of an organisation, the latest first; `size + 1` rows, the extra one telling that there is more."""
    actor, about = aliased(Person), aliased(Person)
    statement = (
        select(OrganisationEntry, actor.name, about.name)
        .outerjoin(actor, actor.id == OrganisationEntry.actor_id)
        .outerjoin(about, about.id == OrganisationEntry.person_id)
        .where(OrganisationEntry.organisation_id == organisation_id)
        .order_by(OrganisationEntry.id.desc())
        .limit(size + 1)
    )
    if after is not None:
        statement = statement.where(OrganisationEntry.id < after)
    return [Logged(entry, by or None, on or None) for entry, by, on in session.execute(statement)]


def list_audit(session: Session, after: int | None = None, size: int = 50) -> Sequence[Logged]:
    """What staff did, the latest first; `size + 1` rows."""
    statement = (
        select(AuditEntry, Person.name)
        .join(Person, Person.id == AuditEntry.actor_id)
        .order_by(AuditEntry.id.desc())
        .limit(size + 1)
    )
    if after is not None:
        statement = statement.where(AuditEntry.id < after)
    return [Logged(entry, by or None) for entry, by in session.execute(statement)]


def list_organisations(
    session: Session, *, verified: bool, after: int | None = None, size: int = 50
) -> Sequence[Organisation]:
    """Organisations that staff did or did not verify, the latest first; `size + 1` rows."""
    known = Organisation.verified_at.is_not(None) if verified else Organisation.verified_at.is_(None)
    statement = select(Organisation).where(known).order_by(Organisation.id.desc()).limit(size + 1)
    if after is not None:
        statement = statement.where(Organisation.id < after)
    return session.scalars(statement).all()


def count_unverified(session: Session) -> int:
    """Organisations that wait for verification."""
    return session.scalar(select(func.count()).where(Organisation.verified_at.is_(None))) or 0
