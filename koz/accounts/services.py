"""What can be done with accounts: join, prove an address, log in, change and reset a password, organisations."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from stdnum.fr import siren as siren_number

from koz.accounts import queries
from koz.accounts.events import EmailProofRequested, JoinedAgain, PasswordChanged, PasswordResetRequested
from koz.accounts.models import AuditEntry, Membership, Organisation, OrganisationKind, Person, Role, UserSession
from koz.core.clock import now
from koz.core.errors import Conflict, Gone, Invalid
from koz.core.i18n import _
from koz.core.ids import fingerprint, new_token, slugify
from koz.core.outbox import record
from koz.core.tokens import sign, unsign

# OWASP's smaller Argon2id setting: 19 MiB, 2 passes. At most 4 at once, so that a flood of log-ins cannot eat memory.
_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing: Final = threading.BoundedSemaphore(4)
_NOBODY: Final = _hasher.hash("a password that nobody has")

SESSION_IDLE: Final = timedelta(days=14)
SESSION_LIFE: Final = timedelta(days=90)
STAFF_SESSION_LIFE: Final = timedelta(hours=12)
FRESH: Final = timedelta(minutes=15)
PROOF_AGE_S: Final = 3 * 24 * 3600
RESET_AGE_S: Final = 3600
PASSWORD_MIN: Final = 10
PASSWORD_MAX: Final = 200
COMMON_PASSWORDS: Final = frozenset({
    "motdepasse1", "motdepasse12", "motdepasse123", "azertyuiop", "azertyuiop1", "qwertyuiop", "qwertyuiop1",
    "password12", "password123", "password1234", "1234567890", "12345678910", "123456789a", "0123456789",
    "9876543210", "abcdefghij", "iloveyou123", "jetaime123", "bonjour123", "doudou1234", "soleil1234",
    "loulou1234", "chouchou12", "marseille13", "administrateur", "administrator", "welcome123", "letmein1234",
    "changeme123", "football123", "baseball123", "princesse1", "superman123", "dragon12345",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """Who joins."""

    email: str
    name: str
    password: str
    locale: str = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganisation:
    """An organisation to be made; numbers as typed."""

    name: str
    kind: str
    owner_id: int
    siren: str = ""
    rna: str = ""


def hash_password(password: str) -> str:
    """Argon2id hash with its parameters and salt."""
    with _hashing:
        return _hasher.hash(password)


def check_password_rules(password: str) -> None:
    """Raises Invalid when a password is too short, too long or among the most used."""
    if len(password) < PASSWORD_MIN:
        raise Invalid(_("Choose a password of at least %(n)s characters.", n=PASSWORD_MIN))
    if len(password) > PASSWORD_MAX:
        raise Invalid(_("Choose a password of at most %(n)s characters.", n=PASSWORD_MAX))
    if password.lower() in COMMON_PASSWORDS or len(set(password)) < 4:
        raise Invalid(_("This password is among those tried first. Choose another, such as four words."))


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
        person = create_person(session, new)
        record(session, EmailProofRequested(person.id))
        return
    check_password_rules(new.password)
    hash_password(new.password)  # as much work as for a new person: the time tells nothing
    proved = known.email_verified_at is not None
    record(session, JoinedAgain(known.id) if proved else EmailProofRequested(known.id))


def proof_token(person: Person) -> str:
    """Token of the link that proves the address; void once the address changes."""
    return sign("verify", {"id": person.id, "mark": fingerprint(person.email or "")[:16]})


def prove_email(session: Session, token: str) -> Person:
    """Take the proof of an address. Raises Gone when expired or used, NotFound when forged."""
    payload = unsign("verify", token, max_age_s=PROOF_AGE_S)
    person = session.get(Person, payload["id"], with_for_update=True)
    if person is None or fingerprint(person.email or "")[:16] != payload["mark"]:
        raise Gone(_("This link has expired. Ask for a new one."))
    if person.email_verified_at is not None:
        raise Gone(_("This address is confirmed already. You can log in."))
    person.email_verified_at = now()
    return person


def authenticate(session: Session, email: str, password: str) -> Person | None:
    """The person, or None; takes as long for an unknown address as for a wrong password."""
    person = queries.find_person_by_email(session, email)
    good = verify_password(person.password_hash if person else _NOBODY, password)
    return person if good and person is not None else None


def verify_password(stored: str, password: str) -> bool:
    """Whether the password is the one of the stored hash."""
    try:
        with _hashing:
            return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def open_session(session: Session, person: Person, agent: str = "") -> str:
    """Open a session; returns the secret for the cookie."""
    token = new_token()
    life = STAFF_SESSION_LIFE if person.is_staff or person.is_moderator else SESSION_IDLE
    session.add(
        UserSession(token_hash=fingerprint(token), person_id=person.id, expires_at=now() + life, agent=agent[:120])
    )
    return token


def touch_session(row: UserSession, *, staff: bool) -> None:
    """Note that a session is used: it lives on, up to its longest life."""
    row.seen_at = now()
    if not staff:
        row.expires_at = min(row.created_at + SESSION_LIFE, now() + SESSION_IDLE)


def confirm_session(session: Session, token: str) -> None:
    """Note that the password was given again in this session."""
    session.execute(update(UserSession).where(UserSession.token_hash == fingerprint(token)).values(password_at=now()))


def end_session(session: Session, token: str) -> None:
    """End the session of a cookie's token; nothing happens when it is over already."""
    session.execute(delete(UserSession).where(UserSession.token_hash == fingerprint(token)))


def end_session_by_id(session: Session, person_id: int, session_id: int) -> None:
    """End one of the person's own sessions."""
    session.execute(delete(UserSession).where(UserSession.id == session_id, UserSession.person_id == person_id))


def end_sessions(session: Session, person_id: int, *, but: str | None = None) -> None:
    """End all sessions of a person, but the one of token `but`."""
    statement = delete(UserSession).where(UserSession.person_id == person_id)
    if but is not None:
        statement = statement.where(UserSession.token_hash != fingerprint(but))
    session.execute(statement)


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


def create_organisation(session: Session, new: NewOrganisation) -> Organisation:
    """An organisation and its first owner. Raises Invalid for a wrong number, Conflict when it is here already."""
    organisation = Organisation(
        slug=_free_slug(session, new.name),
        name=new.name,
        kind=OrganisationKind(new.kind),
        siren=clean_siren(new.siren),
        rna=clean_rna(new.rna),
    )
    for column in (Organisation.siren, Organisation.rna):
        number = getattr(organisation, column.key)
        if number and session.scalar(select(Organisation.id).where(column == number)):
            raise Conflict(_("An organisation with this number is here already. Ask one of its owners to invite you."))
    session.add(organisation)
    session.flush()
    add_member(session, organisation.id, new.owner_id, Role.OWNER)
    return organisation


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


def _free_slug(session: Session, name: str) -> str:
    base = slugify(name, 70)
    taken = set(session.scalars(select(Organisation.slug).where(Organisation.slug.like(f"{base}%"))))
    return next(s for s in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if s not in taken)


def add_member(session: Session, organisation_id: int, person_id: int, role: str) -> None:
    """Give a person a role; nothing happens when they have it."""
    session.execute(
        insert(Membership)
        .values(organisation_id=organisation_id, person_id=person_id, role=Role(role), created_at=now())
        .on_conflict_do_nothing()
    )


def remove_member(session: Session, organisation_id: int, person_id: int, role: str) -> None:
    """Take a role back. Raises Conflict for the last owner."""
    owners = session.scalars(
        select(Membership)
        .where(Membership.organisation_id == organisation_id, Membership.role == Role.OWNER)
        .order_by(Membership.id)
        .with_for_update()
    ).all()
    if Role(role) is Role.OWNER and [m.person_id for m in owners] == [person_id]:
        raise Conflict(_("The last owner cannot leave. Make somebody else an owner first."))
    session.execute(
        delete(Membership).where(
            Membership.organisation_id == organisation_id,
            Membership.person_id == person_id,
            Membership.role == Role(role),
        )
    )


def audit(session: Session, actor_id: int, act: str, subject: str, reason: str) -> None:
    """Write down what staff did and why."""
    session.add(AuditEntry(actor_id=actor_id, act=act, subject=subject, reason=reason))


def erase_person(session: Session, person_id: int) -> None:
    """Forget who a person is: name, address, password, sessions and roles go, the id stays for books and votes."""
    person = queries.get_person(session, person_id)
    end_sessions(session, person_id)
    session.execute(delete(Membership).where(Membership.person_id == person_id))
    person.email, person.name, person.password_hash, person.totp_secret = None, "", "", None
    person.is_staff = person.is_moderator = False
    person.erased_at = now()
