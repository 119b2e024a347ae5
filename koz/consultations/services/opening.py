"""From the NGO's draft to the closed consultation. It opens once and closes once, whoever asks and how often."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from koz.campaigns import services as campaigns
from koz.campaigns.models import Campaign
from koz.campaigns.queries import lock as lock_campaign
from koz.campaigns.states import CampaignState
from koz.consultations import queries
from koz.consultations.events import ConsultationClosed, ConsultationOpened
from koz.consultations.models import Consultation, Section
from koz.consultations.services.writing import html_of
from koz.consultations.states import ConsultationState, may_step
from koz.core.clock import end_of_day, now, today
from koz.core.db import Uow
from koz.core.errors import Conflict
from koz.core.i18n import _
from koz.core.outbox import record

log = structlog.get_logger(__name__)

SECTION_HTML_MAX: Final = 30_000


@dataclass(frozen=True, slots=True)
class SectionDraft:
    """A section as the NGO writes it."""

    title: str
    body_md: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the NGO decides before the consultation opens. Days are calendar days."""

    question: str
    intro_md: str
    days: int
    answer_days: int
    sections: Sequence[SectionDraft]


def sections_of_text(campaign: Campaign) -> list[SectionDraft]:
    """The sections a campaign's texts give: what is asked, what it should bring, and when."""
    asked = campaign.ask or campaign.title
    if campaign.ask and campaign.addressee_name:
        asked = f"{_('We ask')} {_addressee(campaign)}, {campaign.ask}".rstrip(" .") + "."
    found = [SectionDraft(_("What we ask"), asked)]
    for title, text in (
        (_("What it should bring"), campaign.expected_result),
        (_("How and when"), campaign.calendar),
    ):
        if text.strip():
            found.append(SectionDraft(title, text))
    return found


#: The sections each template of a campaign starts from. "text" is the one application there is.
TEMPLATES: Final[Mapping[str, Callable[[Campaign], list[SectionDraft]]]] = {"text": sections_of_text}


def prepare(session: Session, campaign_id: int) -> Consultation:
    """The campaign's consultation, made as a draft from the chosen template if there is none yet. Raises NotFound."""
    consultation = queries.find_by_campaign(session, campaign_id)
    if consultation is not None:
        return consultation
    campaign = lock_campaign(session, campaign_id)  # two who prepare at once: the second finds the first one's
    consultation = queries.find_by_campaign(session, campaign_id)
    if consultation is not None:
        return consultation
    consultation = Consultation(
        slug=_free_slug(session, campaign),
        campaign_id=campaign.id,
        organisation_id=campaign.organisation_id,
        title=campaign.title,
        question=campaign.consultation_question or _("What do you think of “%(title)s”?", title=campaign.title),
        addressee=_addressee(campaign),
    )
    session.add(consultation)
    session.flush()
    sections = TEMPLATES.get(campaign.consultation_template, sections_of_text)
    _write_sections(session, consultation.id, sections(campaign))
    return consultation


def _free_slug(session: Session, campaign: Campaign) -> str:
    """The campaign's own address part, or one with its number when an imported consultation has it."""
    taken = queries.find_consultation(session, campaign.slug) is not None
    return f"{campaign.slug}-{campaign.id}" if taken else campaign.slug


def _addressee(campaign: Campaign) -> str:
    return ", ".join(part for part in (campaign.addressee_name, campaign.addressee_body) if part)


def _write_sections(session: Session, consultation_id: int, sections: Sequence[SectionDraft]) -> None:
    session.execute(delete(Section).where(Section.consultation_id == consultation_id))
    session.add_all(
        Section(
            consultation_id=consultation_id,
            position=n,
            title=s.title,
            body_md=s.body_md,
            body_html=html_of(s.body_md, SECTION_HTML_MAX),
        )
        for n, s in enumerate(sections, 1)
    )


def save_draft(session: Session, consultation_id: int, draft: Draft, version: int) -> None:
    """Write what the NGO decided. Raises Conflict once it is open, or when somebody else saved since `version`."""
    consultation = queries.lock(session, consultation_id)
    if consultation.state is not ConsultationState.DRAFT:
        raise Conflict(_("This consultation is open: its text can no longer change."))
    if consultation.version != version:
        raise Conflict(_("Somebody else saved changes meanwhile. Copy your text, reload the page and put it in again."))
    consultation.question = draft.question
    consultation.intro_md, consultation.intro_html = draft.intro_md, html_of(draft.intro_md)
    consultation.days, consultation.answer_days = draft.days, draft.answer_days
    consultation.version += 1
    _write_sections(session, consultation.id, draft.sections)


def open_for_campaign(session: Session, campaign_id: int) -> int | None:
    """Open the consultation of a funded campaign and move the campaign on. Returns its id.

    Locks the campaign's row first, so that any number of calls, at once or one after another, open one consultation
    and tell it once. None when the campaign is not (or no longer) at this stage. Raises NotFound.
    """
    campaign = lock_campaign(session, campaign_id)
    consultation = prepare(session, campaign_id)
    consultation = queries.lock(session, consultation.id)
    if consultation.state is not ConsultationState.DRAFT:
        return consultation.id
    if campaign.state is not CampaignState.FUNDED:
        log.warning("consultations.not_opened", campaign=campaign_id, state=campaign.state.value)
        return None
    _step(consultation, ConsultationState.OPEN)
    consultation.title, consultation.addressee = campaign.title, _addressee(campaign)
    consultation.opens_at = now()
    consultation.closes_at = end_of_day(today() + timedelta(days=consultation.days))
    campaigns.move(session, campaign_id, CampaignState.CONSULTING)
    closes_on = consultation.closes_on
    assert closes_on is not None
    campaigns.add_timeline(
        session, campaign_id, "consultation_opened", {"closes_on": closes_on.isoformat()},
        key="consultation_opened", href=f"/consultations/{consultation.slug}",
    )  # fmt: skip
    record(session, ConsultationOpened(consultation.id, campaign_id))
    return consultation.id


def _step(consultation: Consultation, new: ConsultationState) -> None:
    if not may_step(consultation.state, new):
        raise Conflict(_("This consultation is no longer at this stage. Reload the page to see where it stands."))
    consultation.state = new
    consultation.version += 1


def close(session: Session, consultation_id: int) -> bool:
    """Close a consultation whose last moment is over. False when it is closed already or still has time.

    Waits for everybody who is writing into it, so nothing is added after the event. Raises NotFound.
    """
    consultation = queries.lock(session, consultation_id)
    if consultation.state is not ConsultationState.OPEN or consultation.is_open:
        return False
    _step(consultation, ConsultationState.CLOSED)
    consultation.closed_at = now()
    if consultation.campaign_id is not None:
        campaigns.add_timeline(
            session, consultation.campaign_id, "consultation_closed",
            {"participants": queries.count_participants(session, consultation_id)},
            key="consultation_closed", href=f"/consultations/{consultation.slug}/results",
        )  # fmt: skip
    record(session, ConsultationClosed(consultation.id, consultation.campaign_id))
    return True


def close_due(uow: Uow) -> int:
    """Close every consultation that is due, each in its own transaction. Returns how many."""
    with uow() as session:
        due = queries.list_due(session, now())
    closed = 0
    for consultation_id in due:
        with uow() as session:
            closed += close(session, consultation_id)
    return closed
