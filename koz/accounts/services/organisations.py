"""Organisations, who belongs to them and in which role, and the invitations to them.

An organisation always keeps an owner. Every change is written in its log, which its members can read.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from stdnum.fr import siren as siren_number

from koz.accounts import queries
from koz.accounts.events import MemberInvited, MemberJoined
from koz.accounts.models import (
    Invitation,
    Membership,
    Organisation,
    OrganisationAct,
    OrganisationEntry,
    OrganisationKind,
    Person,
    Role,
)
from koz.accounts.services.people import NewPerson, create_person
from koz.core.clock import now
from koz.core.errors import Conflict, Gone, Invalid, NotFound
from koz.core.i18n import _
from koz.core.ids import slugify
from koz.core.outbox import record
from koz.core.tokens import sign, unsign

INVITATION_LIFE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganisation:
    """An organisation to be made; numbers as typed."""

    name: str
    kind: str
    owner_id: int
    siren: str = ""
    rna: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvitation:
    """Somebody to be invited."""

    organisation_id: int
    email: str
    role: Role
    invited_by: int
    locale: str = "fr"


def log_act(
    session: Session, organisation_id: int, actor_id: int | None, act: OrganisationAct, *, about: int | None = None,
    detail: str = "",
) -> None:  # fmt: skip
    """Write down what was done in an organisation: by whom, about which person (ids), and which roles or fields."""
    session.add(
        OrganisationEntry(
            organisation_id=organisation_id, actor_id=actor_id, act=act, person_id=about, detail=detail[:120]
        )
    )


def create_organisation(session: Session, new: NewOrganisation) -> Organisation:
    """An organisation and its first owner. Raises Invalid for a wrong number, Conflict when it is here already.

    Two of one name or number at the same moment: the unique keys decide; the second has another address, or is refused.
    """
    values = {
        "name": new.name, "kind": OrganisationKind(new.kind), "siren": clean_siren(new.siren),
        "rna": clean_rna(new.rna), "created_at": now(),
    }  # fmt: skip
    organisation_id = None
    for slug in _free_slugs(session, new.name):
        _check_numbers_free(session, values["siren"], values["rna"])
        statement = insert(Organisation).values(values | {"slug": slug}).on_conflict_do_nothing()
        organisation_id = session.scalar(statement.returning(Organisation.id))
        if organisation_id is not None:
            break
    organisation = session.get_one(Organisation, organisation_id)
    add_member(session, organisation.id, new.owner_id, Role.OWNER)
    log_act(session, organisation.id, new.owner_id, OrganisationAct.CREATED)
    return organisation


def edit_organisation(session: Session, organisation_id: int, actor_id: int, changed: NewOrganisation) -> Organisation:
    """Change name, kind and numbers; the address stays. What staff verified must then be verified again.

    Raises Invalid for a wrong number, Conflict when another organisation has it.
    """
    organisation = session.get_one(Organisation, organisation_id, with_for_update=True)
    values = {
        "name": changed.name, "kind": OrganisationKind(changed.kind),
        "siren": clean_siren(changed.siren), "rna": clean_rna(changed.rna),
    }  # fmt: skip
    fields = [field for field, value in values.items() if getattr(organisation, field) != value]
    if not fields:
        return organisation
    _check_numbers_free(session, values["siren"], values["rna"], but=organisation_id)
    try:
        with session.begin_nested():
            for field in fields:
                setattr(organisation, field, values[field])
            organisation.verified_at = None
    except IntegrityError:  # another took the number at this moment
        raise Conflict(_number_taken()) from None
    log_act(session, organisation_id, actor_id, OrganisationAct.EDITED, detail=", ".join(fields))
    return organisation


def set_verified(session: Session, organisation_id: int, actor_id: int, *, verified: bool) -> Organisation:
    """Note that staff checked (or no longer vouch for) who an organisation is."""
    organisation = session.get(Organisation, organisation_id, with_for_update=True)
    if organisation is None:
        raise NotFound(_("This organisation does not exist."))
    organisation.verified_at = now() if verified else None
    act = OrganisationAct.VERIFIED if verified else OrganisationAct.UNVERIFIED
    log_act(session, organisation_id, actor_id, act)
    return organisation


def _check_numbers_free(session: Session, siren: object, rna: object, *, but: int = 0) -> None:
    for column, number in ((Organisation.siren, siren), (Organisation.rna, rna)):
        if number and session.scalar(select(Organisation.id).where(column == number, Organisation.id != but)):
            raise Conflict(_number_taken())


def _number_taken() -> str:
    return _("An organisation with this number is here already. Ask one of its owners to invite you.")


def clean_siren(text: str) -> str | None:
    """Nine digits with a right key (Luhn, INSEE), or None when nothing was typed. Raises Invalid."""
    compact = siren_number.compact(text)
    if not compact:
        return None
    if not siren_number.is_valid(compact):
        raise Invalid(_("This SIREN number is not right. It has 9 digits, such as 784 671 695."))
    return str(compact)


def clean_rna(text: str) -> str | None:
    """A number of the national register of associations: W, then nine digits or letters. Raises Invalid."""
    compact = "".join(text.split()).upper()
    if not compact:
        return None
    if len(compact) != 10 or compact[0] != "W" or not (compact[1:].isalnum() and compact.isascii()):
        raise Invalid(_("This RNA number is not right. It is a W and 9 characters, such as W751234567."))
    return compact


def _free_slugs(session: Session, name: str) -> Iterable[str]:
    base = slugify(name, 70)
    taken = set(session.scalars(select(Organisation.slug).where(Organisation.slug.like(f"{base}%"))))
    return (s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in taken)


def add_member(session: Session, organisation_id: int, person_id: int, role: str) -> None:
    """Give a person a role; nothing happens when they have it."""
    session.execute(
        insert(Membership)
        .values(organisation_id=organisation_id, person_id=person_id, role=Role(role), created_at=now())
        .on_conflict_do_nothing()
    )


def remove_member(session: Session, organisation_id: int, person_id: int, role: str) -> None:
    """Take a role back. Raises Conflict for the last owner."""
    held = _roles(session, organisation_id, person_id)
    _change_roles(session, organisation_id, person_id, held - {Role(role)})


def set_roles(session: Session, organisation_id: int, actor_id: int, person_id: int, roles: Collection[Role]) -> None:
    """Give a member exactly these roles; none ends the membership.

    Raises NotFound when the person is no member, Conflict for the last owner.
    """
    held, wanted = _roles(session, organisation_id, person_id), frozenset(roles)
    if not held:
        raise NotFound(_("This person is not a member of the organisation."))
    if wanted == held:
        return
    _change_roles(session, organisation_id, person_id, wanted)
    act = OrganisationAct.ROLES_CHANGED
    if not wanted:
        act = OrganisationAct.LEFT if actor_id == person_id else OrganisationAct.REMOVED
    log_act(session, organisation_id, actor_id, act, about=person_id, detail=",".join(sorted(wanted)))


def _roles(session: Session, organisation_id: int, person_id: int) -> frozenset[Role]:
    statement = select(Membership.role).where(
        Membership.organisation_id == organisation_id, Membership.person_id == person_id
    )
    return frozenset(session.scalars(statement))


def _change_roles(session: Session, organisation_id: int, person_id: int, wanted: Collection[Role]) -> None:
    """Add and take roles under a lock on the organisation's owners, so that two leaving at once leave one."""
    owners = session.scalars(
        select(Membership)
        .where(Membership.organisation_id == organisation_id, Membership.role == Role.OWNER)
        .order_by(Membership.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if Role.OWNER not in wanted and [m.person_id for m in owners] == [person_id]:
        raise Conflict(_("The last owner cannot leave. Make somebody else an owner first."))
    for role in wanted:
        add_member(session, organisation_id, person_id, role)
    session.execute(
        delete(Membership).where(
            Membership.organisation_id == organisation_id,
            Membership.person_id == person_id,
            Membership.role.not_in(list(wanted)),
        )
    )


def invite(session: Session, new: NewInvitation) -> int:
    """Invite an address to a role; the mail goes out after the commit. An open invitation is sent anew.

    Returns the invitation's id. Raises Conflict when the address is a member with that role.
    """
    email, role = queries.fold_email(new.email), Role(new.role)
    person = queries.find_person_by_email(session, email)
    if person is not None and role in _roles(session, new.organisation_id, person.id):
        raise Conflict(_("This person has this role already."))
    values = {
        "organisation_id": new.organisation_id, "email": email, "role": role, "invited_by": new.invited_by,
        "locale": person.locale if person else new.locale,
        "created_at": now(), "sent_at": now(), "expires_at": now() + INVITATION_LIFE,
    }  # fmt: skip
    again = {name: values[name] for name in ("invited_by", "locale", "sent_at", "expires_at")}
    invitation_id: int = session.scalars(
        insert(Invitation)
        .values(values)
        .on_conflict_do_update(
            index_elements=["organisation_id", "email", "role"],
            index_where=Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None),
            set_=again,
        )
        .returning(Invitation.id)
    ).one()
    log_act(session, new.organisation_id, new.invited_by, OrganisationAct.INVITED, detail=role)
    record(session, MemberInvited(invitation_id))
    return invitation_id


def invitation_token(invitation: Invitation) -> str:
    """Token of the mailed link. Who has it has the mailbox it was sent to."""
    return sign("invitation", {"id": invitation.id})


def revoke_invitation(session: Session, organisation_id: int, actor_id: int, invitation_id: int) -> None:
    """Take an invitation back. Raises NotFound when it is not the organisation's or not open any more."""
    revoked = session.scalar(
        update(Invitation)
        .where(
            Invitation.id == invitation_id,
            Invitation.organisation_id == organisation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now())
        .returning(Invitation.role)
    )
    if revoked is None:
        raise NotFound(_("This invitation is no longer open."))
    log_act(session, organisation_id, actor_id, OrganisationAct.INVITATION_REVOKED, detail=revoked)


def open_invitation(session: Session, token: str, *, lock: bool = False) -> Invitation:
    """The invitation of a link. Raises NotFound when forged, Gone when used, taken back or expired."""
    payload = unsign("invitation", token)
    invitation = session.get(Invitation, payload["id"], with_for_update=lock)
    if invitation is None or invitation.revoked_at is not None:
        raise Gone(_("This invitation was taken back. Ask the organisation for a new one."))
    if invitation.accepted_at is not None:
        raise Gone(_("This invitation has been used already. Log in to find the organisation."))
    if invitation.expires_at <= now():
        raise Gone(_("This invitation has expired. Ask the organisation for a new one."))
    return invitation


def accept_invitation(session: Session, token: str, person_id: int) -> Organisation:
    """Take the role that a link offers. Raises as `open_invitation`."""
    invitation = open_invitation(session, token, lock=True)
    invitation.accepted_at, invitation.accepted_by = now(), person_id
    add_member(session, invitation.organisation_id, person_id, invitation.role)
    log_act(
        session, invitation.organisation_id, person_id, OrganisationAct.JOINED, about=person_id, detail=invitation.role
    )
    record(session, MemberJoined(invitation.organisation_id, person_id, invitation.role))
    return queries.get_organisation(session, invitation.organisation_id)


def join_by_invitation(session: Session, token: str, name: str, password: str, locale: str) -> Person:
    """Make the account of the invited address and take the role: the link came by mail, so it proves the address.

    Raises as `open_invitation`, Invalid for the password, Conflict when the address has an account by now.
    """
    invitation = open_invitation(session, token, lock=True)
    new = NewPerson(email=invitation.email, name=name, password=password, locale=locale)
    person = create_person(session, new)
    person.email_verified_at = now()
    accept_invitation(session, token, person.id)
    return person
