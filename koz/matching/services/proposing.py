"""Proposals: an organisation invites somebody it does not know, or a professional offers themselves; the other answers.

Locks are taken in one order: proposal, mission, profile, engagement. The unique key (mission, person) makes two
invitations one; a yes that meets the other side's yes makes one engagement, by the engagement's unique key.
"""

from datetime import timedelta
from enum import Enum
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from koz.accounts.queries import get_person
from koz.accounts.services import exporter
from koz.campaigns.models import Campaign
from koz.core.access import Actor
from koz.core.clock import now, today
from koz.core.errors import Conflict, NotAllowed
from koz.core.i18n import _
from koz.core.outbox import record
from koz.matching import queries
from koz.matching.events import MissionOffered, ProfessionalInvited, ProposalAccepted, ProposalDeclined
from koz.matching.models import Engagement, Proposal
from koz.matching.permissions import side_of
from koz.matching.scoring import Score
from koz.matching.services import planning, ranking
from koz.matching.services.planning import PER_SEAT
from koz.matching.states import WAITING, EngagementState, ProposalState, Reason, Side, may_answer
from koz.skills import queries as skills
from koz.skills.models.offers import Profile
from koz.skills.services import missions
from koz.skills.states import MissionState

#: Reasons that keep like missions away from the person who gave them.
TUNING: Final = frozenset({Reason.HOURS, Reason.PLACE, Reason.CAUSE})
QUIET: Final = timedelta(days=30)


class _Asked(Enum):
    """What asking came to: a new proposal, the same one again (a second press), or a yes to the other side's."""

    NEW = 1
    STANDING = 2
    MET = 3


def invite(session: Session, actor: Actor, mission_id: int, profile_id: int) -> Proposal:
    """Ask a professional, found in the ranked list, to take a mission. If they had offered themselves, that is a yes.

    Raises NotFound, NotAllowed; Conflict when the mission or the person cannot be asked (any more).
    """
    mission, _campaign = skills.get_mission_for(session, actor, mission_id)
    profile = session.get(Profile, profile_id)
    if profile is None:
        raise _unavailable()
    score = ranking.explain(session, mission_id, profile, own=False)
    proposal, outcome = _ask(session, actor, mission_id, profile, Side.ORGANISATION, score)
    if outcome is _Asked.MET:
        _accept(session, proposal, actor)
    if outcome is not _Asked.NEW:
        return proposal
    skills.lock_mission(session, mission_id)
    if queries.count_waiting_invitations(session, mission_id, without=proposal.id) >= PER_SEAT * mission.seats:
        raise Conflict(
            _("%(n)s people are thinking about this mission. Wait for an answer, or take an invitation back.",
              n=PER_SEAT * mission.seats)
        )  # fmt: skip
    _check_may_be_asked(session, profile_id, proposal, score)
    proposal.invited_at = now()
    record(session, ProfessionalInvited(proposal.id, proposal.round))
    return proposal


def _check_may_be_asked(session: Session, profile_id: int, proposal: Proposal, score: Score) -> None:
    """Under the profile's lock, so that two organisations together cannot go over the limit. Raises Conflict."""
    profile = session.scalars(
        select(Profile)
        .where(Profile.id == profile_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    quiet = profile.paused or (profile.quiet_until is not None and profile.quiet_until > today())
    if quiet or not score.shown:
        raise _unavailable()
    if queries.count_invitations(session, profile.person_id, without=proposal.id) >= queries.PER_WEEK:
        raise Conflict(_("This person has been asked enough this week. Invite somebody else of the list."))


def _unavailable() -> Conflict:
    return Conflict(_("This person cannot be invited any more. Reload the list and choose somebody else."))


def offer(session: Session, actor: Actor, mission_id: int) -> Proposal:
    """Offer oneself for an open mission; if one had been invited, that is a yes. Raises as `invite`."""
    card = skills.get_mission_card(session, actor, mission_id)
    profile = skills.find_profile(session, actor.id or 0)
    if not actor.email_verified:
        raise NotAllowed(_("Confirm your e-mail address first: the association will write to you there."))
    if actor.has_role(card.campaign.organisation_id):
        raise NotAllowed(_("You are a member of this organisation: you need no proposal to help it."))
    if profile is None or not queries.list_levels(session, [profile.id])[profile.id]:
        raise Conflict(_("Tell first what you can do: the association sees which of your skills meet its needs."))
    score = ranking.explain(session, mission_id, profile, own=False)
    proposal, outcome = _ask(session, actor, mission_id, profile, Side.PROFESSIONAL, score)
    if outcome is _Asked.MET:
        _accept(session, proposal, actor)
    elif outcome is _Asked.NEW:
        record(session, MissionOffered(proposal.id, proposal.round))
    return proposal


def _ask(
    session: Session, actor: Actor, mission_id: int, profile: Profile, side: Side, score: Score
) -> tuple[Proposal, _Asked]:
    """The pair's proposal, made by `side` or met by it. Raises Conflict when it was answered already."""
    fresh: dict[str, Any] = {
        "made_by": side, "member_id": actor.id if side is Side.ORGANISATION else None, "score": score.total,
        "explanation": score.as_json(), "state": ProposalState.PROPOSED, "made_at": now(),
    }  # fmt: skip
    values = fresh | {"mission_id": mission_id, "person_id": profile.person_id, "round": 1, "tunes": False}
    statement = insert(Proposal).values(values).on_conflict_do_nothing(index_elements=["mission_id", "person_id"])
    made = session.scalar(statement.returning(Proposal.id))
    if made is not None:
        return session.get_one(Proposal, made), _Asked.NEW
    pair = select(Proposal.id).where(Proposal.mission_id == mission_id, Proposal.person_id == profile.person_id)
    proposal = queries.lock_proposal(session, session.scalars(pair).one())
    if proposal.state is ProposalState.EXPIRED and side is Side.PROFESSIONAL:
        return proposal, _Asked.MET  # a late answer, and it is yes
    if proposal.state in WAITING:
        return proposal, _Asked.STANDING if proposal.made_by is side else _Asked.MET
    again = proposal.state is ProposalState.WITHDRAWN or proposal.declined_by is side
    asked_lately = proposal.invited_at is not None and proposal.invited_at > now() - queries.WEEK
    if not again or not may_answer(proposal.state, ProposalState.PROPOSED):
        raise Conflict(_("This was proposed already. Reload the page to see where it stands."))
    if side is Side.ORGANISATION and asked_lately:
        raise _unavailable()
    for name, value in fresh.items():
        setattr(proposal, name, value)
    proposal.round += 1
    proposal.declined_by = proposal.reason = proposal.answered_at = None
    proposal.tunes = False
    return proposal, _Asked.NEW


def accept(session: Session, actor: Actor, proposal_id: int) -> int:
    """The side that was asked says yes: the engagement's id, the same however often. Raises NotFound, Conflict."""
    proposal, _side = _claim(session, actor, proposal_id, asked=True)
    if proposal.state is ProposalState.ACCEPTED:
        return session.scalars(select(Engagement.id).where(Engagement.proposal_id == proposal.id)).one()
    return _accept(session, proposal, actor)


def _accept(session: Session, proposal: Proposal, actor: Actor) -> int:
    """Both said yes: one engagement, a seat taken, the mission filled with the last one. The proposal is locked."""
    if not may_answer(proposal.state, ProposalState.ACCEPTED):
        raise _answered()
    mission = skills.lock_mission(session, proposal.mission_id)
    if mission.state is not MissionState.OPEN or not skills.is_helped(queries.campaign_of(session, mission.id)):
        raise Conflict(_("This mission is filled or closed. See the missions that are open."))
    get_person(session, proposal.person_id)
    if proposal.made_by is Side.PROFESSIONAL:
        proposal.member_id = actor.id
    proposal.state, proposal.answered_at = ProposalState.ACCEPTED, now()
    session.flush()
    values = {
        "proposal_id": proposal.id, "mission_id": mission.id, "person_id": proposal.person_id,
        "member_id": proposal.member_id, "state": EngagementState.ACCEPTED, "hours_given": 0, "accepted_at": now(),
    }  # fmt: skip
    engagement_id = session.scalars(insert(Engagement).values(values).returning(Engagement.id)).one()
    if queries.count_seated(session, mission.id) >= mission.seats:
        missions.step(session, mission, MissionState.FILLED)
    line_id = mission.budget_line_id or 0
    record(session, ProposalAccepted(engagement_id, proposal.id, mission.hours_total, mission.seats, line_id))
    session.flush()
    planning.after_answer(session, mission.id, proposal.person_id)
    return engagement_id


def decline(session: Session, actor: Actor, proposal_id: int, reason: Reason | None = None) -> None:
    """The side that was asked says no. A professional's reason tunes only what is proposed to them.

    Saying no twice changes nothing but the reason. Raises NotFound, Conflict.
    """
    proposal, side = _claim(session, actor, proposal_id, asked=True)
    again = proposal.state is ProposalState.DECLINED and proposal.declined_by is side
    if not again and not may_answer(proposal.state, ProposalState.DECLINED):
        raise _answered()
    if side is Side.PROFESSIONAL:
        proposal.reason, proposal.tunes = reason, reason in TUNING
        if reason is Reason.MOMENT:
            _keep_quiet(session, proposal.person_id)
    if not again:
        proposal.state, proposal.declined_by, proposal.answered_at = ProposalState.DECLINED, side, now()
        record(session, ProposalDeclined(proposal.id, side.value, proposal.round))
        session.flush()
        planning.after_answer(session, proposal.mission_id, proposal.person_id)


def _keep_quiet(session: Session, person_id: int) -> None:
    profile = session.scalar(select(Profile).where(Profile.person_id == person_id).with_for_update(key_share=True))
    if profile is not None:
        profile.quiet_until = today() + QUIET


def put_off(session: Session, actor: Actor, proposal_id: int) -> None:
    """« Not now »: the invitation stays, and can be answered later. Raises NotFound, Conflict."""
    proposal, side = _claim(session, actor, proposal_id, asked=True)
    if side is not Side.PROFESSIONAL:
        raise NotAllowed(_("Answer yes or no: somebody is waiting."))
    if proposal.state is ProposalState.LATER:
        return
    if not may_answer(proposal.state, ProposalState.LATER):
        raise _answered()
    proposal.state, proposal.answered_at = ProposalState.LATER, now()
    session.flush()
    planning.after_answer(session, proposal.mission_id, proposal.person_id)


def withdraw(session: Session, actor: Actor, proposal_id: int) -> None:
    """The side that asked takes it back. Raises NotFound, Conflict."""
    proposal, _side = _claim(session, actor, proposal_id, asked=False)
    if proposal.state is ProposalState.WITHDRAWN:
        return
    if not may_answer(proposal.state, ProposalState.WITHDRAWN):
        raise _answered()
    proposal.state, proposal.answered_at = ProposalState.WITHDRAWN, proposal.answered_at or now()
    session.flush()
    planning.after_answer(session, proposal.mission_id, proposal.person_id)


def stop_tuning(session: Session, person_id: int) -> int:
    """Take back what one's refusals keep away. Returns how many refusals had an effect."""
    rows = session.scalars(select(Proposal).where(Proposal.person_id == person_id, Proposal.tunes)).all()
    for proposal in rows:
        proposal.tunes = False
    return len(rows)


def end_waiting(session: Session, mission_id: int) -> int:
    """The mission is filled or closed: invitations are withdrawn, those who offered themselves get their answer."""
    waiting = session.scalars(
        select(Proposal)
        .where(Proposal.mission_id == mission_id, Proposal.state.in_(WAITING))
        .order_by(Proposal.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for proposal in waiting:
        if proposal.made_by is Side.ORGANISATION:  # who had said « not now » had answered then
            proposal.state, proposal.answered_at = ProposalState.WITHDRAWN, proposal.answered_at or now()
        else:
            proposal.state, proposal.declined_by = ProposalState.DECLINED, Side.ORGANISATION
            proposal.answered_at = now()
            record(session, ProposalDeclined(proposal.id, Side.ORGANISATION.value, proposal.round))
    return len(waiting)


def forget_person(session: Session, person_id: int) -> int:
    """End what an erased person had under way: no answer is owed to somebody who left. Returns how many proposals."""
    rows = session.scalars(
        select(Proposal)
        .where(Proposal.person_id == person_id, Proposal.state.in_(WAITING))
        .order_by(Proposal.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for proposal in rows:
        proposal.state, proposal.answered_at = ProposalState.WITHDRAWN, now()
    reasons = update(Proposal).where(Proposal.person_id == person_id, Proposal.reason.is_not(None))
    session.execute(reasons.values(reason=None, tunes=False))
    return len(rows)


@exporter("proposals")
def _export_proposals(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What was proposed to and by a person, with the explanation that was shown."""
    query = select(Proposal).where(Proposal.person_id == person_id).order_by(Proposal.id)
    return [
        {
            "mission_id": p.mission_id, "made_by": p.made_by.value, "state": p.state.value,
            "reason": p.reason.value if p.reason else None, "made_at": p.made_at.isoformat(),
            "explanation": p.explanation,
        }
        for p in session.scalars(query)
    ]  # fmt: skip


def _claim(session: Session, actor: Actor, proposal_id: int, *, asked: bool) -> tuple[Proposal, Side]:
    """The proposal, locked, and the actor's side: the one that was asked, or (asked=False) the one that asked."""
    proposal = queries.lock_proposal(session, proposal_id)
    campaign: Campaign = queries.campaign_of(session, proposal.mission_id)
    side = side_of(actor, proposal, campaign)
    if side is None:
        raise queries.no_proposal()
    if (side is proposal.made_by) is asked:
        raise NotAllowed(_("It is for the other side to answer."))
    return proposal, side


def _answered() -> Conflict:
    return Conflict(_("This was answered already. Reload the page to see where it stands."))
