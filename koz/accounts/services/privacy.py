"""What Koz holds on a person: a copy of it, and forgetting it.

Other features take part from their own side: they register an exporter here, and react to `PersonErased`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from koz.accounts import queries
from koz.accounts.events import PersonErased
from koz.accounts.models import EmailChange, Invitation, Membership, Organisation, RecoveryCode, UserSession
from koz.accounts.services.sessions import end_sessions
from koz.core.clock import now
from koz.core.errors import Conflict
from koz.core.i18n import _
from koz.core.outbox import record

Exporter = Callable[[Session, int], list[dict[str, Any]]]
AddressForgetter = Callable[[Session, int, str], object]
KEEP: Final = timedelta(days=30)

_exporters: dict[str, Exporter] = {}
_address_forgetters: list[AddressForgetter] = []


def exporter(name: str) -> Callable[[Exporter], Exporter]:
    """Make a function part of the data export: `name` → rows (JSON values, times as ISO text) of one person id."""

    def register(function: Exporter) -> Exporter:
        _exporters[name] = function
        return function

    return register


def address_forgetter(function: AddressForgetter) -> AddressForgetter:
    """Make `function(session, person_id, email)` forget what is known by a person's address, in their erasure itself.

    `PersonErased` comes too late for that: the address is gone by then, and no message may hold it. Only rows.
    """
    if function not in _address_forgetters:
        _address_forgetters.append(function)
    return function


def export_person(session: Session, person_id: int) -> dict[str, Any]:
    """All that Koz holds on a person, as one JSON document; secrets and fingerprints are left out."""
    found = {name: function(session, person_id) for name, function in sorted(_exporters.items())}
    return {"koz_export": 1, "made_at": now().isoformat(), "person_id": person_id} | found


@exporter("account")
def _account(session: Session, person_id: int) -> list[dict[str, Any]]:
    person = queries.get_person(session, person_id)
    return [{
        "name": person.name, "email": person.email, "email_verified_at": _iso(person.email_verified_at),
        "language": person.locale, "second_factor": person.totp_secret is not None, "staff": person.is_staff,
        "moderator": person.is_moderator, "created_at": _iso(person.created_at),
    }]  # fmt: skip


@exporter("roles")
def _memberships(session: Session, person_id: int) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Organisation.slug, Organisation.name, Membership.role, Membership.created_at)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.person_id == person_id)
        .order_by(Membership.id)
    )
    return [
        {"organisation": slug, "name": name, "role": role.value, "since": _iso(at)} for slug, name, role, at in rows
    ]


@exporter("sessions")
def _sessions(session: Session, person_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(select(UserSession).where(UserSession.person_id == person_id).order_by(UserSession.id))
    return [{"device": r.agent, "created_at": _iso(r.created_at), "last_used_at": _iso(r.seen_at)} for r in rows]


@exporter("email_changes")
def _email_changes(session: Session, person_id: int) -> list[dict[str, Any]]:
    rows = session.scalars(select(EmailChange).where(EmailChange.person_id == person_id).order_by(EmailChange.id))
    return [{"from": r.old_email, "to": r.email, "asked_at": _iso(r.created_at)} for r in rows]


def _iso(at: Any) -> str | None:
    return None if at is None else at.isoformat()


def erase_person(session: Session, person_id: int, *, keep_contributions: bool = True) -> None:
    """Forget who a person is: name, address, password, sessions and roles go, the id stays for books and votes.

    `keep_contributions` is the person's wish for what they published: keep it without their name, or take it down.
    Raises Conflict while an organisation would be left without an owner.
    """
    person = queries.get_person(session, person_id)
    orphans = queries.list_solely_owned(session, person_id)
    if orphans:
        names = ", ".join(o.name for o in orphans)
        raise Conflict(_("You are the last owner of %(names)s. Make somebody else an owner first.", names=names))
    record(session, PersonErased(person_id, int(keep_contributions)))
    end_sessions(session, person_id)
    session.execute(delete(Membership).where(Membership.person_id == person_id))
    session.execute(delete(EmailChange).where(EmailChange.person_id == person_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    _forget_invitations(session, Invitation.email == (person.email or ""))
    if person.email and person.email_verified_at is not None:  # what was never proved may be somebody else's
        for forget in _address_forgetters:
            forget(session, person_id, person.email)
    person.email, person.name, person.password_hash = None, "", ""
    person.totp_secret = person.totp_last_step = None
    person.is_staff = person.is_moderator = False
    person.erased_at = now()


def _forget_invitations(session: Session, which: Any) -> None:
    """Close what is open among these invitations and empty their addresses."""
    closed_at = func.coalesce(Invitation.revoked_at, now())
    revoked_at = case((Invitation.accepted_at.is_(None), closed_at), else_=Invitation.revoked_at)
    session.execute(update(Invitation).where(which).values(email="", revoked_at=revoked_at))


def forget_old(session: Session) -> None:
    """Delete or empty what is no longer needed: ended sessions, old requests, addresses of old invitations.

    Marks of used links stay: other features' links may have no age.
    """
    long_ago = now() - KEEP
    session.execute(delete(UserSession).where(UserSession.expires_at < now()))
    session.execute(delete(EmailChange).where(EmailChange.created_at < long_ago))
    _forget_invitations(session, (Invitation.expires_at < long_ago) & (Invitation.email != ""))
