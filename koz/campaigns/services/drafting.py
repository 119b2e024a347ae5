"""Writing a campaign: a draft made once from its title, then saved step by step.

A draft may be incomplete; what is still missing is told before it is submitted (`reviewing.missing`). Whoever saves
over a version that somebody else changed meanwhile gets Conflict, and nothing is overwritten.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from koz.campaigns import queries
from koz.campaigns.models import BudgetLine, Campaign, CampaignSource
from koz.campaigns.permissions import Predicate, can_write
from koz.campaigns.services.totals import step
from koz.campaigns.states import EDITABLE, IN_MONEY, CampaignState, LineKind
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import Conflict, NotAllowed
from koz.core.i18n import _
from koz.core.ids import slugify
from koz.core.markdown import render_markdown

SLUG_LENGTH: Final = 80
RESERVED_SLUGS: Final = frozenset({"new"})


class StaleVersion(Conflict):
    """Somebody else saved meanwhile; `version` is the present one."""

    def __init__(self, version: int) -> None:
        super().__init__(_("Somebody saved this campaign while you were writing. Nothing you typed is lost."))
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCampaign:
    """A campaign to be: whose, and its title."""

    organisation_id: int
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Step 1: what is asked of whom."""

    title: str
    ask: str = ""
    summary: str = ""
    cause: str = "other"
    addressee_name: str = ""
    addressee_body: str = ""
    addressee_email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Step 2: why, in Markdown; what will come of it and when, in plain text."""

    story_md: str
    expected_result: str = ""
    calendar: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of step 3. Amounts in minor units for money, hours for skills, both for either.

    `id` of the line it replaces, if any.
    """

    label: str
    kind: LineKind = LineKind.MONEY
    minimum_minor: int = 0
    optimum_minor: int = 0
    hours: int = 0
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One document of step 4."""

    title: str
    url: str = ""
    publisher: str = ""
    published_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Step 5: until when, and what happens then."""

    deadline_on: date | None
    on_success: str = ""
    on_failure: str = ""
    consultation_template: str = "text"
    consultation_question: str = ""


def create_draft(session: Session, actor: Actor, new: NewCampaign) -> Campaign:
    """A draft with an address of its own. Raises NotAllowed to those who do not write for the organisation.

    Two drafts with one title at the same moment: the unique key decides, the second one tries the next address.
    """
    if not actor.has_role(new.organisation_id, "owner", "editor"):
        raise NotAllowed(_("Only owners and editors of an organisation can start its campaigns."))
    base = slugify(new.title, SLUG_LENGTH)
    for slug in _free_slugs(session, base):
        values = {
            "slug": slug, "organisation_id": new.organisation_id, "created_by": actor.id, "title": new.title,
            "created_at": now(),
        }  # fmt: skip
        made = session.scalar(
            insert(Campaign).values(values).on_conflict_do_nothing(index_elements=["slug"]).returning(Campaign.id)
        )
        if made is not None:
            return queries.get_campaign_by_id(session, made)
    raise Conflict(_("There are too many campaigns with this title. Choose another one."))


def _free_slugs(session: Session, base: str) -> Iterable[str]:
    taken = set(session.scalars(select(Campaign.slug).where(Campaign.slug.startswith(base, autoescape=True))))
    taken |= RESERVED_SLUGS
    return (slug for slug in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if slug not in taken)


def claim(session: Session, actor: Actor, slug: str, predicate: Predicate) -> Campaign:
    """The campaign, locked, if the actor may. Raises NotFound, NotAllowed."""
    found = queries.get_campaign_for(session, actor, slug, predicate)
    return queries.lock(session, found.id)


def _claim_to_edit(session: Session, actor: Actor, slug: str, version: int | None) -> Campaign:
    campaign = claim(session, actor, slug, can_write)
    if campaign.state not in EDITABLE:
        raise Conflict(_("The texts of this campaign cannot be changed at this stage."))
    if version is not None and campaign.version != version:
        raise StaleVersion(campaign.version)
    campaign.version += 1
    return campaign


def save_ask(session: Session, actor: Actor, slug: str, ask: Ask, version: int | None = None) -> Campaign:
    """Save step 1. `version` is the one that was on the page; None saves over whatever there is."""
    campaign = _claim_to_edit(session, actor, slug, version)
    campaign.title, campaign.ask, campaign.summary = ask.title, ask.ask, ask.summary
    campaign.cause = ask.cause
    campaign.addressee_name, campaign.addressee_body = ask.addressee_name, ask.addressee_body
    campaign.addressee_email = ask.addressee_email
    return campaign


def save_story(session: Session, actor: Actor, slug: str, story: Story, version: int | None = None) -> Campaign:
    """Save step 2; the HTML is made here, once."""
    campaign = _claim_to_edit(session, actor, slug, version)
    campaign.story_md, campaign.story_html = story.story_md, render_markdown(story.story_md)
    campaign.expected_result, campaign.calendar = story.expected_result, story.calendar
    return campaign


def save_budget(
    session: Session, actor: Actor, slug: str, lines: Sequence[Line], version: int | None = None
) -> Campaign:
    """Save step 3. Lines with the id of one of the campaign's keep it.

    The campaign's totals are the sums of the lines that can be paid in money.
    Raises Conflict when a line that goes is used elsewhere (by a mission, for one).
    """
    campaign = _claim_to_edit(session, actor, slug, version)
    stored = {line.id: line for line in queries.list_lines(session, campaign.id)}
    kept: set[int] = set()
    for position, new in enumerate(lines):
        line = stored.get(new.id or 0) if new.id not in kept else None
        if line is None:
            line = BudgetLine(campaign_id=campaign.id)
            session.add(line)
        else:
            kept.add(line.id)
        line.position, line.label, line.kind = position, new.label, new.kind
        line.minimum_minor, line.optimum_minor, line.hours = new.minimum_minor, new.optimum_minor, new.hours
    campaign.minimum_minor = sum(line.minimum_minor for line in lines if line.kind in IN_MONEY)
    campaign.optimum_minor = sum(line.optimum_minor for line in lines if line.kind in IN_MONEY)
    _drop_lines(session, stored.keys() - kept)
    return campaign


def _drop_lines(session: Session, ids: Iterable[int]) -> None:
    session.flush()
    try:
        with session.begin_nested():
            session.execute(delete(BudgetLine).where(BudgetLine.id.in_(list(ids))))
    except IntegrityError:
        raise Conflict(_("A line that you removed has a mission. Remove the mission first.")) from None


def save_sources(
    session: Session, actor: Actor, slug: str, sources: Sequence[Source], version: int | None = None
) -> Campaign:
    """Save step 4: these sources, in this order, instead of those there were."""
    campaign = _claim_to_edit(session, actor, slug, version)
    session.execute(delete(CampaignSource).where(CampaignSource.campaign_id == campaign.id))
    session.add_all(
        CampaignSource(
            campaign_id=campaign.id,
            position=position,
            title=source.title,
            url=source.url,
            publisher=source.publisher,
            published_on=source.published_on,
        )
        for position, source in enumerate(sources)
    )
    session.flush()
    return campaign


def save_end(session: Session, actor: Actor, slug: str, end: End, version: int | None = None) -> Campaign:
    """Save step 5."""
    campaign = _claim_to_edit(session, actor, slug, version)
    campaign.deadline_on = end.deadline_on
    campaign.on_success, campaign.on_failure = end.on_success, end.on_failure
    campaign.consultation_template = end.consultation_template
    campaign.consultation_question = end.consultation_question
    return campaign


def reopen(session: Session, actor: Actor, slug: str) -> Campaign:
    """Take a submitted or approved campaign back to change it; it will be reviewed again. Raises Conflict otherwise."""
    campaign = claim(session, actor, slug, can_write)
    step(campaign, CampaignState.CHANGES_REQUESTED)
    return campaign
