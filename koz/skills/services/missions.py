"""Missions: scoped by the organisation's owners and editors, opened once they say what they need, closed at the end."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.campaigns import queries as campaigns
from koz.campaigns.models import BudgetLine, Campaign
from koz.campaigns.states import IN_HOURS, PUBLIC
from koz.core.access import Actor
from koz.core.clock import now
from koz.core.errors import Conflict, Invalid
from koz.core.i18n import _
from koz.core.outbox import record
from koz.skills import permissions, queries
from koz.skills.events import MissionClosed, MissionOpened
from koz.skills.models.offers import Mission, MissionNeed
from koz.skills.states import DEPARTMENTS, LANGUAGES, LEVELS, MissionState, may_step

MAX_NEEDS: Final = 10
MAX_MISSIONS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a mission is: texts, hours, language (code), place (département code) or remote, dates if any, seats."""

    title: str
    deliverable: str
    done_criteria: str
    hours_total: int
    hours_per_week: int
    language: str = "fr"
    department: str | None = None
    remote: bool = True
    starts_on: date | None = None
    ends_on: date | None = None
    seats: int = 1
    budget_line_id: int | None = None


def create_mission(session: Session, actor: Actor, slug: str, scope: Scope) -> Mission:
    """A draft mission of the campaign. Raises NotFound, NotAllowed, Invalid, Conflict."""
    campaign = campaigns.get_campaign_for(session, actor, slug, permissions.can_manage_missions)
    if campaign.state in permissions.OVER:
        raise Conflict(_("This campaign is over: it can have no new mission."))
    campaigns.lock(session, campaign.id)
    count = select(func.count()).select_from(Mission).where(Mission.campaign_id == campaign.id)
    if (session.scalar(count) or 0) >= MAX_MISSIONS:
        raise Conflict(_("A campaign can have %(n)s missions at most.", n=MAX_MISSIONS))
    mission = Mission(campaign_id=campaign.id, created_by=actor.id)
    _apply(session, mission, scope)
    session.add(mission)
    session.flush()
    return mission


def edit_mission(session: Session, actor: Actor, mission_id: int, scope: Scope) -> Mission:
    """Change what a mission says, until it is closed. Raises NotFound, NotAllowed, Invalid, Conflict."""
    mission, campaign = _claim(session, actor, mission_id)
    if mission.state is MissionState.CLOSED:
        raise Conflict(_("This mission is closed. Open it again before you change it."))
    _apply(session, mission, scope)
    if session.is_modified(mission):
        mission.revision += 1
    _touch(session, campaign)
    return mission


def set_need(session: Session, actor: Actor, mission_id: int, need: MissionNeed) -> None:
    """Add a skill that is needed, or change its level. Raises NotFound, NotAllowed, Invalid, Conflict."""
    mission, campaign = _claim(session, actor, mission_id)
    if need.level not in LEVELS:
        raise Invalid(_("Choose a level for each skill."))
    queries.get_concept(session, need.concept_id)
    others = select(func.count()).where(MissionNeed.mission_id == mission.id, MissionNeed.concept_id != need.concept_id)
    if (session.scalar(others) or 0) >= MAX_NEEDS:
        raise Conflict(_("A mission can need %(n)s skills at most: make two missions of it.", n=MAX_NEEDS))
    values = {"mission_id": mission.id, "concept_id": need.concept_id, "level": need.level, "must": bool(need.must)}
    statement = insert(MissionNeed).values(values)
    changed = {"level": statement.excluded.level, "must": statement.excluded.must}
    session.execute(statement.on_conflict_do_update(index_elements=["mission_id", "concept_id"], set_=changed))
    _touch(session, campaign)


def drop_need(session: Session, actor: Actor, mission_id: int, concept_id: int) -> None:
    """Take a needed skill out; the last one of an open mission stays. Raises NotFound, NotAllowed, Conflict."""
    mission, campaign = _claim(session, actor, mission_id)
    if mission.state is not MissionState.DRAFT and len(queries.list_needs(session, [mission.id])[mission.id]) <= 1:
        raise Conflict(_("An open mission needs at least one skill. Add another before you take this one out."))
    session.execute(
        delete(MissionNeed).where(MissionNeed.mission_id == mission.id, MissionNeed.concept_id == concept_id)
    )
    _touch(session, campaign)


def open_mission(session: Session, actor: Actor, mission_id: int) -> bool:
    """Open a draft or closed mission. False when it is open already. Raises NotFound, NotAllowed, Conflict."""
    mission, campaign = _claim(session, actor, mission_id)
    if campaign.state in permissions.OVER:
        raise Conflict(_("This campaign is over: it can have no new mission."))
    if not queries.list_needs(session, [mission.id])[mission.id]:
        raise Conflict(_("Say first which skills the mission needs."))
    if not step(session, mission, MissionState.OPEN):
        return False
    record(session, MissionOpened(mission.id))
    return True


def close_mission(session: Session, actor: Actor, mission_id: int) -> bool:
    """End a mission: nobody can be invited or offer themselves any more. False when it is closed already."""
    mission, _campaign = _claim(session, actor, mission_id)
    if not step(session, mission, MissionState.CLOSED):
        return False
    record(session, MissionClosed(mission.id))
    return True


def close_with_campaign(session: Session, campaign_id: int) -> int:
    """End all missions of a campaign that is over. Returns how many were not closed yet."""
    query = select(Mission).where(Mission.campaign_id == campaign_id, Mission.state != MissionState.CLOSED)
    rows = session.scalars(query.order_by(Mission.id).with_for_update(key_share=True)).all()
    for mission in rows:
        step(session, mission, MissionState.CLOSED)
        record(session, MissionClosed(mission.id))
    return len(rows)


def step(session: Session, mission: Mission, new: MissionState) -> bool:
    """Move a mission whose row is locked. False when it is there already; Conflict when the step does not exist."""
    if mission.state is new:
        return False
    if not may_step(mission.state, new):
        raise Conflict(_("This mission is no longer at this stage. Reload the page to see where it stands."))
    mission.state = new
    mission.closed_at = now() if new is MissionState.CLOSED else None
    if new is MissionState.OPEN:
        mission.opened_at = mission.opened_at or now()
    _touch(session, campaigns.get_campaign_by_id(session, mission.campaign_id))
    return True


def _claim(session: Session, actor: Actor, mission_id: int) -> tuple[Mission, Campaign]:
    """The mission, locked, for those who may manage it."""
    _mission, campaign = queries.get_mission_for(session, actor, mission_id)
    return queries.lock_mission(session, mission_id), campaign


def _apply(session: Session, mission: Mission, scope: Scope) -> None:
    assert scope.language in LANGUAGES
    assert scope.department is None or scope.department in DEPARTMENTS
    if not scope.remote and scope.department is None:
        raise Invalid(_("Choose a place, or tick that the mission can be done remotely."))
    if scope.hours_per_week > scope.hours_total:
        raise Invalid(_("The hours a week cannot be more than the hours of the whole mission."))
    if scope.starts_on and scope.ends_on and scope.ends_on < scope.starts_on:
        raise Invalid(_("The last day comes before the first one. Correct one of the two."))
    if scope.budget_line_id is not None:
        line = session.get(BudgetLine, scope.budget_line_id)
        if line is None or line.campaign_id != mission.campaign_id or line.kind not in IN_HOURS:
            raise Invalid(_("Choose a budget line of this campaign that is paid in skills."))
    mission.title, mission.deliverable, mission.done_criteria = scope.title, scope.deliverable, scope.done_criteria
    mission.hours_total, mission.hours_per_week, mission.seats = scope.hours_total, scope.hours_per_week, scope.seats
    mission.language, mission.department, mission.remote = scope.language, scope.department, scope.remote
    mission.starts_on, mission.ends_on = scope.starts_on, scope.ends_on
    mission.budget_line_id = scope.budget_line_id


def _touch(session: Session, campaign: Campaign) -> None:
    """The public page of the campaign shows its missions: its stamp grows."""
    if campaign.state in PUBLIC:
        session.execute(
            update(Campaign)
            .where(Campaign.id == campaign.id)
            .values(version=Campaign.version + 1)
            .execution_options(synchronize_session=False)
        )
