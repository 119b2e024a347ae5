"""People: join, prove an address and change it, log in, change and reset a password, name and language."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from koz.accounts import queries
from koz.accounts.events import (
    EmailChanged,
    EmailChangeRequested,
    EmailProofRequested,
    JoinedAgain,
    PasswordChanged,
    PasswordResetRequested,
)
from koz.accounts.models import EmailChange, Person
from koz.accounts.services.passwords import check_password_rules, hash_password, verify_password
from koz.accounts.services.sessions import end_sessions
from koz.core.clock import now
from koz.core.errors import Conflict, Gone, Invalid
from koz.core.i18n import LOCALES, _
from koz.core.ids import fingerprint
from koz.core.outbox import record
from koz.core.tokens import sign, unsign

PROOF_AGE_S: Final = 3 * 24 * 3600
RESET_AGE_S: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Who joins, and the page of this site from which they came to do so."""

    email: str
    name: str
    password: str
    locale: str = "fr"
    next_path: str = ""


def create_person(session: Session, new: NewPerson) -> Person:
    """A person with an unproved address. Raises Invalid for the password, Conflict when the address is taken."""
    check_password_rules(new.password)
    values = {
        "email": queries.fold_email(new.email), "name": new.name, "locale": new.locale,
        "password_hash": hash_password(new.password), "is_staff": False, "is_moderator": False, "created_at": now(),
    }  # fmt: skip
    person_id = session.scalar(
        insert(Person).values(values).on_conflict_do_nothing(index_elements=["email"]).returning(Person.id)
    )
    if person_id is None:
        raise Conflict(_("This address has an account already."))
    return session.get_one(Person, person_id)


def join(session: Session, new: NewPerson) -> None:
    """Join. The outcome looks the same whether the address is new or not: the mail tells its owner which."""
    known = queries.find_person_by_email(session, new.email)
    if known is None:
        try:
            person = create_person(session, new)
        except Conflict:  # the other half of a double click was faster
            known = queries.find_person_by_email(session, new.email)
        else:
            record(session, EmailProofRequested(person.id, new.next_path))
            return
    else:
        check_password_rules(new.password)
        hash_password(new.password)  # as much work as for a new person: the time tells nothing
    assert known is not None
    proved = known.email_verified_at is not None
    record(session, JoinedAgain(known.id) if proved else EmailProofRequested(known.id, new.next_path))


def ask_proof(session: Session, person_id: int) -> None:
    """Send the link that proves the address again. Raises Conflict when it is proved."""
    if queries.get_person(session, person_id).email_verified_at is not None:
        raise Conflict(_("This address is confirmed already."))
    record(session, EmailProofRequested(person_id))


def proof_token(person: Person, next_path: str = "") -> str:
    """Token of the link that proves the address, and leads on to `next_path`; void once the address changes."""
    payload = {"id": person.id, "mark": fingerprint(person.email or "")[:16]}
    return sign("verify", payload | ({"next": next_path} if next_path else {}))


def prove_email(session: Session, token: str) -> str:
    """Take the proof of an address. Returns where the person wanted to go, or "".

    Raises Gone when expired or used, NotFound when forged.
    """
    payload = unsign("verify", token, max_age_s=PROOF_AGE_S)
    person = session.get(Person, payload["id"], with_for_update=True)
    if person is None or fingerprint(person.email or "")[:16] != payload["mark"]:
        raise Gone(_("This link has expired. Ask for a new one."))
    if person.email_verified_at is not None:
        raise Gone(_("This address is confirmed already. You can log in."))
    person.email_verified_at = now()
    return str(payload.get("next", ""))


def authenticate(session: Session, email: str, password: str) -> Person | None:
    """The person, or None; takes as long for an unknown address as for a wrong password."""
    person = queries.find_person_by_email(session, email)
    good = verify_password(person.password_hash if person else None, password)
    return person if good else None


def request_reset(session: Session, email: str) -> None:
    """Ask for a new password; says nothing about whether the address is known."""
    person = queries.find_person_by_email(session, email)
    if person is not None:
        record(session, PasswordResetRequested(person.id))


def reset_token(person: Person) -> str:
    """Token of the reset link: good for an hour, and only until the password changes."""
    return sign("reset", {"id": person.id, "mark": fingerprint(person.password_hash)[:16]})


def reset_password(session: Session, token: str, password: str) -> Person:
    """Set a new password by the link; proves the address and ends all sessions.

    Raises Gone when expired or used, NotFound when forged, Invalid for the password.
    """
    payload = unsign("reset", token, max_age_s=RESET_AGE_S)
    person = session.get(Person, payload["id"], with_for_update=True)
    if person is None or fingerprint(person.password_hash)[:16] != payload["mark"]:
        raise Gone(_("This link has been used already. Ask for a new one if you need it."))
    _set_password(session, person, password)
    person.email_verified_at = person.email_verified_at or now()
    end_sessions(session, person.id)
    return person


def change_password(session: Session, person_id: int, password: str, *, keep: str) -> None:
    """Change the password and end all other sessions than `keep`'s."""
    _set_password(session, queries.get_person(session, person_id), password)
    end_sessions(session, person_id, but=keep)


def _set_password(session: Session, person: Person, password: str) -> None:
    check_password_rules(password)
    person.password_hash = hash_password(password)
    record(session, PasswordChanged(person.id))


def change_profile(session: Session, person_id: int, name: str, locale: str) -> None:
    """Set the name that others see and the language of pages and mails."""
    assert locale in LOCALES, locale
    person = queries.get_person(session, person_id)
    person.name, person.locale = name, locale


def request_email_change(session: Session, person_id: int, email: str) -> EmailChange:
    """Ask to move the account to another address: both addresses get a mail, the new one with the link.

    An earlier request is void. Says nothing about whether the new address has an account. Raises Invalid when it is
    the present one.
    """
    person, wanted = queries.get_person(session, person_id), queries.fold_email(email)
    if wanted == person.email:
        raise Invalid(_("This is your address already."))
    session.execute(delete(EmailChange).where(EmailChange.person_id == person_id, EmailChange.done_at.is_(None)))
    change = EmailChange(person_id=person_id, email=wanted, old_email=person.email or "")
    session.add(change)
    session.flush()
    record(session, EmailChangeRequested(change.id))
    return change


def email_change_token(change: EmailChange) -> str:
    """Token of the link in the mail to the new address."""
    return sign("email", {"id": change.id})


def change_email(session: Session, token: str) -> Person:
    """Move the account to the new address, which the link proves. Other links to prove or reset are void by it.

    Raises Gone when the link is expired, used or replaced, NotFound when forged, Conflict when the address has an
    account by now.
    """
    payload = unsign("email", token, max_age_s=PROOF_AGE_S)
    change = session.get(EmailChange, payload["id"], with_for_update=True)
    if change is None or change.done_at is not None:
        raise Gone(_("This link has been used or replaced by a newer one. Ask for a new one if you need it."))
    person = queries.get_person(session, change.person_id)
    try:
        with session.begin_nested():
            person.email, person.email_verified_at = change.email, now()
    except IntegrityError:
        raise Conflict(_("This address has an account already.")) from None
    change.done_at = now()
    record(session, EmailChanged(change.id))
    return person
