"""From a draft to a decision: what is missing, submission, review by staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from koz.accounts.services import audit
from koz.campaigns import queries
from koz.campaigns.events import CampaignReviewed, CampaignSubmitted
from koz.campaigns.models import BudgetLine, Campaign, CampaignReview, CampaignSource
from koz.campaigns.permissions import can_review, can_write
from koz.campaigns.services.drafting import StaleVersion, claim
from koz.campaigns.services.totals import step
from koz.campaigns.states import AFTER_REVIEW, IN_MONEY, CampaignState, Decision
from koz.core.access import Actor
from koz.core.clock import now, today
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _
from koz.core.outbox import record

#: A campaign collects for a week at least (nobody hears of it in less) and a year at most.
DEADLINE_MIN_DAYS: Final = 7
DEADLINE_MAX_DAYS: Final = 365
STORY_MIN: Final = 200


@dataclass(frozen=True, slots=True)
class Missing:
    """What a campaign lacks, as a sentence; the step and the field (its id on the page) where it is given."""

    step: str
    field: str
    sentence: str


class Incomplete(Invalid):
    """The campaign cannot be submitted yet; `missing` says why."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(_("This campaign is not complete yet: see what is missing."))
        self.missing = missing


def deadline_bounds(day: date | None = None) -> tuple[date, date]:
    """First and last day that a deadline may have, seen from `day` (today)."""
    start = day or today()
    return start + timedelta(days=DEADLINE_MIN_DAYS), start + timedelta(days=DEADLINE_MAX_DAYS)


def missing(campaign: Campaign, lines: Sequence[BudgetLine], sources: Sequence[CampaignSource]) -> list[Missing]:
    """What must still be filled in before the campaign can be submitted, in the order of the steps."""
    first, last = deadline_bounds()
    money = [line for line in lines if line.kind in IN_MONEY]
    checks = (
        ("ask", "ask", bool(campaign.ask), _("Say in one sentence what you ask.")),
        ("ask", "addressee_name", bool(campaign.addressee_name), _("Name the person or the office that is to answer.")),
        (
            "ask",
            "addressee_email",
            bool(campaign.addressee_email),
            _("Give the e-mail address at which the addressee will be asked."),
        ),
        ("ask", "summary", bool(campaign.summary), _("Write the summary that is shown in lists.")),
        (
            "story",
            "story_md",
            len(campaign.story_md) >= STORY_MIN,
            _("Tell the story in at least %(n)s characters.", n=STORY_MIN),
        ),
        ("story", "expected_result", bool(campaign.expected_result), _("Say what result you expect.")),
        ("story", "calendar", bool(campaign.calendar), _("Give the calendar: what happens when.")),
        ("budget", "rows-0-label", bool(money), _("Add at least one budget line in money.")),
        (
            "budget",
            "rows-0-minimum",
            not money or campaign.minimum_minor > 0,
            _("Give at least one budget line a minimum above zero."),
        ),
        ("sources", "rows-0-title", bool(sources), _("Add at least one source that backs what you say.")),
        ("end", "deadline_on", campaign.deadline_on is not None, _("Choose the last day for gifts.")),
        (
            "end",
            "deadline_on",
            campaign.deadline_on is None or first <= campaign.deadline_on <= last,
            _("The last day for gifts is too near or too far: choose one between 7 days and a year from now."),
        ),
        ("end", "on_success", bool(campaign.on_success), _("Say what happens if the minimum is collected.")),
        ("end", "on_failure", bool(campaign.on_failure), _("Say what happens if it is not.")),
        (
            "end",
            "consultation_question",
            bool(campaign.consultation_question),
            _("Write the question of the consultation."),
        ),
    )
    return [Missing(where, field, sentence) for where, field, good, sentence in checks if not good]


def submit(session: Session, actor: Actor, slug: str) -> Campaign:
    """Ask for the review. Twice is once. Raises Incomplete, and Conflict when it is past that stage."""
    campaign = claim(session, actor, slug, can_write)
    if campaign.state is CampaignState.SUBMITTED:
        return campaign
    lacks = missing(campaign, queries.list_lines(session, campaign.id), queries.list_sources(session, campaign.id))
    if lacks and campaign.state in {CampaignState.DRAFT, CampaignState.CHANGES_REQUESTED}:
        raise Incomplete(lacks)
    step(campaign, CampaignState.SUBMITTED)
    campaign.submitted_at = now()
    record(session, CampaignSubmitted(campaign.id))
    return campaign


def review(
    session: Session, actor: Actor, slug: str, decision: Decision, reasons: str = "", *, version: int | None = None
) -> CampaignReview:
    """Decide on a submitted campaign; written down for ever and audited.

    Raises NotAllowed to members of the organisation, Invalid without reasons (unless approved), StaleVersion when the
    campaign is not the one that was read, Conflict when it does not wait for a review.
    """
    campaign = claim(session, actor, slug, can_review)
    assert actor.id is not None, "staff is logged in"
    reasons = reasons.strip()
    if not reasons and decision is not Decision.APPROVE:
        raise Invalid(_("Give your reasons: the organisation will read them."))
    if version is not None and campaign.version != version:
        raise StaleVersion(campaign.version)
    if campaign.state is not CampaignState.SUBMITTED:
        raise Conflict(_("This campaign does not wait for a review any more."))
    step(campaign, AFTER_REVIEW[decision])
    made = CampaignReview(campaign_id=campaign.id, reviewer_id=actor.id, decision=decision, reasons=reasons)
    session.add(made)
    session.flush()
    audit(
        session, actor.id, "campaign.review", f"campaign {campaign.slug}", f"{decision.value}: {reasons}".rstrip(": ")
    )
    record(session, CampaignReviewed(campaign.id, made.id, decision.value))
    return made
