"""Accounts → mail. Who was erased meanwhile gets none. And addresses are forgotten with their account."""

from sqlalchemy.orm import Session

from koz.accounts import queries, services
from koz.accounts.events import (
    EmailChanged,
    EmailChangeRequested,
    EmailProofRequested,
    JoinedAgain,
    MemberInvited,
    MemberJoined,
    PasswordChanged,
    PasswordResetRequested,
    SecondFactorChanged,
)
from koz.campaigns import services as campaigns
from koz.core.clock import now
from koz.core.outbox import subscribe
from koz.notifications import services as notifications
from koz.notifications.services import queue_mail
from koz.payments.services import privacy as payments


@services.address_forgetter
def forget_address(session: Session, person_id: int, email: str) -> None:
    """Follows, gifts made without logging in, and mails are known by the address, which is gone after the erasure."""
    campaigns.forget_address(session, email)
    payments.forget_person(session, person_id, email)
    notifications.forget_address(session, email)


def _stamp() -> str:
    """A minute: one mail of a kind a minute for a person, however often they press."""
    return now().strftime("%Y%m%d%H%M")


def _write(session: Session, person_id: int, template: str, path: str = "/security") -> None:
    """A mail to a person that says a name and leads to a page."""
    person = queries.find_person(session, person_id)
    if person is not None:
        params = {"name": person.name, "path": path}
        queue_mail(session, template, person.email, person.locale, params, f"{template}-{person.id}-{_stamp()}")


@subscribe(EmailProofRequested)
def mail_proof(session: Session, event: EmailProofRequested) -> None:
    """The link that proves an address."""
    person = queries.find_person(session, event.person_id)
    if person is not None:
        _write(session, person.id, "verify", f"/verify/{services.proof_token(person, event.next_path)}")


@subscribe(JoinedAgain)
def mail_known(session: Session, event: JoinedAgain) -> None:
    """Somebody tried to join with an address that has an account."""
    _write(session, event.person_id, "known", "/forgotten")


@subscribe(PasswordResetRequested)
def mail_reset(session: Session, event: PasswordResetRequested) -> None:
    """The link to a new password."""
    person = queries.find_person(session, event.person_id)
    if person is not None:
        _write(session, person.id, "reset", f"/reset/{services.reset_token(person)}")


@subscribe(PasswordChanged)
def mail_changed(session: Session, event: PasswordChanged) -> None:
    """The password was changed: if it was not you, act."""
    _write(session, event.person_id, "changed", "/forgotten")


@subscribe(SecondFactorChanged)
def mail_second_factor(session: Session, event: SecondFactorChanged) -> None:
    """The second factor was switched on or off."""
    _write(session, event.person_id, "second_factor_on" if event.on else "second_factor_off")


@subscribe(EmailChangeRequested)
def mail_email_change(session: Session, event: EmailChangeRequested) -> None:
    """The link to the new address, or that it is taken; and word of it to the present one."""
    change = queries.find_email_change(session, event.change_id)
    person = queries.find_person(session, change.person_id) if change else None
    if change is None or person is None or change.done_at is not None:
        return
    params = {"name": person.name, "path": "/security", "address": change.email}
    queue_mail(session, "email_asked", person.email, person.locale, params, f"email-asked-{change.id}")
    taken = queries.find_person_by_email(session, change.email)
    if taken is not None:
        params = {"name": taken.name, "path": "/login"}
        queue_mail(session, "email_taken", taken.email, taken.locale, params, f"email-taken-{change.id}")
        return
    params = {"name": person.name, "path": f"/security/email/{services.email_change_token(change)}"}
    queue_mail(session, "email_proof", change.email, person.locale, params, f"email-proof-{change.id}")


@subscribe(EmailChanged)
def mail_email_changed(session: Session, event: EmailChanged) -> None:
    """Word to the old address that the account has left it."""
    change = queries.find_email_change(session, event.change_id)
    person = queries.find_person(session, change.person_id) if change else None
    if change is not None and person is not None:
        params = {"name": person.name, "path": "/login", "address": change.email}
        queue_mail(session, "email_changed", change.old_email, person.locale, params, f"email-changed-{change.id}")


@subscribe(MemberInvited)
def mail_invitation(session: Session, event: MemberInvited) -> None:
    """The link of an invitation; once for each time it is sent."""
    invitation = queries.find_invitation(session, event.invitation_id)
    if invitation is None or invitation.accepted_at is not None or invitation.revoked_at is not None:
        return
    inviter = queries.find_person(session, invitation.invited_by)
    organisation = queries.get_organisation(session, invitation.organisation_id)
    params = {
        "who": inviter.name if inviter else organisation.name,
        "organisation": organisation.name,
        "role": invitation.role.value,
        "path": f"/invitations/{services.invitation_token(invitation)}",
    }
    key = f"invitation-{invitation.id}-{invitation.sent_at:%Y%m%d%H%M}"
    queue_mail(session, "invitation", invitation.email, invitation.locale, params, key)


@subscribe(MemberJoined)
def mail_member_joined(session: Session, event: MemberJoined) -> None:
    """Word to the owners that somebody took an invitation."""
    person = queries.find_person(session, event.person_id)
    if person is None:
        return
    organisation = queries.get_organisation(session, event.organisation_id)
    params = {
        "name": person.name, "organisation": organisation.name, "role": event.role,
        "path": f"/manage/organisations/{organisation.slug}",
    }  # fmt: skip
    for owner_id in queries.list_member_ids(session, organisation.id, ["owner"]):
        owner = queries.find_person(session, owner_id)
        if owner is not None and owner.id != person.id:
            key = f"joined-{organisation.id}-{person.id}-{event.role}-{owner.id}-{_stamp()}"
            queue_mail(session, "member_joined", owner.email, owner.locale, params, key)
