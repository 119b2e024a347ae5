"""Certificates: made when the professional asks for one, from what the organisation confirmed; checked by anybody.

The row comes first and holds all facts as they were then; the PDF is made from it whenever it is asked for. One valid
certificate for an engagement: the database's partial unique key decides it.
"""

from datetime import date, datetime
from typing import Any, Final

from babel.dates import format_date
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from koz.accounts.services import exporter
from koz.core.access import Actor
from koz.core.clock import PARIS, now, today
from koz.core.errors import Conflict, NotFound
from koz.core.i18n import _, current_locale
from koz.core.ids import new_token
from koz.matching import queries
from koz.matching.certificate import SHORT, fingerprint_of, grouped
from koz.matching.models import Certificate, Engagement
from koz.matching.queries import EngagementRow, keeping
from koz.matching.states import EngagementState, Revoked, Side
from koz.skills import queries as skills

VERSION: Final = 1


def certify(session: Session, actor: Actor, engagement_id: int) -> Certificate:
    """The certificate of a closed engagement; asked for again, the same one. Raises NotFound, Conflict."""
    row, side = queries.get_engagement_for(session, actor, engagement_id)
    if side is not Side.PROFESSIONAL:
        raise NotFound(_("A certificate is for the person who gave their time: only they can ask for it."))
    engagement = queries.lock_engagement(session, engagement_id)
    if engagement.state is not EngagementState.CLOSED:
        raise Conflict(_("A certificate can be made once the association has confirmed the hours."))
    valid = keeping.find_certificate(session, engagement.id)
    if valid is not None:
        return valid
    earlier = select(func.count()).where(Certificate.engagement_id == engagement.id)
    number = f"KZ-{engagement.id}-{(session.scalar(earlier) or 0) + 1}"
    facts = _facts(session, row, number)
    certificate = Certificate(
        engagement_id=engagement.id, number=number, facts=facts, fingerprint=fingerprint_of(facts), issued_at=now()
    )
    session.add(certificate)
    session.flush()
    return certificate


def _facts(session: Session, row: EngagementRow, number: str) -> dict[str, Any]:
    """What is certified. `mark` is chance, so that from the fingerprint alone nobody can try out names."""
    engagement = row.engagement
    log = keeping.list_log(session, engagement.id)
    noted = [e.worked_on.isoformat() for e in log if e.what]
    first, last = _day(engagement.started_at or engagement.accepted_at), _day(engagement.delivered_at or now())
    return {
        "version": VERSION, "number": number, "mark": new_token(12), "issued_on": today().isoformat(),
        "name": row.professional.name, "organisation": row.organisation, "mission": row.mission.title,
        "campaign": row.campaign.title, "begun_on": min([first, *noted]), "delivered_on": max([last, *noted]),
        "minutes": sum(e.minutes for e in log), "days": len(set(noted)), "skills": _skills(session, row),
    }  # fmt: skip


def _skills(session: Session, row: EngagementRow) -> list[dict[str, str]]:
    """The mission's needs, in both languages: what the work called for and the organisation confirmed as delivered."""
    needs = skills.list_needs(session, [row.mission.id])[row.mission.id]
    return [{"fr": need.label("fr"), "en": need.label("en")} for need in needs]


def _day(moment: datetime) -> str:
    return moment.astimezone(PARIS).date().isoformat()


def words_of(certificate: Certificate, url: str) -> dict[str, Any]:
    """The texts of the PDF in the present language; `url` is the public page that checks it."""
    facts, lang = certificate.facts, current_locale()
    named = {"name": facts["name"], "organisation": facts["organisation"]}
    worked = duration(facts["minutes"])
    return {
        "heading": _("Certificate of engagement"),
        "kicker": _("Skills given, without pay"),
        "author": facts["organisation"],
        "description": _("%(name)s gave %(time)s to %(organisation)s.", time=worked, **named),
        "sentence": _(
            "%(organisation)s confirms on Koz that %(name)s gave the time and skills named here, as a volunteer, "
            "and that what was agreed has been delivered.",
            **named,
        ),
        "rows": [
            [_("Given by"), facts["name"]],
            [_("To"), facts["organisation"]],
            [_("Mission"), facts["mission"]],
            [_("Campaign"), facts["campaign"]],
            [_("From"), _long(facts["begun_on"], lang)],
            [_("Until"), _long(facts["delivered_on"], lang)],
            [_("Time given"), worked],
        ],
        "skills_heading": _("Skills that the mission called for"),
        "skills": [skill[lang] for skill in facts["skills"]],
        "no_skills": _("None was named."),
        "check_heading": _("To check this certificate"),
        "check_text": _(
            "Scan the code or open the address. The page says whether the certificate is genuine and still valid, "
            "and what it states."
        ),
        "url_shown": f"{url.rpartition('/')[0]}/{certificate.fingerprint[:SHORT]}",
        "fingerprint_label": _("Fingerprint (SHA-256)"),
        "fingerprint": [grouped(certificate.fingerprint[:32]), grouped(certificate.fingerprint[32:])],
        "qr_alt": _("QR code: the address of the page that checks this certificate"),
        "footer": _(
            "Number %(number)s, issued on %(day)s. Hours noted by the volunteer and confirmed by the organisation.",
            number=facts["number"],
            day=_long(facts["issued_on"], lang),
        ),
    }


def duration(minutes: int) -> str:
    """Minutes in words: « 12 h 30 », "12 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(n)s min", n=rest)
    return _("%(hours)s h %(minutes)s min", hours=hours, minutes=f"{rest:02d}") if rest else _("%(n)s h", n=hours)


def _long(day: str, lang: str) -> str:
    return str(format_date(date.fromisoformat(day), "long", locale=lang))


def get_own(session: Session, actor: Actor, engagement_id: int) -> Certificate:
    """The valid certificate of one's own engagement. Raises NotFound."""
    row, side = queries.get_engagement_for(session, actor, engagement_id)
    found = keeping.find_certificate(session, row.engagement.id) if side is Side.PROFESSIONAL else None
    if found is None:
        raise NotFound(_("There is no certificate of this engagement. Make one on the page of the engagement."))
    return found


def revoke(session: Session, engagement_id: int, because: Revoked) -> int:
    """The valid certificate of an engagement, if there is one, is worth nothing from now on. Returns how many."""
    statement = (
        update(Certificate)
        .where(Certificate.engagement_id == engagement_id, Certificate.revoked_at.is_(None))
        .values(revoked_at=now(), revoked_because=because)
    )
    return len(session.scalars(statement.returning(Certificate.id)).all())


def forget_person(session: Session, person_id: int) -> int:
    """Erasure: all certificates of the person are revoked and hold no fact any more. Returns how many."""
    own = select(Engagement.id).where(Engagement.person_id == person_id)
    statement = (
        update(Certificate)
        .where(Certificate.engagement_id.in_(own))
        .values(facts={}, revoked_at=func.coalesce(Certificate.revoked_at, now()), revoked_because=Revoked.ERASED)
    )
    done = session.scalars(statement.returning(Certificate.id).execution_options(synchronize_session=False))
    return len(done.all())


@exporter("certificates")
def _export_certificates(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What was certified to a person, with the fingerprint by which it is checked."""
    return [
        {
            "number": c.number, "fingerprint": c.fingerprint, "facts": c.facts, "issued_at": c.issued_at.isoformat(),
            "revoked_at": c.revoked_at.isoformat() if c.revoked_at else None,
        }
        for c in keeping.list_certificates(session, person_id)
    ]  # fmt: skip
