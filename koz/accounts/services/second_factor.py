"""The second factor: a code of six digits that changes every 30 seconds (TOTP, RFC 6238), and ten recovery codes.

A time step is good once (`totp_last_step`), decided under a lock on the person's row. Recovery codes are kept as
fingerprints: 80 random bits each, so a fast hash is enough.
"""

import secrets
from typing import Final

import pyotp
import segno
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from koz.accounts import queries
from koz.accounts.events import SecondFactorChanged
from koz.accounts.models import Person, RecoveryCode
from koz.core.clock import now
from koz.core.errors import Conflict, Gone, Invalid, NotFound
from koz.core.i18n import _
from koz.core.ids import fingerprint
from koz.core.outbox import record
from koz.core.tokens import sign, unsign

STEP_S: Final = 30
#: How many steps a clock may be early or late.
DRIFT: Final = 1
RECOVERY_CODES: Final = 10
ENROL_AGE_S: Final = 30 * 60
_LETTERS: Final = "abcdefghijkmnpqrstuvwxyz23456789"  # none that look alike


def propose_secret(person_id: int) -> str:
    """A new secret for a person, signed: the page holds it until a code shows that it arrived in an application."""
    return sign("totp", {"id": person_id, "secret": pyotp.random_base32()})


def read_proposal(person_id: int, proposal: str) -> str:
    """The secret of a proposal. Raises Gone when it is too old or not this person's."""
    try:
        payload = unsign("totp", proposal, max_age_s=ENROL_AGE_S)
    except (Gone, NotFound):
        payload = {}
    if payload.get("id") != person_id:
        raise Gone(_("This page was open for too long. Start again."))
    return str(payload["secret"])


def provisioning_uri(secret: str, email: str) -> str:
    """What the QR code says to the application."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Koz"))


def qr_svg(text: str) -> str:
    """A QR code as an inline SVG of our own making."""
    return str(segno.make(text, error="m").svg_inline(scale=5, border=4, dark="#1c2233", light="#ffffff"))


def spaced(secret: str) -> str:
    """The secret in groups of four, as one types it."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))


def enable_second_factor(session: Session, person_id: int, secret: str, code: str) -> list[str]:
    """Switch it on, once a code shows that the application has the secret. Returns the recovery codes.

    Raises Conflict when it is on already, Invalid for a wrong code.
    """
    person = _locked(session, person_id)
    if person.totp_secret is not None:
        raise Conflict(_("Your second factor is on already."))
    step = _step_of(secret, code, after=None)
    if step is None:
        raise Invalid(_wrong_code())
    person.totp_secret, person.totp_last_step = secret, step
    record(session, SecondFactorChanged(person_id, 1))
    return renew_recovery_codes(session, person_id)


def renew_recovery_codes(session: Session, person_id: int) -> list[str]:
    """Ten new recovery codes; the earlier ones are void."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = ["-".join(_word() for _ in range(4)) for _n in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(person_id=person_id, code_hash=fingerprint(_bare(code))) for code in codes)
    return codes


def check_second_factor(session: Session, person_id: int, code: str) -> bool:
    """Whether the code is good now; a code of the application and a recovery code are good once each."""
    person = _locked(session, person_id)
    if person.totp_secret is None:
        return False
    step = _step_of(person.totp_secret, code, after=person.totp_last_step)
    if step is not None:
        person.totp_last_step = step
        return True
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == fingerprint(_bare(code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now())
        .returning(RecoveryCode.id)
    )
    return used is not None


def disable_second_factor(session: Session, person_id: int, code: str) -> None:
    """Switch it off, with a code. Raises Conflict for staff and moderators, Invalid for a wrong code."""
    person = _locked(session, person_id)
    if person.is_staff or person.is_moderator:
        raise Conflict(_("Your role needs a second factor: it cannot be switched off."))
    if not check_second_factor(session, person_id, code):
        raise Invalid(_wrong_code())
    forget_second_factor(session, person_id)


def forget_second_factor(session: Session, person_id: int) -> None:
    """Take secret and recovery codes away: the person sets up a new second factor. They are told by mail."""
    person = _locked(session, person_id)
    person.totp_secret = person.totp_last_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    record(session, SecondFactorChanged(person_id, 0))


def next_good_code(secret: str, after: int | None = None) -> str:
    """A code that would be accepted now, later than step `after`: for the demo only, whose people have no telephone."""
    step = max(int(now().timestamp()) // STEP_S, (after or 0) + 1)
    return str(pyotp.TOTP(secret).generate_otp(step))


def _step_of(secret: str, code: str, *, after: int | None) -> int | None:
    """The time step whose code this is, near now and later than `after`."""
    typed, present = "".join(code.split()), int(now().timestamp()) // STEP_S
    for step in range(present - DRIFT, present + DRIFT + 1):
        good = secrets.compare_digest(pyotp.TOTP(secret).generate_otp(step).encode(), typed.encode())
        if good and (after is None or step > after):
            return step
    return None


def _locked(session: Session, person_id: int) -> Person:
    queries.get_person(session, person_id)
    return session.get_one(Person, person_id, with_for_update=True, populate_existing=True)


def _word() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(4))


def _bare(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()


def _wrong_code() -> str:
    return _("This code is not right, or was used already. Wait for the next one and type its six digits.")
